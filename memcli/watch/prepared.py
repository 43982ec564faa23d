"""The tail that a swap would have to rewrite, rewritten beforehand as a `memcli.program`.

The encoder writes the tail as it would at the swap, and each of its lines is told by the bytes of the transcript:

    both lines are parted at every `,"`; a part that stands in the old line is copied from there
    of any other part the strings and numbers are looked for one by one; names that encoders write, ids, times, numbers
    of few digits and punctuation become literal bytes

What is none of these, and cannot be found either, may be somebody's words in another spelling: then there is
no program, because no file of ours holds them unredacted, and the swap rewrites. The same where the tail is long, where
its lines would have to be searched for long, or where the program does not give the encoder's very bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli import program, swap
from memcli.transcript.encode.common import NO_RESULT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memcli.head import Head

MOST_BYTES = 384 * 1024
"""A longer tail is left to the swap: the watcher's loop would stand still for more than some 20 ms. Of the tails that
real sessions had at the ends of their turns and inside them, one in 150 was longer (it held pictures)."""

MOST_STEPS = 5_000
"""From more of them on, reading the program would cost as much as rewriting."""

MOST_SEARCHED = 32 * MOST_BYTES
"""So many bytes are looked at in search of parts that are not where they were; a line in another spelling asks more."""

_LEXEME = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][-+.0-9eE]*|true|false|null|[][{}:, \n]+')
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_COMMA_AT_END = (b',",', b',"}', b',"]', b',":')  # in all of them a string may end that ends with a comma
_SHORT = 3  # a number of so few digits says nothing; longer ones that an encoder makes are rare, and found somewhere
_MESSAGE = b"msg_"  # what an encoder puts before an id that it makes for a message without one
_LINE_END = b"\\n"
_NAMES = frozenset(
    (
        b"cache_creation_input_tokens cache_read_input_tokens call_id content function_call_output id input_tokens "
        b"isMeta isSidechain is_error message ordinal output output_tokens parentId parentUuid payload "
        b"promptSource queued refusal response_item role sessionId session_id sourceToolAssistantUUID text timestamp "
        b"toolCallId tool_result tool_use_id type usage user uuid"
    ).split()
) | {b"", NO_RESULT.encode(), b"<system-reminder>", b"</system-reminder>"}


def prepared(head: Head, path: str) -> bytes | None:
    """The content of the file `tail` for the transcript at `path`; None where the swap should rewrite, or need not.

    Raises OSError.
    """
    if head.route != "rewrite" or head.end - head.tail > MOST_BYTES:
        return None
    try:
        with open(path, "rb") as transcript:
            found = swap.encoded(head, transcript.fileno(), head.end)
        teller = Teller(found.data, found.ids)
        for out in found.outs:
            teller.line(out.offset - head.tail, out.data)
    except ValueError:
        return None
    made = program.Program(
        key=program.key(head),
        source=program.digest(found.data),
        kept=found.report.kept,
        values=found.values,
        problems=found.report.problems,
        steps=[number for step in teller.steps for number in step],
        literal=bytes(teller.literal),
    )
    return program.build(made) if made.run(found.data) == b"".join(out.data for out in found.outs) else None


class Teller:
    """Tells lines by the bytes of `data`, as steps and literal bytes; `ids` are those that are new. Raises ValueError
    where that would take too long, or bytes may not be told."""

    def __init__(self, data: bytes, ids: Iterable[str] = ()) -> None:
        self.steps: list[list[int]] = []
        self.literal = bytearray()
        self._data = data
        self._ids = {name.encode() for name in ids}
        self._begin = self._place = self._stop = 0  # of the old line: what is told next probably stands at `_place`
        self._searched = 0

    def line(self, begin: int, new: bytes) -> None:
        """`new`, made of the line of `data` that begins at `begin`."""
        self._begin = self._place = begin
        self._stop = self._data.find(b"\n", begin) + 1 or len(self._data)
        if self._data[begin : self._stop] == new:
            self._copy(begin, len(new))
            return
        for part in _parts(new):
            if (at := self._find(part, self._place)) >= 0:
                self._copy(at, len(part))
            else:
                self._lexemes(part)
        if len(self.steps) > MOST_STEPS:
            raise ValueError("too many steps")

    def _lexemes(self, part: bytes) -> None:
        """A part that does not stand in the old line as it is."""
        lexemes = _LEXEME.findall(part)
        if b"".join(lexemes) != part:
            raise ValueError("no JSON")
        for lexeme in lexemes:
            if self._goes_on(lexeme):
                self._copy(self._place, len(lexeme))
            elif lexeme[:1] == b'"':
                self._string(lexeme)
            elif lexeme[-1:].isdigit() and len(lexeme) > _SHORT:
                self._words(lexeme)
            else:
                self._put(lexeme)

    def _goes_on(self, lexeme: bytes) -> bool:
        """True if it stands behind what was copied last."""
        last = self.steps[-1][1:] if self.steps else []
        return last == [self._place, 0] and self._data.startswith(lexeme, self._place, self._stop)

    def _string(self, quoted: bytes) -> None:
        text = quoted[1:-1]
        if self._is_ours(text):
            self._put(quoted)
        elif (at := self._find(quoted, self._place)) >= 0:
            self._copy(at, len(quoted))
        else:
            self._put(b'"')
            self._text(text)
            self._put(b'"')

    def _text(self, text: bytes) -> None:
        """What stands in a string. The words of several records may be lines of one."""
        if (at := self._anywhere(text)) >= 0:
            self._copy(at, len(text))
            return
        first, *others = text.split(_LINE_END)
        self._words(first)
        for words in others:
            self._put(_LINE_END)
            self._words(words)

    def _words(self, words: bytes) -> None:
        if self._is_ours(words):
            self._put(words)
        elif (at := self._anywhere(words)) >= 0:
            self._copy(at, len(words))
        else:
            raise ValueError("somebody's words in another spelling")

    def _is_ours(self, text: bytes) -> bool:
        return text in _NAMES or text.removeprefix(_MESSAGE) in self._ids or _TIME.fullmatch(text) is not None

    def _anywhere(self, text: bytes) -> int:
        """Where it stands, best in the old line; -1 for nowhere."""
        at = self._find(text, self._begin)
        return at if at >= 0 else self._find(text, 0, len(self._data))

    def _find(self, text: bytes, begin: int, stop: int | None = None) -> int:
        stop = self._stop if stop is None else stop
        at = self._data.find(text, begin, stop)
        self._searched += (stop if at < 0 else at) - begin
        if self._searched > MOST_SEARCHED:
            raise ValueError("too much to search")
        return at

    def _copy(self, begin: int, length: int) -> None:
        if self._begin <= begin < self._stop:
            self._place = begin + length
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
    """The line, parted before members and strings in it; whole where that might part a string."""
    if any(mark in line for mark in _COMMA_AT_END):
        return [line]
    first, *others = line.split(b',"')
    return [first, *(b',"' + part for part in others)]
