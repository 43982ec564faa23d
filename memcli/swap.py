"""Instant compaction: the ready memory message, then the tail of the transcript.

    copy      head says that the tail may be copied as it is: the kernel copies it; only `os` and `sys` are loaded
    prepared  a watcher has rewritten the tail already (`memcli.program`), and nothing was appended since
    rewrite   the format's encoder writes the tail: adds `json`
    slow      everything else: the command line's program makes a fresh head, then calls `prepare` like the others

All routes give the same bytes for the same head and the same end. Whatever is not proved makes the route slower, never
the answer wrong: a damaged head, a transcript with another fingerprint, an edit of the memory that is no small one
(`memcli.edited`), unseen lines with anything in them that the copy, or the encoder, cannot judge alone.

No `__future__` here for the same reason as in `head`.
"""

import os

from memcli import copying
from memcli import head as heads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.transcript.encode.common import Out, Plan

_BLOCK = 1 << 20
_BYTES_A_TOKEN = 4  # of lines nobody metered yet
_COPIED = ("anthropic", "openai")  # formats whose tail may stay as it is
_FAR_BEHIND = 20_000  # tokens after the memory from which on it is worth a word


class Report:
    """What a swap did: messages and tokens (estimates) before and after, messages kept from the transcript, tokens
    that the memory does not cover yet, the route, and how often something was dropped or unreadable, by name."""

    __slots__ = ("behind", "kept", "messages", "messages_after", "problems", "route", "tokens", "tokens_after")

    def __init__(self, route: str, messages: int, tokens: int, kept: int, tokens_after: int) -> None:
        self.route = route
        self.messages = messages
        self.tokens = tokens
        self.kept = kept
        self.messages_after = kept + 1
        self.tokens_after = tokens_after
        self.behind = 0
        self.problems: dict[str, int] = {}

    def line(self, age: float, seconds: float, how: str = "was ready") -> str:
        """The sentence for stderr. `age` of the memory and the time taken are in seconds."""
        saved = round(100 * (1 - self.tokens_after / self.tokens)) if self.tokens else 0
        far = f", ~{self.behind:,} tokens not covered (memcli update)" if self.behind > _FAR_BEHIND else ""
        dropped = "".join(f", {count} {problem}" for problem, count in sorted(self.problems.items()))
        return (
            f"memcli: {self.messages:,} -> {self.messages_after:,} messages, ~{self.tokens:,} -> "
            f"~{self.tokens_after:,} tokens ({-saved:+d} %), {self.kept:,} kept, memory {lasted(age)} old, "
            f"{how} in {seconds * 1000:.0f} ms{far}{dropped}\n"
        )


class Cut:
    """Where the tail begins: offset, tokens and conversation messages from there to the covered offset (-1 if the
    head does not say how many)."""

    __slots__ = ("messages", "offset", "tokens")

    def __init__(self, offset: int, tokens: int = 0, messages: int = 0) -> None:
        self.offset = offset
        self.tokens = tokens
        self.messages = messages


class Ready:
    """A swap of which nothing is written yet: the bytes to write, then `begin`..`end` of the transcript to copy."""

    __slots__ = ("begin", "closing", "data", "end", "report")

    def __init__(self, data: bytes, report: Report, begin: int = 0, end: int = 0, closing: bytes = b"") -> None:
        self.data = data
        self.report = report
        self.begin = begin
        self.end = end
        self.closing = closing

    def write(self, source: int, out: int) -> None:
        """Writes to the file descriptor `out`. Raises OSError."""
        copying.write(out, self.data)
        copying.copy(source, self.begin, self.end, out)
        copying.write(out, self.closing)

    def lines(self, source: int) -> list[bytes]:
        """The same line by line, for whoever goes on with them. Raises OSError."""
        data = self.data + _read(source, self.begin, self.end - self.begin) + self.closing
        return [line + b"\n" for line in data.split(b"\n")[:-1]]


class Encoded:
    """What the encoder made of a tail: the transcript's bytes, the lines of output, what fills the places of the
    memory message, and the ids that were made for it."""

    __slots__ = ("data", "ids", "outs", "report", "values")

    def __init__(self, data: bytes, outs: "list[Out]", values: list[str], ids: set[str], report: Report) -> None:
        self.data = data
        self.outs = outs
        self.values = values
        self.ids = ids
        self.report = report


def committed(sidecar: str, directory: str, source: int) -> heads.Head:
    """What is committed in `sidecar` for the open transcript in `directory`, as of the last append that was seen, with
    what the user wrote into the memory. Raises OSError, ValueError: nothing, or not of this transcript; or another
    memory was committed meanwhile, and what stands there cannot be told from an edit."""
    content = _content(f"{sidecar}/head")
    head = heads.parse(content)
    for standing in (_seen(f"{sidecar}/now", head), head):
        if standing and is_same(standing, source):
            memory = _edit(head, f"{directory}/{head.memory_name}", f"{sidecar}/memory.next")
            if memory is None:
                return standing
            if _content(f"{sidecar}/head") != content:
                raise ValueError("committed anew meanwhile")
            from memcli.edited import with_edit

            return with_edit(standing, memory)
    raise ValueError("another transcript")


