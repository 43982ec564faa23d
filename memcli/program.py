"""A tail that was rewritten before anybody asked: which bytes of the transcript it is made of, and what stands between.

Layout (version 1) of the file `tail`: a first line with magic, version and digest of all that follows; one
`name value` line a field; an empty line; then the literal bytes.

    memcli-tail 1 9014ebf0951522d9
    key e8ab2eb06099daa1
    ...
    steps 0 4021 96 4077 5120 36

    ,"uuid":"...

Promises: `parse(build(program)) == program`; every damaged, missing or added byte makes `parse` raise ValueError. It
holds for exactly the head whose `key` it carries and for exactly the bytes of the transcript that it was made from.
Literal bytes are ids, times, numbers and names of fields; whatever anybody said is copied when the swap happens.

Nothing is imported that the interpreter has not loaded itself: this is on the road of `memcli compact`. No `__future__`
for the same reason.
"""

from memcli import head as heads

VERSION = 1

_HASH_KEY = 1
_FIELDS = ("key", "source", "kept", "values", "problems", "steps")

# What of a head decides how its tail is written.
_DEPENDS = (
    "format",
    "session",
    "generation",
    "route",
    "covered",
    "tail",
    "end",
    "envelope",
    "skip",
    "words",
    "cuts",
    "fills",
)


class Program:
    """A prepared tail.

    key: `key()` of the head; source: `digest()` of the transcript from the head's tail to its end
    kept: conversation messages in the tail; values: what fills the places of the memory message, in their order;
    problems: what was dropped or could not be read, by name
    steps: triples, begin and end of bytes to copy (counted from the start of the tail), then how many literal bytes
        follow them; literal: these, one after another
    """

    __slots__ = ("kept", "key", "literal", "problems", "source", "steps", "values")

    def __init__(
        self,
        key: str,
        source: str,
        kept: int,
        values: list[str],
        problems: dict[str, int],
        steps: list[int],
        literal: bytes,
    ) -> None:
        self.key = key
        self.source = source
        self.kept = kept
        self.values = values
        self.problems = problems
        self.steps = steps
        self.literal = literal

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Program.__slots__)

    __hash__ = None  # type: ignore[assignment]  # equal by content and open to change: no key of a dictionary

    def run(self, data: bytes) -> bytes:
        """The rewritten tail, from the bytes of the transcript that `source` speaks of."""
        pieces, place, steps = [], 0, iter(self.steps)
        for begin, end, length in zip(steps, steps, steps, strict=True):
            pieces.append(data[begin:end])
            pieces.append(self.literal[place : place + length])
            place += length
        return b"".join(pieces)


def key(head: heads.Head) -> str:
    """A digest of all in a head that a rewritten tail depends on; the memory's text is not among it.

    Another version of memcli may write a tail in another way, so it has other keys.
    """
    from memcli import __version__

    return digest(__version__.encode("ascii") + b"\n" + heads.told(head, _DEPENDS))


def digest(data: bytes) -> str:
    """SipHash-1-3 as 16 hexadecimal digits. It tells other bytes from these; it is not made against forgers, who would
    have to be able to write here anyway."""
    from _imp import source_hash  # the interpreter's own hash, for compiled files: there is nothing to load

    return source_hash(_HASH_KEY, data).hex()


def build(program: Program) -> bytes:
    """The content of the file `tail`."""
    fields = (
        program.key,
        program.source,
        str(program.kept),
        "".join(f" {_escape(value)}" for value in program.values),
        " ".join(f"{_escape(name)},{count}" for name, count in program.problems.items()),
        " ".join(map(str, program.steps)),
    )
    lines = [f"{name} {value}\n" for name, value in zip(_FIELDS, fields, strict=True)]
    return _sealed("".join(lines).encode() + b"\n" + program.literal)


def parse(data: bytes) -> Program:
    """The program that `build` wrote. Raises ValueError if the bytes are anything else."""
    body = data[data.find(b"\n") + 1 :]
    if data != _sealed(body):
        raise ValueError("damaged or of another version")
    header, _, literal = body.partition(b"\n\n")
    fields = [line.partition(" ")[2] for line in header.decode().split("\n")]
    key, source, kept, values, problems, steps = fields
    counts = (item.rpartition(",") for item in problems.split(" ") if item)
    return Program(
        key,
        source,
        int(kept),
        [_unescape(value) for value in values.split(" ")[1:]],
        {_unescape(name): int(count) for name, _, count in counts},
        [int(number) for number in steps.split()],
        literal,
    )


def _sealed(body: bytes) -> bytes:
    return b"memcli-tail %d %s\n" % (VERSION, digest(body).encode("ascii")) + body


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace(" ", "%20").replace("\n", "%0A")


def _unescape(text: str) -> str:
    return text.replace("%0A", "\n").replace("%20", " ").replace("%25", "%")
