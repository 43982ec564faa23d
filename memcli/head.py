"""The commit point: what `memcli compact` must know to answer at once, as one file that is replaced atomically.

Layout (version 2): a first line with magic, version, length and checksum of all that follows; one `name value` line
a field; an empty line; then the bytes of the ready message in three pieces.

    memcli-head 2 5311 170141183460469231731687303715884105727
    format claude-code
    covered 41822
    ...

    {"type":"user",...  (before)  ...  (state: Current State)  ...  (after) ...}

Promises: `parse(build(head)) == head`; every damaged, missing or added byte makes `parse` raise ValueError, and then
the caller takes the slow route. Header values are text that a person can read.

Nothing is imported here, `__future__` included: this file is on the road that must cost no more than Python itself.
"""

VERSION = 2

# The greatest prime below 2**128. A Mersenne prime would be as fast, but 256**n returns to 1 after few bytes there, so
# that two bytes which change places would not be seen. One changed byte always changes the remainder.
_PRIME = 2**128 - 159

FIRST_SPAN = 1024
COVERED_SPAN = 4096
END_SPAN = 1024

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Range = tuple[int, int]
Cut = tuple[int, str, int, int]
Fill = tuple[int, int, str]
Words = tuple[int, str]

# How each header field is written. Lists are separated by spaces, the members of one item by commas.
_FIELDS = {
    "format": "text",
    "session": "text",
    "generation": "text",
    "made": "float",
    "route": "text",
    "first": "int",
    "covered": "int",
    "tail": "int",
    "end": "int",
    "fingerprint": "int",
    "memory_name": "text",
    "memory_size": "int",
    "memory_mtime": "int",
    "memory_number": "int",
    "memory_previous": "int",
    "messages": "int",
    "tokens": "int",
    "tail_messages": "int",
    "tail_tokens": "int",
    "memory_tokens": "int",
    "envelope": "text",
    "open_calls": "int",
    "skip": "ranges",
    "words": "words",
    "cuts": "cuts",
    "fills": "fills",
    "opening": "int",
    "closing": "int",
    "room": "int",
    "edit_key": "text",
}

# What changes while the transcript grows and the memory stays: the fields of `now`.
_SEEN = (
    "generation",
    "route",
    "end",
    "fingerprint",
    "messages",
    "tokens",
    "tail_messages",
    "tail_tokens",
    "envelope",
    "open_calls",
    "skip",
    "words",
    "cuts",
)


