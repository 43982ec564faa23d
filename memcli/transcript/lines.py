"""Physical lines out of a growing stream of bytes.

A line ends at LF and nowhere else: CR, NUL, U+2028 and blanks are content, which the readers deal with. Offsets count
bytes from the start of the file, so a line can be found again without reading what stands before it.
"""

from __future__ import annotations

import json

import msgspec


class Line(msgspec.Struct, frozen=True, gc=False):
    """One physical line: bytes `offset`..`end` of the file (half-open) and their content, the LF included."""

    offset: int
    end: int
    data: bytes


class LineBuffer:
    """Cuts chunks into lines; any way of chunking the same bytes gives the same lines.

    Parts of an unfinished line are kept apart and joined once, so a line of many megabytes that arrives in small
    chunks costs no more than its length.
    """

    def __init__(self, offset: int = 0) -> None:
        self._offset = offset
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> list[Line]:
        """Takes the next bytes of the file; returns the lines that are complete now."""
        lines: list[Line] = []
        start, stop = 0, chunk.find(b"\n") + 1
        if stop and self._parts:
            data = b"".join([*self._parts, chunk[:stop]])
            lines.append(Line(self._offset, self._offset + len(data), data))
            self._offset += len(data)
            self._parts = []
            start, stop = stop, chunk.find(b"\n", stop) + 1
        base = self._offset - start
        while stop:
            lines.append(Line(base + start, base + stop, chunk[start:stop]))
            start, stop = stop, chunk.find(b"\n", stop) + 1
        self._offset = base + start
        if start < len(chunk):
            self._parts.append(chunk[start:])
        return lines

    @property
    def rest(self) -> Line | None:
        """The bytes after the last LF, or None. At the end of a file it may be a whole line: see `whole`."""
        if not self._parts:
            return None
        data = b"".join(self._parts)
        self._parts = [data]
        return Line(self._offset, self._offset + len(data), data)

    def take_rest(self) -> Line | None:
        """As `rest`, and take it for a line: what comes next begins a new one (perhaps the LF that was missing)."""
        rest = self.rest
        if rest is not None:
            self._parts = []
            self._offset = rest.end
        return rest


def whole(line: Line) -> bool:
    """True if the line is one JSON object or several, complete: a record whose LF was never written."""
    decoder = json.JSONDecoder(strict=False)
    text = line.data.decode("utf-8", "replace")
    position, found = 0, False
    while (position := blank_end(text, position)) < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return False
        if not isinstance(value, dict):
            return False
        found = True
    return found


def blank_end(text: str, position: int) -> int:
    """Index of the first character from `position` on that is no white space, NUL padding or byte order mark."""
    while position < len(text) and text[position] in " \t\r\n\x00\ufeff":
        position += 1
    return position
