"""Lines of a transcript that no watcher has seen: may they be copied as they are?

Only if each is a message with words alone, which no encoder would touch: no thinking, no call or result whose partner
could be missing, no text that might be empty, no second object on the line, nothing that is no JSON.

The usual line, `{"role":...,"content":"..."}` and nothing else, is told by its first bytes and its count of quotes, a
megabyte in about one millisecond. Any other line is looked through for the marks of what is dangerous in its format.
Nothing is decoded, and no more than a block is held.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 17  # stays in the processor's cache: a third faster than a megabyte
_LONGEST = 1 << 24  # a longer line is for the encoder

_ROLES = (b"user", b"assistant")
_USUAL = (
    *(b'{"role":"%s","content":"' % role for role in _ROLES),
    *(b'{"role": "%s", "content": "' % role for role in _ROLES),
)
_QUOTES = b'"' * 8 + b"\n"  # what is left of such a line
_BLANK = b' "\\\xc2\xe1\xe2\xe3'  # a text that begins so may hold white space only, or nothing

_MARKS_OF_ALL = (
    b"thinking",
    b"tool",
    b"system",
    b'"messages"',
    b'""',
    b"[]",
    b"null",
    *(b'"%c' % byte for byte in _BLANK if byte != 34),
    b"}{",
    b"} {",
    b"NaN",
    b"Infinity",
    b"\xef\xbb\xbf",
)
_MARKS = {"anthropic": _MARKS_OF_ALL, "openai": (*_MARKS_OF_ALL, b"developer", b"function", b"reasoning")}

# What is left without these is quotes, line ends and control characters, which no clean line holds.
_ORDINARY = bytes({*range(32, 256)} - {34})


def messages(source: int, begin: int, end: int, format: str) -> int:
    """How many messages stand in `begin`..`end`, whole lines of the open file; -1 if they may not be copied."""
    count = 0
    for block in _blocks(source, begin, end):
        skeleton = _skeleton(block)
        if not (_is_text(block) and (_are_usual(block, skeleton) or _are_messages(block, skeleton, _MARKS[format]))):
            return -1
        count += skeleton.count(b"\n")
    return count


def _blocks(source: int, begin: int, end: int) -> "Iterator[bytes]":
    """The bytes in blocks of whole lines. A block that cannot be read, or is too long, is one that is no text."""
    rest = b""
    while begin < end:
        piece = os.pread(source, min(_BLOCK, end - begin), begin)
        begin += len(piece)
        block = rest + piece
        if begin == end and not block.endswith(b"\n"):
            block += b"\n"
        stop = block.rfind(b"\n") + 1
        rest = block[stop:]
        if not piece or len(rest) > _LONGEST:
            yield b"\0\n"
            return
        if stop:
            yield block[:stop]


def _is_text(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _skeleton(block: bytes) -> bytes:
    """What stands in the lines but for ordinary characters and quotes inside of strings."""
    if b"\\" in block:
        block = block.replace(b"\\\\", b"").replace(b'\\"', b"")
    return block.translate(None, _ORDINARY)


def _are_usual(block: bytes, skeleton: bytes) -> bool:
    """True if each line is a role and a content alone, and no content begins with a blank."""
    if skeleton != _QUOTES * skeleton.count(b"\n"):
        return False
    begin = 0
    while begin < len(block):
        stop = block.find(b"\n", begin)
        if not _is_usual(block, begin, stop):
            return False
        begin = stop + 1
    return True


def _is_usual(block: bytes, begin: int, stop: int) -> bool:
    for usual in _USUAL:
        if block.startswith(usual, begin):
            return block[begin + len(usual)] not in _BLANK and block.endswith(b'"}', begin, stop)
    return False


def _are_messages(block: bytes, skeleton: bytes, marks: tuple[bytes, ...]) -> bool:
    for line, bare in zip(block.split(b"\n")[:-1], skeleton.split(b"\n")[:-1], strict=True):
        if bare + b"\n" == _QUOTES and _is_usual(line, 0, len(line)):
            continue
        if bare.strip(b'"') or any(mark in line for mark in marks) or not _is_message(line):
            return False
    return True


def _is_message(line: bytes) -> bool:
    """True for one object and nothing else: a line that was left half-written may have another behind it."""
    if not (line[:2] == b'{"' and b'"role"' in line and b'"content"' in line and is_object(line)):
        return False
    depth = 0
    *closed, _ = _outside(line).split(b"}")
    for piece in closed[:-1]:
        depth += piece.count(b"{") - 1
        if depth < 1:
            return False
    return True


def is_object(line: bytes) -> bool:
    """True if the line may be one whole JSON object: a part of one never closes its first brace, so it is enough to
    count the braces outside of strings."""
    outside = _outside(line)
    return outside.count(b"{") == outside.count(b"}") and outside.startswith(b"{") and outside.endswith(b"}")


def _outside(line: bytes) -> bytes:
    """What stands outside of strings; nothing if the last string is open."""
    parts = line.strip().replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    return b"".join(parts[::2]) if len(parts) % 2 else b""