class Head:
    """One published memory and the place in the transcript from which the messages go on.

    All offsets are bytes of the transcript. Numbers called tokens are estimates.

    format, session: name of the format; the session id the transcript gives itself ("" if it has none)
    generation: id of the published memory; made: when, in seconds since 1970
    route: "copy" if the tail may be copied as it is, "rewrite" if the format's encoder must write it
    first: where the first message of the conversation stands; -1 if unknown
    covered: everything before is in the memory; tail: first byte of the default tail (tail <= covered)
    end: up to here the transcript was read and `skip` and `words` are known; open_calls: calls unanswered there
    skip: half-open ranges in the tail that are not emitted (copies of covered records, dead branches, sidechains)
    words: (offset, text) of lines in the tail that hide words of the user: queue lines, attachments, rejections
    cuts: other places where a tail may begin, ascending: (offset, "t" turn or "r" round, tokens from there to
        `covered`, conversation messages from there to `covered`)
    fingerprint: `fingerprint()` of the spans that `spans(covered, end)` names
    memory_name: the file beside the transcript that holds the memory; memory_size, memory_mtime: its stat (bytes,
        nanoseconds); memory_number, memory_previous: `number()` of its content and of the content before; -1 for none
    messages, tokens: the whole live conversation up to `end`; tail_messages, tail_tokens: from `covered` to `end`;
        memory_tokens: the memory message
    envelope: what the encoder must know of earlier records, as JSON
    before, state, after: the ready message, the prologue of the format included; fills: places in `before` that are
        known only at the swap: (position, length, what), see `memcli.transcript.encode.common`
    opening, closing: how many bytes of `before` stand ahead of the memory's own text, and of `after` behind it;
        room: how many characters that text may have; edit_key: 64 hexadecimal digits that sign it when the user has
        edited it (`memcli.edited`). For a head with room 0 an edit takes the slow route.
    """

    __slots__ = (*_FIELDS, "after", "before", "state")

    # One parameter a field: the signature is the documentation of the layout.
    def __init__(
        self,
        *,
        format: str,
        session: str,
        generation: str,
        made: float,
        covered: int,
        tail: int,
        end: int,
        fingerprint: int,
        before: bytes,
        state: bytes,
        after: bytes,
        route: str = "rewrite",
        first: int = -1,
        memory_name: str = "session-memory.md",
        memory_size: int = -1,
        memory_mtime: int = -1,
        memory_number: int = -1,
        memory_previous: int = -1,
        messages: int = 0,
        tokens: int = 0,
        tail_messages: int = 0,
        tail_tokens: int = 0,
        memory_tokens: int = 0,
        open_calls: int = 0,
        envelope: str = "{}",
        skip: tuple[Range, ...] = (),
        words: tuple[Words, ...] = (),
        cuts: tuple[Cut, ...] = (),
        fills: tuple[Fill, ...] = (),
        opening: int = 0,
        closing: int = 0,
        room: int = 0,
        edit_key: str = "",
    ) -> None:
        self.format = format
        self.session = session
        self.generation = generation
        self.made = made
        self.route = route
        self.first = first
        self.covered = covered
        self.tail = tail
        self.end = end
        self.fingerprint = fingerprint
        self.memory_name = memory_name
        self.memory_size = memory_size
        self.memory_mtime = memory_mtime
        self.memory_number = memory_number
        self.memory_previous = memory_previous
        self.messages = messages
        self.tokens = tokens
        self.tail_messages = tail_messages
        self.tail_tokens = tail_tokens
        self.memory_tokens = memory_tokens
        self.open_calls = open_calls
        self.envelope = envelope
        self.skip = skip
        self.words = words
        self.cuts = cuts
        self.fills = fills
        self.opening = opening
        self.closing = closing
        self.room = room
        self.edit_key = edit_key
        self.before = before
        self.state = state
        self.after = after

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Head):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Head.__slots__)

    __hash__ = None  # type: ignore[assignment]  # equal by content and open to change: no key of a dictionary

    def __repr__(self) -> str:
        return "Head(" + ", ".join(f"{name}={getattr(self, name)!r}" for name in Head.__slots__) + ")"


def renewed(head: Head, **changes: object) -> Head:
    """A head like `head` but for these fields."""
    fields = {name: getattr(head, name) for name in Head.__slots__}
    return Head(**(fields | changes))


def number(data: bytes) -> int:
    """A checksum of `data` as one number; a single changed byte always changes it. Not made against forgers."""
    # The leading 1 keeps zero bytes at the start from being lost.
    return int.from_bytes(b"\x01" + data, "big") % _PRIME


def spans(covered: int, end: int) -> tuple[Range, Range, Range]:
    """The three half-open byte ranges of a transcript that tell it from another: its start, the bytes that stand
    right before `covered`, and right before `end`."""
    return (
        (0, min(FIRST_SPAN, end)),
        (max(0, covered - COVERED_SPAN), covered),
        (max(covered, end - END_SPAN), end),
    )


def fingerprint(pieces: tuple[bytes, bytes, bytes]) -> int:
    """The number of the bytes that stand in the ranges of `spans`."""
    return number(b"%d %d %d\n" % (len(pieces[0]), len(pieces[1]), len(pieces[2])) + b"".join(pieces))


