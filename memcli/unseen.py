"""Lines of a transcript that no watcher has seen: may they be copied as they are?

Only if each is a message with words alone, which no encoder would touch: no thinking, no call or result whose partner
could be missing, no text that might be empty, no second object on the line, nothing that is no JSON.

The usual line, `{"role":...,"content":"..."}` and nothing else, is told by its first bytes and its count of quotes, a
megabyte in about two milliseconds. Any other line is looked through for the marks of what is dangerous in its format.
Nothing is decoded, and no more than a block is held.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 17  # stays in the processor's cache: a third faster than a megabyte
_LONGEST = 1 << 26  # a longer line is for the encoder

_ROLES = (b"user", b"assistant")
_USUAL = (
    *(b'{"role":"%s","content":"' % role for role in _ROLES),
    *(b'{"role": "%s", "content": "' % role for role in _ROLES),
)
_QUOTES = b'"' * 8  # of such a line
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
        lines = block.removesuffix(b"\n").split(b"\n")
        if not (_is_text(block) and _are_messages(lines, _skeletons(block), _MARKS[format])):
            return -1
        count += len(lines)
    return count


def _blocks(source: int, begin: int, end: int) -> "Iterator[bytes]":
    """The bytes in blocks of whole lines. A block that cannot be read, or is too long, is one that is no text."""
    rest = b""
    while begin < end:
        piece = os.pread(source, min(_BLOCK, end - begin), begin)
        begin += len(piece)
        block = rest + piece
        stop = block.rfind(b"\n") + 1 if begin < end else len(block)
        rest = block[stop:]
        if not piece or len(rest) > _LONGEST:
            yield b"\0"
            return
        if stop:
            yield block[:stop]


def _is_text(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _skeletons(block: bytes) -> list[bytes]:
    """What stands in each line but for ordinary characters and quotes inside of strings."""
    if b"\\" in block:
        block = block.replace(b"\\\\", b"").replace(b'\\"', b"")
    return block.translate(None, _ORDINARY).removesuffix(b"\n").split(b"\n")


def _are_messages(lines: list[bytes], skeletons: list[bytes], marks: tuple[bytes, ...]) -> bool:
    for line, skeleton in zip(lines, skeletons, strict=True):
        if skeleton == _QUOTES and _is_usual(line):
            continue
        if skeleton.strip(b'"') or any(mark in line for mark in marks) or not _is_message(line):
            return False
    return True


def _is_usual(line: bytes) -> bool:
    """True for role and content alone, if the content begins with no blank. The quotes are counted already."""
    for usual in _USUAL:
        if line.startswith(usual):
            return line[len(usual)] not in _BLANK and line.endswith(b'"}')
    return False


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
