"""What the encoders of all formats share: reading lines, ready messages with places to fill (the order: `rounds`).

An encoder is a module with

    NAME                  the format
    COPIES                False if this format's tail must always be rewritten
    context(...)          what it must know of records that are not in the tail, as JSON values (the `envelope`)
    message(...)          the memory message, with its prologue, as a `Pieces`
    tail(lines, plan)     the tail: (offset and bytes of physical lines) in, `Out` lines out
    said(record)          (role, message id, Anthropic content blocks) of a conversation record, for `to_messages`

The rules every `tail` keeps: what `plan.skip` names is not emitted; thinking is removed, and a message of which
nothing is left; hidden words of the user become a user message at their place; a call without a result that is
followed by something else gets one that says so, a result without a call is dropped; the client's own compactions and
summaries are dropped; all other lines of the conversation are kept in their order, unchanged bytes wherever nothing
had to be changed. The order is changed only where it was invalid (a result before its call, a late result). An open
round at the end stays open, and words of the user that came while it was open stand before it.

Lines that were not seen by the reader of the format (`plan.known` and later) may hold things whose meaning only the
whole transcript tells: then `Doubt` is raised, and the caller takes the slow route.

Only `json` is imported: these modules are on the road of `memcli compact`.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Record = dict[str, Any]
    Fill = tuple[int, int, str]

NO_RESULT = "[no result was recorded: interrupted]"
THINKING = ("thinking", "redacted_thinking")
_COVERED_DIGITS = 7
HANDED = "<!-- memcli hook -->"
"""Stands in all that a hook of ours says in a client's conversation: our own words, neither kept nor remembered."""

_MARK = "<!-- memcli generation="


class Doubt(ValueError):
    """Bytes of the tail that were not seen before can not be judged without the whole transcript."""


class Pieces:
    """A ready message: bytes before, of and after the replaceable part, and the places to fill in `before`.

    A fill is (position, length, what): "covered" is a number of messages, "digest" that of the mark (which stays what
    it is unless the user has edited the memory), "time" the time of the first line of the tail, every other name an id
    derived from it.
    """

    __slots__ = ("after", "before", "fills", "state")

    def __init__(self, before: bytes, state: bytes, after: bytes, fills: tuple[Fill, ...] = ()) -> None:
        self.before = before
        self.state = state
        self.after = after
        self.fills = fills


class Plan:
    """What the encoder must know besides the lines.

    session, generation, end: the seeds of new ids; known: offset up to which the transcript was read before;
    skip: ranges that are not emitted; words: offset of a line -> texts of the user hidden in it;
    envelope: what `context` gave. `problems` counts what was dropped, by name; `given` are the ids that were made.
    """

    __slots__ = ("end", "envelope", "generation", "given", "known", "problems", "session", "skip", "words")

    def __init__(
        self,
        *,
        session: str = "",
        generation: str = "",
        end: int = 0,
        known: int | None = None,
        skip: tuple[tuple[int, int], ...] = (),
        words: tuple[tuple[int, str], ...] = (),
        envelope: Record | None = None,
    ) -> None:
        self.session = session
        self.generation = generation
        self.end = end
        self.known = end if known is None else known
        self.skip = skip
        self.words: dict[int, list[str]] = {}
        for offset, text in words:
            self.words.setdefault(offset, []).append(text)
        self.envelope = envelope or {}
        self.problems: dict[str, int] = {}
        self.given: set[str] = set()

    def count(self, problem: str) -> None:
        """Notes that something was dropped or could not be read."""
        self.problems[problem] = self.problems.get(problem, 0) + 1

    def id(self, old: str, length: int = 36) -> str:
        """A new id that depends on session, generation, end and the old id only: repeating gives the same."""
        made = derive(self.session, self.generation, self.end, old, length)
        self.given.add(made)
        return made


class Out:
    """One line of output: where it comes from, its bytes with a newline, and whether it is a conversation message."""

    __slots__ = ("counts", "data", "offset", "time")

    def __init__(self, offset: int, data: bytes, counts: bool, time: str = "") -> None:
        self.offset = offset
        self.data = data
        self.counts = counts
        self.time = time


