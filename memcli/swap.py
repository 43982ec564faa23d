"""Instant compaction: the ready memory message, then the tail of the transcript.

    copy      head says that the tail may be copied as it is: the kernel copies it; only `os` and `sys` are loaded
    rewrite   the format's encoder writes the tail: adds `json`
    slow      everything else: `lean` returns None and the command line's program makes a fresh head, then calls
              `swap` like the other routes

All routes give the same bytes for the same head and the same end. Whatever is not proved makes the route slower, never
the answer wrong: a damaged head, a transcript with another fingerprint, an edited memory, unseen lines with anything
in them that the copy, or the encoder, cannot judge alone.

`time` is not counted: the interpreter itself loads it. No `__future__` here for the same reason as in `head`.
"""

import os
import sys
import time

from memcli import head as heads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memcli.transcript.encode.common import Out

_BLOCK = 1 << 20
_BYTES_A_TOKEN = 4  # of lines nobody metered yet
_FAR_BEHIND = 20_000  # tokens after the memory from which on it is worth a word

# An unseen line with none of these is a message with words only, which the encoder would not touch: no thinking, no
# call or result whose partner could be missing, no text that might be empty (nothing, or white space, comes first), no
# second object, no blank line, nothing that is no JSON. Formats that are not named are always rewritten.
_WORDS_ONLY = (
    b"thinking",
    b"tool",
    b"system",
    b'"messages"',
    b'""',
    b"[]",
    b"null",
    b'" ',
    b'"\\',
    b'"\xc2',
    b'"\xe1',
    b'"\xe2',
    b'"\xe3',
    b"}{",
    b"} {",
    b"\n\n",
    b"\n ",
    b"NaN",
    b"Infinity",
    b"\xef\xbb\xbf",
)
_CONTROLS = bytes({*range(32)} - {10})  # stand in no clean line
_MARKS = {"anthropic": _WORDS_ONLY, "openai": (*_WORDS_ONLY, b"developer", b"function", b"reasoning")}


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
            f"~{self.tokens_after:,} tokens ({-saved:+d} %), {self.kept:,} kept, memory {_ago(age)} old, "
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
        _write(out, self.data)
        _copy(source, self.begin, self.end, out)
        _write(out, self.closing)


def swap(
    head: heads.Head,
    source: int,
    end: int,
    out: int,
    keep: tuple[str, int] | None = None,
    state: bytes | None = None,
) -> Report:
    """Writes the compacted transcript to the file descriptor `out`; see `prepare`. Raises OSError from writing too."""
    ready = prepare(head, source, end, keep, state)
    ready.write(source, out)
    return ready.report


def prepare(
    head: heads.Head, source: int, end: int, keep: tuple[str, int] | None = None, state: bytes | None = None
) -> Ready:
    """The compacted transcript, by the fastest route that is proved right.

    The tail goes from the cut that `keep` asks for (("turns", n) or ("tokens", n); None is the head's own) to `end`,
    which is the end of a line (see `whole_end`). `state` replaces the Current State of the head.
    Raises ValueError (the encoders' Doubt is one) where lines after `head.end` ask for the slow route.
    """
    cut = place(head, keep)
    unseen = _read(source, head.end, end - head.end) if end > head.end else b""
    if unseen[:1] not in (b"", b"\n") and head.end and os.pread(source, 1, head.end - 1) != b"\n":
        raise ValueError("the last line that was seen has grown")
    if not _may_copy(head, cut, unseen):
        pieces, report = rewritten(head, source, end, keep, state)
        return Ready(b"".join(pieces), report)
    data = _message(head, state, lambda what, length: str(cut.messages).zfill(length) if what == "covered" else "")
    new = sum(1 for line in unseen.split(b"\n") if line)
    report = _report(head, "copy", cut, len(unseen), new, cut.messages + head.tail_messages + new)
    closing = b"" if end == cut.offset or os.pread(source, 1, end - 1) == b"\n" else b"\n"
    return Ready(data, report, cut.offset, end, closing)


