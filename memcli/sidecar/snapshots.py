"""Snapshots of the fold, one a turn, as an append log: the way back when the user rewinds, and after a restart.

    frame: length (4 bytes), crc32 of the rest (4), offset (8), until (8), payload (zlib)

`offset` is the byte of the transcript at which the snapshot was taken: everything before it is folded in. A frame
supersedes an older one of the same offset. A frame whose `until` is not 0 has no payload and takes away what lies
between `offset` and `until`, both excluded: the branch that a rewind has left.

The log is a cache: losing it costs reading the transcript again, nothing else. So it is not synced; a frame torn by
a crash fails its checksum and ends the log, and the next append cuts it off. When more than half of the bytes are
superseded the log is written anew. Bounded by `KEPT` snapshots, oldest offsets dropped first.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from memcli.sidecar import files

if TYPE_CHECKING:
    from pathlib import Path

# As many as `head` names turn starts.
KEPT = 64

_HEADER = struct.Struct("<IIQQ")
_MAGIC = b"memcli-ledger 1\n"
# A length beyond this is damage, not a snapshot: the ledger is bounded to a few MiB.
_GREATEST = 64 << 20


class _Frame(NamedTuple):
    position: int
    size: int


class Snapshots:
    """The log of one sidecar. One writer; it must hold the lock."""

    def __init__(self, path: Path, disk: files.Disk = files.DISK) -> None:
        self._path = path
        self._disk = disk
        self._frames: dict[int, _Frame] = {}
        self._end = 0
        self._load()

    def append(self, offset: int, snapshot: bytes) -> None:
        """Keep the snapshot taken at `offset`. Raises OSError; the log then is what it was, or ends in a torn frame."""
        self._write(_encoded(offset, 0, zlib.compress(snapshot, 1)))
        self._tidy()

    def discard(self, start: int, end: int) -> None:
        """Forget the snapshots taken strictly between two offsets: they hold a branch that is dead now."""
        if any(start < offset < end for offset in self._frames):
            self._write(_encoded(start, end, b""))
            self._tidy()

    def offsets(self) -> list[int]:
        """Where snapshots were taken, ascending."""
        return sorted(self._frames)

    def latest(self, at_most: int) -> tuple[int, bytes] | None:
        """The snapshot with the greatest offset not beyond `at_most`, and that offset; None if there is none."""
        for offset in sorted(self._frames, reverse=True):
            if offset <= at_most and (snapshot := self._payload(offset)) is not None:
                return offset, snapshot
        return None

    def _load(self) -> None:
        data = files.read(self._path) or b""
        if not data.startswith(_MAGIC):
            return
        self._end = len(_MAGIC)
        while (frame := _decoded(data, self._end)) is not None:
            offset, until, size = frame
            self._note(offset, until, size)

    def _note(self, offset: int, until: int, size: int) -> None:
        if until:
            self._frames = {at: frame for at, frame in self._frames.items() if not offset < at < until}
        else:
            self._frames[offset] = _Frame(self._end, size)
            if len(self._frames) > KEPT:
                del self._frames[min(self._frames)]
        self._end += size

    def _write(self, frame: bytes) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Whatever stands behind the last whole frame was torn; it goes before anything is added.
            os.ftruncate(fd, self._end)
            os.lseek(fd, 0, os.SEEK_END)
            if not self._end:
                files.write_all(fd, _MAGIC, self._disk)
                self._end = len(_MAGIC)
            files.write_all(fd, frame, self._disk)
        finally:
            os.close(fd)
        _, _, offset, until = _HEADER.unpack_from(frame)
        self._note(offset, until, len(frame))

    def _payload(self, offset: int) -> bytes | None:
        position, size = self._frames[offset]
        try:
            with self._path.open("rb") as log:
                log.seek(position + _HEADER.size)
                return zlib.decompress(log.read(size - _HEADER.size))
        except (OSError, zlib.error):
            return None

    def _tidy(self) -> None:
        live = sum(frame.size for frame in self._frames.values())
        if live * 2 >= self._end - len(_MAGIC):
            return
        content = self._path.read_bytes()
        kept = [(offset, content[position : position + size]) for offset, (position, size) in self._frames.items()]
        files.write_atomic(self._path, _MAGIC + b"".join(frame for _, frame in kept), disk=self._disk, durable=False)
        self._frames, self._end = {}, len(_MAGIC)
        for offset, frame in kept:
            self._note(offset, 0, len(frame))


def _encoded(offset: int, until: int, payload: bytes) -> bytes:
    rest = struct.pack("<QQ", offset, until) + payload
    return struct.pack("<II", len(payload), zlib.crc32(rest)) + rest


def _decoded(data: bytes, position: int) -> tuple[int, int, int] | None:
    """Offset, until and size of the frame at `position`; None where the log ends or is damaged."""
    if position + _HEADER.size > len(data):
        return None
    length, checksum, offset, until = _HEADER.unpack_from(data, position)
    size = _HEADER.size + length
    if length > _GREATEST or zlib.crc32(data[position + 8 : position + size]) != checksum:
        return None
    # A frame cut short has fewer bytes than it says, and its checksum cannot be right but by chance.
    return (offset, until, size) if position + size <= len(data) else None