def _seen(path: str, head: heads.Head) -> heads.Head | None:
    """The head as of now, if `now` belongs to it and knows more."""
    try:
        now = heads.parse_now(_content(path), head)
    except (OSError, ValueError):
        return None
    return now if now.end >= head.end else None


def is_same(head: heads.Head, source: int) -> bool:
    """True if the transcript is the one the head was made from, grown or not."""
    if os.fstat(source).st_size < head.end:
        return False
    first, covered, end = (_read(source, begin, stop - begin) for begin, stop in heads.spans(head.covered, head.end))
    return heads.fingerprint((first, covered, end)) == head.fingerprint


def _edit(head: heads.Head, path: str, coming: str) -> bytes | None:
    """What the user made of the memory file; None if it is as it was written. Raises FileNotFoundError.

    A first memory may still be `coming` to its name, and be there the moment after.
    """
    for name in (path, coming, path):
        try:
            stat = os.stat(name)
        except FileNotFoundError:
            continue
        if (stat.st_size, stat.st_mtime_ns) == (head.memory_size, head.memory_mtime):
            return None
        if name == path:
            memory = _content(path)
            return None if heads.number(memory) in (head.memory_number, head.memory_previous) else memory
    raise FileNotFoundError("the memory is gone")


def _content(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return _read(file, 0, os.fstat(file).st_size)
    finally:
        os.close(file)


def prepare(head: heads.Head, source: int, end: int, keep: tuple[str, int] | None = None, sidecar: str = "") -> Ready:
    """The compacted transcript, by the fastest route that is proved right.

    The tail goes from the cut that `keep` asks for (("turns", n) or ("tokens", n); None is the head's own) to `end`,
    which is the end of a line (see `whole_end`). In `sidecar`, if one is named, a prepared tail may lie: here, and
    nowhere else, it is decided whether it holds.
    Raises ValueError (the encoders' Doubt is one) where lines after `head.end` ask for the slow route.
    """
    cut = place(head, keep)
    if end > head.end > 0 and os.pread(source, 1, head.end) != b"\n" != os.pread(source, 1, head.end - 1):
        raise ValueError("the last line that was seen has grown")
    new = _copied(head, cut, source, end)
    if new < 0:
        if sidecar and keep is None and (ready := _prepared(head, source, end, f"{sidecar}/tail")):
            return ready
        pieces, report = rewritten(head, source, end, keep)
        return Ready(b"".join(pieces), report)
    data = _message(head, [str(cut.messages).zfill(n) if what == "covered" else "" for _, n, what in head.fills])
    report = _report(head, "copy", cut, max(0, end - head.end), new, cut.messages + head.tail_messages + new)
    closing = b"" if end == cut.offset or os.pread(source, 1, end - 1) == b"\n" else b"\n"
    return Ready(data, report, cut.offset, end, closing)


def _copied(head: heads.Head, cut: Cut, source: int, end: int) -> int:
    """How many messages that nobody saw yet the tail holds; -1 if it may not be copied."""
    if head.route != "copy" or head.format not in _COPIED or cut.offset < head.tail or cut.messages < 0:
        return -1
    if end <= head.end:
        return 0
    if head.open_calls:  # one may be abandoned by the next prompt; only the encoder knows how to say so
        return -1
    from memcli import unseen

    return unseen.messages(source, head.end, end, head.format)


def rewritten(
    head: heads.Head, source: int, end: int, keep: tuple[str, int] | None = None
) -> tuple[list[bytes], Report]:
    """The lines that `prepare` would write, by way of the encoder: the ready message first, then one piece a line.

    Raises ValueError like `encoded`.
    """
    found = encoded(head, source, end, keep)
    return [_message(head, found.values), *(line.data for line in found.outs)], found.report


def _prepared(head: heads.Head, source: int, end: int, path: str) -> Ready | None:
    """By the tail that was rewritten beforehand; None unless it is of this head and of these bytes."""
    if head.route != "rewrite" or end != head.end:
        return None
    from memcli import program

    try:
        found = program.parse(_content(path))
    except (OSError, ValueError):
        return None
    cut = place(head, None)
    data = _read(source, cut.offset, end - cut.offset)
    if found.key != program.key(head) or found.source != program.digest(data):
        return None
    report = _report(head, "prepared", cut, 0, 0, found.kept)
    report.problems = found.problems
    return Ready(_message(head, found.values) + found.run(data), report)


def encoded(head: heads.Head, source: int, end: int, keep: tuple[str, int] | None = None) -> Encoded:
    """The tail by way of the encoder.

    Raises ValueError like `prepare`, and where another transcript stands there by now.
    """
    from json import loads

    from memcli.transcript.encode import module
    from memcli.transcript.encode.common import Plan

    cut = place(head, keep)
    plan = Plan(
        session=head.session,
        generation=head.generation,
        end=end,
        known=head.end,
        skip=head.skip,
        words=head.words,
        envelope=loads(head.envelope),
    )
    tail = _read(source, cut.offset, end - cut.offset)
    if len(tail) < end - cut.offset or not is_same(head, source):
        raise ValueError("the transcript was cut, or replaced, since its head was read")
    outs = list(module(head.format).tail(_lines(tail, cut.offset), plan))
    kept = sum(line.counts for line in outs)
    unseen = sum(line.counts for line in outs if line.offset >= head.end)
    report = _report(head, "rewrite", cut, max(0, end - head.end), unseen, kept)
    report.problems = plan.problems
    covered = cut.messages if cut.messages >= 0 else _covered(outs, head.covered)
    values = [_value(what, length, covered, outs, plan) for _, length, what in head.fills]
    return Encoded(tail, outs, values, plan.given, report)


def _value(what: str, length: int, covered: int, outs: "list[Out]", plan: "Plan") -> str:
    """What fills a place of the memory message."""
    if what == "covered":
        return str(covered).zfill(length)
    if what == "time":
        return outs[0].time if outs else ""
    return "" if what == "digest" else plan.id(what, length)


def _covered(outs: "list[Out]", offset: int) -> int:
    """How many messages the output begins with that come from before `offset`."""
    counted = 0
    for line in outs:
        if line.offset >= offset:
            break
        counted += line.counts
    return counted


def place(head: heads.Head, keep: tuple[str, int] | None) -> Cut:
    """The cut that the user asks for, or the nearest that the head knows of (see `knows`)."""
    wanted = head.tail if keep is None else head.covered
    if keep and keep[1]:
        wanted = min((cut[0] for cut in _asked(head, *keep)), default=head.covered)
    for offset, _, tokens, messages in head.cuts:
        if offset == wanted:
            return Cut(offset, tokens, messages)
    return Cut(wanted, 0, 0 if wanted == head.covered else -1)


def knows(head: heads.Head, keep: tuple[str, int] | None) -> bool:
    """False if there may be earlier cuts than those of the head that `keep` asks for."""
    if keep is None or not keep[1]:
        return True
    asked, cuts = _asked(head, *keep), _cuts(head, keep[0])
    enough = len(asked) == keep[1] if keep[0] == "turns" else len(asked) < len(cuts)
    return enough or place(head, keep).offset == head.first


def _asked(head: heads.Head, unit: str, number: int) -> tuple[heads.Cut, ...]:
    """Cuts from which on there are at most so many turns, or tokens."""
    cuts = _cuts(head, unit)
    return cuts[-number:] if unit == "turns" else tuple(cut for cut in cuts if cut[2] <= number)


def _cuts(head: heads.Head, unit: str) -> tuple[heads.Cut, ...]:
    return tuple(cut for cut in head.cuts if cut[0] < head.covered and (unit == "tokens" or cut[1] == "t"))


def whole_end(source: int, start: int, size: int) -> int:
    """The end of the last whole line before `size`, at least `start` (which is the end of a line).

    A last line without newline counts if it is a whole JSON object.
    """
    begin, rest = size, b""
    while begin > start and b"\n" not in rest:
        step = min(begin - start, 1 << 16 if begin == size else _BLOCK)
        begin -= step
        rest = _read(source, begin, step) + rest
    last = rest[rest.rfind(b"\n") + 1 :]
    if not last:
        return size
    from memcli.unseen import is_object

    return size if is_object(last) else size - len(last)


def _message(head: heads.Head, values: list[str]) -> bytes:
    """The ready message with its places filled. A value of another length leaves what stands there."""
    before = bytearray(head.before)
    for (position, length, _), value in zip(head.fills, values, strict=True):
        text = value.encode("ascii", "replace")
        if len(text) == length:
            before[position : position + length] = text
    return bytes(before) + head.state + head.after


def _report(head: heads.Head, route: str, cut: Cut, unseen: int, new: int, kept: int) -> Report:
    grown = unseen // _BYTES_A_TOKEN
    tokens_after = head.memory_tokens + cut.tokens + head.tail_tokens + grown
    report = Report(route, head.messages + new, head.tokens + grown, kept, tokens_after)
    report.behind = head.tail_tokens + grown
    return report


def _lines(data: bytes, offset: int) -> "Iterator[tuple[int, bytes]]":
    """(offset, line with its newline) of each line of `data`, which stands at `offset` of the transcript."""
    begin = 0
    while begin < len(data):
        stop = data.find(b"\n", begin) + 1 or len(data)
        yield offset + begin, data[begin:stop]
        begin = stop


def _read(source: int, offset: int, length: int) -> bytes:
    """Exactly `length` bytes; fewer only where the file ends."""
    pieces = []
    while length > 0:
        piece = os.pread(source, min(length, 1 << 30), offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)


def lasted(seconds: float) -> str:
    """A time for people: `40 s`, `13 min`, `2 d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