def rewritten(
    head: heads.Head, source: int, end: int, keep: tuple[str, int] | None = None, state: bytes | None = None
) -> tuple[list[bytes], Report]:
    """The lines that `swap` would write, by way of the encoder: the ready message first, then one piece a line."""
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
    outs = list(module(head.format).tail(_lines(_read(source, cut.offset, end - cut.offset), cut.offset), plan))
    covered = cut.messages if cut.messages >= 0 else _covered(outs, head.covered)

    def value(what: str, length: int) -> str:
        if what == "covered":
            return str(covered).zfill(length)
        if what == "time":
            return outs[0].time if outs else ""
        return plan.id(what, length)

    kept = sum(line.counts for line in outs)
    unseen = sum(line.counts for line in outs if line.offset >= head.end)
    report = _report(head, "rewrite", cut, max(0, end - head.end), unseen, kept)
    report.problems = plan.problems
    return [_message(head, state, value), *(line.data for line in outs)], report


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

    A last line without newline counts if it is a whole JSON object. A part of an object never closes its first brace,
    so it is enough to count the braces outside of strings.
    """
    begin, rest = size, b""
    while begin > start and b"\n" not in rest:
        step = min(begin - start, 1 << 16 if begin == size else _BLOCK)
        begin -= step
        rest = _read(source, begin, step) + rest
    last = rest[rest.rfind(b"\n") + 1 :]
    return size if _is_object(last) else size - len(last)


def _is_object(line: bytes) -> bool:
    outside = _outside(line)
    return outside.count(b"{") == outside.count(b"}") and outside.startswith(b"{") and outside.endswith(b"}")


def _outside(line: bytes) -> bytes:
    """What stands outside of strings; nothing if the last string is open."""
    parts = line.strip().replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b"".join(parts[::2]) if len(parts) % 2 else b""


def _may_copy(head: heads.Head, cut: Cut, unseen: bytes) -> bool:
    if head.route != "copy" or cut.offset < head.tail or cut.messages < 0 or head.format not in _MARKS:
        return False
    if not unseen:
        return True
    # A call that is open may be abandoned by the next prompt; only the encoder knows how to say so.
    if head.open_calls or any(mark in unseen for mark in _MARKS[head.format]):
        return False
    return _is_text(unseen) and all(map(_is_message, unseen.removesuffix(b"\n").split(b"\n")))


def _is_text(data: bytes) -> bool:
    """True for UTF-8 without bare control characters, which no JSON string may hold."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(data.translate(None, _CONTROLS)) == len(data)


def _is_message(line: bytes) -> bool:
    """True for one object and nothing else: a line that was left half-written may have another behind it."""
    if not (line[:2] == b'{"' and b'"role"' in line and b'"content"' in line and _is_object(line)):
        return False
    depth = 0
    *closed, _ = _outside(line).split(b"}")
    for piece in closed[:-1]:
        depth += piece.count(b"{") - 1
        if depth < 1:
            return False
    return True


def _message(head: heads.Head, state: bytes | None, value: "Callable[[str, int], str]") -> bytes:
    """The ready message with its places filled. A value of another length leaves what stands there."""
    before = bytearray(head.before)
    for position, length, what in head.fills:
        text = value(what, length).encode("ascii", "replace")
        if len(text) == length:
            before[position : position + length] = text
    return bytes(before) + (head.state if state is None else state) + head.after


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


def _write(out: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(out, view) :]
        except BlockingIOError:  # a caller made our stdout non-blocking
            os.set_blocking(out, True)


def _copy(source: int, offset: int, end: int, out: int) -> None:
    """Bytes `offset`..`end` of the transcript, by the kernel where it can: it cannot for a file opened to append,
    for a terminal, and on macOS for anything but a socket."""
    try:
        while offset < end:
            sent = os.sendfile(out, source, offset, min(end - offset, 1 << 30))
            if not sent:
                break
            offset += sent
    except BrokenPipeError:
        raise
    except (AttributeError, OSError):
        pass  # what was not sent is read and written
    while offset < end:
        piece = os.pread(source, min(_BLOCK, end - offset), offset)
        if not piece:
            raise OSError("the transcript was cut while it was copied")
        _write(out, piece)
        offset += len(piece)


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


# ---- the lean route: from arguments to output without the command line's program


class _Options:
    __slots__ = ("keep", "out", "path", "quiet")

    def __init__(self) -> None:
        self.path = ""
        self.out = ""
        self.quiet = False
        self.keep: tuple[str, int] | None = None