def build(head: Head) -> bytes:
    """The content of the file `head`."""
    pieces = b"pieces %d %d %d\n\n" % (len(head.before), len(head.state), len(head.after))
    return _sealed(b"memcli-head", told(head, _FIELDS) + b"\n" + pieces + head.before + head.state + head.after)


def parse(data: bytes) -> Head:
    """The head that `build` wrote. Raises ValueError if the bytes are anything else."""
    header, _, rest = _unsealed(b"memcli-head", data).partition(b"\n\n")
    header, _, pieces = header.rpartition(b"\npieces ")
    fields = _fields(header, _FIELDS)
    before, state, after = map(int, pieces.split(b" "))
    if before + state + after != len(rest):
        raise ValueError("head with pieces of another length")
    fields["before"] = rest[:before]
    fields["state"] = rest[before : before + state]
    fields["after"] = rest[before + state :]
    return Head(**fields)  # type: ignore[arg-type]  # _FIELDS pairs every name with its type


def build_now(head: Head) -> bytes:
    """The content of the file `now`: what of `head` changes while the transcript grows, Current State included."""
    return _sealed(b"memcli-now", told(head, _SEEN) + b"\n\n" + head.state)


def parse_now(data: bytes, head: Head) -> Head:
    """`head` as of `now`, which `build_now` made of a later one of the same generation. Raises ValueError for anything
    else."""
    header, _, state = _unsealed(b"memcli-now", data).partition(b"\n\n")
    fields = _fields(header, _SEEN)
    if fields["generation"] != head.generation:
        raise ValueError("of another memory")
    return renewed(head, **fields, state=state)


def _sealed(magic: bytes, body: bytes) -> bytes:
    return b"%s %d %d %d\n" % (magic, VERSION, len(body), number(body)) + body


def _unsealed(magic: bytes, data: bytes) -> bytes:
    # The whole first line is compared, not its numbers: "+1" or "01" would be read as 1 too.
    body = data[data.find(b"\n") + 1 :]
    if data != _sealed(magic, body):
        raise ValueError("damaged or of another version")
    return body


def told(head: Head, names: "Iterable[str]") -> bytes:
    """These fields as they stand in the files: equal heads give equal bytes, wherever they come from."""
    return "\n".join(f"{name} {_write(getattr(head, name))}" for name in names).encode("utf-8", "surrogatepass")


def _fields(header: bytes, names: "Iterable[str]") -> dict[str, object]:
    lines = dict(line.split(" ", 1) for line in header.decode("utf-8", "surrogatepass").split("\n"))
    try:
        return {name: _read(_FIELDS[name], lines[name]) for name in names}
    except KeyError as missing:
        raise ValueError(f"nothing is said of {missing}") from missing


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\n", "%0A").replace(" ", "%20").replace(",", "%2C")


def _unescape(text: str) -> str:
    return text.replace("%2C", ",").replace("%20", " ").replace("%0A", "\n").replace("%25", "%")


def _write(value: object) -> str:
    if isinstance(value, str):
        return value.replace("%", "%25").replace("\n", "%0A")
    if isinstance(value, tuple):
        return " ".join(",".join(_write_member(member) for member in item) for item in value)
    return repr(value)


def _write_member(member: object) -> str:
    return _escape(member) if isinstance(member, str) else repr(member)


def _read(kind: str, value: str) -> object:
    if kind == "text":
        return value.replace("%0A", "\n").replace("%25", "%")
    if kind == "int":
        return int(value)
    if kind == "float":
        return float(value)
    return tuple(_read_item(kind, item.split(",")) for item in value.split(" ") if item)


def _read_item(kind: str, members: list[str]) -> object:
    if kind == "cuts":
        offset, what, tokens, messages = members
        return int(offset), _unescape(what), int(tokens), int(messages)
    if kind == "fills":
        position, length, what = members
        return int(position), int(length), _unescape(what)
    first, second = members
    return int(first), _unescape(second) if kind == "words" else int(second)