def derive(session: str, generation: str, end: int, old: str, length: int = 36) -> str:
    """A name-based id: a UUID for length 36, else so many hexadecimal digits (at most 32)."""
    from _blake2 import blake2b  # only some routes need ids; the module costs 0.4 ms

    seed = "\0".join((session, generation, str(end), old)).encode("utf-8", "surrogatepass")
    digits: str = blake2b(seed, digest_size=16).hexdigest()
    if length != 36:
        return digits[:length]
    # Version 5 (name-based) and the usual variant: some clients look at both.
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def dump(value: object) -> bytes:
    """JSON as clients write it: compact, UTF-8. Lone surrogates, which UTF-8 cannot hold, stay escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def inner(text: str) -> bytes:
    """`text` as it stands inside the quotes of a JSON string; pieces may be joined."""
    return dump(text)[1:-1]


def mark(generation: str, digest: str) -> str:
    """The first line of a memory message; how many messages of the tail are covered is filled in at the swap."""
    return f"{_MARK}{generation} covered={'0' * _COVERED_DIGITS} digest={digest} -->"


def read_mark(text: str) -> tuple[str, int, str] | None:
    """(generation, covered messages, digest) if `text` begins with a mark. Whether it is genuine, the digest tells."""
    line = text.partition("\n")[0]
    if not (line.startswith(_MARK) and line.endswith(" -->")):
        return None
    words = line[len(_MARK) : -len(" -->")].split(" ")
    if len(words) != 3 or words[1][:8] != "covered=" or words[2][:7] != "digest=":
        return None
    covered = words[1][8:]
    if len(covered) != _COVERED_DIGITS or not (covered.isascii() and covered.isdecimal()):
        return None
    return words[0], int(covered), words[2][7:]


class Frame:
    """Builds the bytes around a text and remembers the places to fill."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.fills: list[Fill] = []

    def add(self, raw: bytes) -> None:
        """Bytes as they are."""
        self.data += raw

    def fields(self, values: Record) -> None:
        """The members of `values`, each followed by a comma."""
        for name, value in values.items():
            self.data += dump(name) + b":" + dump(value) + b","

    def fill(self, what: str, length: int = 36, default: str = "") -> None:
        """A place of `length` bytes, zeros or `default` until the swap."""
        self.fills.append((len(self.data), length, what))
        self.data += (default if len(default) == length else "0" * length).encode("ascii", "replace")

    def text(self, before: str, state: str, after: str, closing: bytes) -> Pieces:
        """The memory's text inside a JSON string, then `closing`."""
        if found := read_mark(before):
            for what, length in (("covered", _COVERED_DIGITS), ("digest", len(found[2]))):
                ahead = before[: before.index(f" {what}=") + len(what) + 2]
                self.fills.append((len(self.data) + len(inner(ahead)), length, what))
        return Pieces(bytes(self.data) + inner(before), inner(state), inner(after) + closing, tuple(self.fills))


def read(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[tuple[int, Record, bytes | None]]:
    """The records of `lines` that are not skipped: (offset, record, its line or None if that is not clean)."""
    skip = sorted(plan.skip, reverse=True)
    for offset, raw in lines:
        while skip and skip[-1][1] <= offset:
            skip.pop()
        if skip and skip[-1][0] <= offset:
            continue
        if (record := clean(raw)) is not None:
            yield offset, record, raw
            continue
        records, rest = parse(raw)
        if rest and offset >= plan.known:
            raise Doubt("a line that cannot be read")
        for _ in range(rest):
            plan.count("unreadable line")
        for record in records:
            yield offset, record, None


def clean(raw: bytes) -> Record | None:
    """The JSON object that the line is, None if anything is wrong with it: such a line is not copied."""
    try:
        value = _STRICT.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN is no JSON


def parse(raw: bytes) -> tuple[list[Record], int]:
    """The JSON objects on one line and how many pieces of it could not be read.

    One object is usual, none is on a blank line, several are where a writer forgot the newline between them. Reads the
    same as `formats.records.objects`: what a reader gives is emitted. Bytes that are no UTF-8 become U+FFFD.
    """
    text = raw.decode("utf-8", "replace")
    found: list[Record] = []
    place = rest = 0
    while (place := _blank_end(text, place)) < len(text):
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            value, place = None, len(text)
        if isinstance(value, dict):
            found.append(value)
        else:
            rest += 1
    return found, rest


def _blank_end(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n\0\ufeff":
        place += 1
    return place


_STRICT = json.JSONDecoder(parse_constant=_refuse)
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def blocks(content: Any) -> list[Record]:
    """Content of a message as blocks, whatever way it was written; what is no block is left out."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def ids(found: Iterable[Record], kind: str, name: str) -> list[str]:
    """The ids that blocks of one kind carry."""
    return [block[name] for block in found if block.get("type") == kind and isinstance(block.get(name), str)]


def is_empty(block: Record, kinds: tuple[str, ...] = ("text",)) -> bool:
    """True for a text block without a word: the API refuses it."""
    return block.get("type") in kinds and not str(block.get("text") or "").strip()


def without_results(found: list[Record], indexes: set[int]) -> list[Record]:
    """The blocks without those results (counted among the results with an id) that `indexes` names."""
    kept, place = [], -1
    for block in found:
        is_result = block.get("type") == "tool_result" and isinstance(block.get("tool_use_id"), str)
        place += is_result
        if not (is_result and place in indexes):
            kept.append(block)
    return kept