def lean(argv: list[str]) -> int | None:
    """Answers `compact PATH [-q] [-o FILE] [--keep-turns N] [--keep-tokens N]` and returns the exit code.

    None, with nothing written, for every other command line and wherever anything is in doubt.
    """
    started = time.perf_counter()
    options = _options(argv)
    if options is None:
        return None
    try:
        source = os.open(options.path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _answer(options, source, started)
    finally:
        os.close(source)


def _options(argv: list[str]) -> _Options | None:
    # The head's own tail follows the settings of who made it; these variables would override them.
    if not argv or argv[0] != "compact":
        return None
    found = _Options()
    words = iter(argv[1:])
    for word in words:
        if word == "-q":
            found.quiet = True
        elif word == "-o" and not found.out:
            found.out = next(words, "")
            if not found.out or found.out[0] == "-":
                return None
        elif word in ("--keep-turns", "--keep-tokens") and found.keep is None:
            number = next(words, "")
            if not (number.isascii() and number.isdecimal() and len(number) < 10):
                return None
            found.keep = (word[7:], int(number))
        elif word[:1] not in ("", "-") and not found.path:
            found.path = word
        else:
            return None
    return found if found.path else None


def _answer(options: _Options, source: int, started: float) -> int | None:
    directory, name = os.path.split(os.path.realpath(options.path))
    sidecar = f"{directory}/.memcli/{name}"
    try:
        head = heads.parse(_content(f"{sidecar}/head"))
        now = _now(f"{sidecar}/now", head)
        if not (knows(head, options.keep) and _is_same(head, source) and _is_published(head, directory, now)):
            return None
        end = whole_end(source, head.end, os.fstat(source).st_size)
        ready = prepare(head, source, end, options.keep, now[3] if now and now[1] <= end else None)
        out = _Target(options.out, source) if options.out else None
    except (OSError, ValueError):
        return None
    try:
        if out:
            out.fill(ready, source)
        else:
            ready.write(source, 1)
    except BrokenPipeError:
        os._exit(141)
    except OSError as error:
        sys.stderr.write(f"Error: the output could not be written: {error.strerror or error}\n")
        sys.stderr.write(f"Try: memcli compact {options.path} -o FILE, where there is room\n")
        return 1
    if not options.quiet:
        sys.stderr.write(ready.report.line(time.time() - head.made, time.perf_counter() - started))
    return 0


class _Target:
    """The file of `-o`: filled under another name and then renamed, so that it is whole or as it was.

    Raises ValueError for what must be looked at more closely: no plain file, or the transcript itself.
    """

    __slots__ = ("mode", "path", "spare")

    def __init__(self, path: str, source: int) -> None:
        self.path = os.path.realpath(path)
        self.spare = f"{self.path}.{os.getpid()}.tmp"
        self.mode = 0o600
        if not os.path.isdir(os.path.dirname(self.path)):
            raise ValueError("no such directory")
        if os.path.lexists(self.path):
            stat = os.stat(self.path)
            if not os.path.isfile(self.path) or os.path.samestat(stat, os.fstat(source)):
                raise ValueError("no plain file, or the transcript itself")
            self.mode = stat.st_mode & 0o777

    def fill(self, ready: Ready, source: int) -> None:
        """Dying before the rename leaves the old file and a spare one; after it, the new file."""
        file = os.open(self.spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        try:
            ready.write(source, file)
            os.replace(self.spare, self.path)
        except BaseException:
            os.unlink(self.spare)
            raise
        finally:
            os.close(file)


def _content(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return _read(file, 0, os.fstat(file).st_size)
    finally:
        os.close(file)


def _now(path: str, head: heads.Head) -> tuple[str, int, int, bytes] | None:
    """What `now` says, if it belongs to this head."""
    try:
        now = heads.parse_now(_content(path))
    except (OSError, ValueError):
        return None
    return now if now[0] == head.generation and now[1] >= head.covered else None


def _is_same(head: heads.Head, source: int) -> bool:
    """True if the transcript is the one the head was made from, grown or not."""
    if os.fstat(source).st_size < head.end:
        return False
    first, covered, end = (_read(source, begin, stop - begin) for begin, stop in heads.spans(head.covered, head.end))
    return heads.fingerprint((first, covered, end)) == head.fingerprint


def _is_published(head: heads.Head, directory: str, now: tuple[str, int, int, bytes] | None) -> bool:
    """True if nobody edited the memory file since it was written."""
    path = f"{directory}/{head.memory_name}"
    stat = os.stat(path)
    if (stat.st_size, stat.st_mtime_ns) == (head.memory_size, head.memory_mtime):
        return True
    ours = (head.memory_number, head.memory_previous, now[2] if now else -1)
    return heads.number(_content(path)) in ours
