"""The tail that a swap would have to rewrite, rewritten beforehand as a `memcli.program`.

The encoder writes the tail as it would at the swap, and each of its lines is told by the bytes of the transcript:

    both lines are parted at every `,"`; a part that stands in the old line is copied from there
    of any other part the strings are looked for in the whole tail; names that encoders write, ids, times and what is
    no string at all become literal bytes

A string that is none of these, and cannot be found either, may be somebody's words in another spelling: then there is
no program, because no file of ours holds them unredacted, and the swap rewrites. The same where the tail is long, or
the program does not give the encoder's very bytes.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from memcli import program, swap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memcli.head import Head

MOST_BYTES = 2 * 1024 * 1024
"""A longer tail is left to the swap: it would cost more each time the file rests than it ever saves."""

_MOST_STEPS = 20_000  # from about so many on, rewriting is as fast

_LEXEME = re.compile(rb'"(?:[^"\\]|\\.)*"|[^"]+')
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_FINDABLE = 8  # shorter pieces between strings cost less as they are
_MESSAGE = b"msg_"  # what an encoder puts before an id that it makes for a message without one
_NAMES = frozenset(
    (
        b"cache_creation_input_tokens cache_read_input_tokens call_id content function_call_output id input_tokens "
        b"isMeta isSidechain is_error message ordinal output output_tokens parentId parentUuid payload "
        b"promptSource queued refusal response_item role sessionId session_id sourceToolAssistantUUID text timestamp "
        b"toolCallId tool_result tool_use_id type usage user uuid"
    ).split()
)


def prepared(head: Head, path: str) -> bytes | None:
    """The content of the file `tail` for the transcript at `path`; None where the swap should rewrite, or need not.

    Raises OSError.
    """
    if head.route != "rewrite" or head.end - head.tail > MOST_BYTES:
        return None
    with open(path, "rb") as transcript:
        try:
            found = swap.encoded(head, transcript.fileno(), head.end)
        except ValueError:
            return None
    writer = Writer(found.data, found.ids)
    try:
        for out in found.outs:
            writer.line(out.offset - head.tail, out.data)
    except ValueError:
        return None
    made = program.Program(
        key=program.key(head),
        source=program.digest(found.data),
        kept=found.report.kept,
        values=found.values,
        problems=found.report.problems,
        steps=[number for step in writer.steps for number in step],
        literal=bytes(writer.literal),
    )
    return program.build(made) if made.run(found.data) == b"".join(out.data for out in found.outs) else None


class Writer:
    """Writes the steps that make lines out of `data`; `ids` are those that are new. Raises ValueError where bytes may
    not be told."""

    def __init__(self, data: bytes, ids: Iterable[str] = ()) -> None:
        self.steps: list[list[int]] = []
        self.literal = bytearray()
        self._data = data
        self._ids = {name.encode() for name in ids}

    def line(self, begin: int, new: bytes) -> None:
        """`new`, made of the line of `data` that begins at `begin`."""
        old = self._data[begin : self._data.find(b"\n", begin) + 1 or len(self._data)]
        if old == new:
            self._copy(begin, len(new))
            return
        parts = _parts(old)
        places = list(accumulate(map(len, parts), initial=begin))
        where = dict(zip(reversed(parts), reversed(places[:-1]), strict=True))
        following = dict(zip(places, parts, strict=False))
        place = begin
        for part in _parts(new):
            at = place if following.get(place) == part else where.get(part, -1)
            if at >= 0:
                self._copy(at, len(part))
                place = at + len(part)
            else:
                self._lexemes(part, begin)
        if len(self.steps) > _MOST_STEPS:
            raise ValueError("too many steps")

    def _lexemes(self, part: bytes, begin: int) -> None:
        """A part that the old line, which begins at `begin`, does not hold as it is."""
        lexemes = _LEXEME.findall(part)
        if b"".join(lexemes) != part:
            raise ValueError("a string that holds what parts a line")
        for lexeme in lexemes:
            if lexeme[:1] != b'"':
                self._between(lexeme, begin)
            elif lexeme[1:-1] in _NAMES:
                self._put(lexeme)
            else:
                self._put(b'"')
                self._string(lexeme[1:-1], begin)
                self._put(b'"')

    def _string(self, text: bytes, begin: int) -> None:
        if text.removeprefix(_MESSAGE) in self._ids or _TIME.fullmatch(text):
            self._put(text)
            return
        at = self._data.find(text, begin)
        at = at if at >= 0 else self._data.find(text)
        if at < 0:
            raise ValueError("somebody's words in another spelling")
        self._copy(at, len(text))

    def _between(self, text: bytes, begin: int) -> None:
        end = self._data.find(b"\n", begin) + 1
        at = self._data.find(text, begin, end) if len(text) >= _FINDABLE else -1
        if at >= 0:
            self._copy(at, len(text))
        else:
            self._put(text)

    def _copy(self, begin: int, length: int) -> None:
        if self.steps and self.steps[-1][1:] == [begin, 0]:
            self.steps[-1][1] += length
        else:
            self.steps.append([begin, begin + length, 0])

    def _put(self, literal: bytes) -> None:
        if not self.steps:
            self.steps.append([0, 0, 0])
        self.steps[-1][2] += len(literal)
        self.literal += literal


def _parts(line: bytes) -> list[bytes]:
    first, *others = line.split(b',"')
    return [first, *(b',"' + part for part in others)]
