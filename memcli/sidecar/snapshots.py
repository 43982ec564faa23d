"""The log of what a session keeps of its past: snapshots of the fold, and the ids it has seen. Only ever appended to.

    frame: length (4 bytes), crc32 of the rest (4), kind (1), number (8), payload

A snapshot's number is the byte of the transcript at which it was taken; it is whole, or the difference to the one
before it (`ledger.history`). A frame of ids has in its number how many there are with it. A cut takes away the
snapshots at its number and beyond: the branch that a rewind has left. So a turn costs the bytes that are new in it.

The log is a cache: losing it costs reading the transcript again, nothing else. So it is not synced; a frame torn by a
crash fails its checksum and ends the log, and the next append cuts it off. Where the log and the session disagree about
the past, or more than half of the bytes are of no use any more, it is written anew.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from memcli.ledger.history import Past, Snapshot
from memcli.sidecar import files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEADER = struct.Struct("<IIBQ")
_MAGIC = b"memcli-ledger 2\n"
_GREATEST = 64 << 20  # bytes; more is damage, not a snapshot: the ledger is bounded to a few MiB
_DIFFERENCE, _WHOLE, _CUT, _IDS = range(4)


class Ids(Protocol):
    """The ids a thread has seen, in their order (`transcript.thread`)."""

    def remembered(self, after: int) -> bytes:
        """Those after the first so many."""


class _Frame(NamedTuple):
    kind: int
    number: int
    payload: bytes


class Snapshots:
    """The log of one sidecar. One writer; it must hold the lock."""

    def __init__(self, path: Path, disk: files.Disk = files.DISK) -> None:
        self._path = path
        self._disk = disk
        self._end = 0
        self._live = 0
        self._sums: list[tuple[int, int, int]] = []
        """Offset, checksum and size of each snapshot."""
        self.known = 0
        """Ids in the log."""

    def read(self) -> Past:
        """What the log holds, as far as it is undamaged."""
        data = files.read(self._path) or b""
        snapshots: list[Snapshot] = []
        ids: list[bytes] = []
        self._forget()
        if not data.startswith(_MAGIC):
            return Past()
        self._end = len(_MAGIC)
        while (frame := _decoded(data, self._end)) is not None:
            self._note(frame)
            if frame.kind == _IDS:
                ids.append(zlib.decompress(frame.payload))
            elif frame.kind == _CUT:
                snapshots = [one for one in snapshots if one.offset < frame.number]
            else:
                snapshots.append(Snapshot(frame.number, frame.kind == _WHOLE, frame.payload))
        return Past(snapshots, ids, self.known)

    def follow(self, snapshots: Sequence[Snapshot], ids: Ids, seen: int) -> None:
        """Bring the log level with a session: its snapshots, and the ids of which it has `seen` so many.

        Raises OSError; the log then is what it was, or ends in a torn frame.
        """
        wanted = [(one.offset, _sum(one)) for one in snapshots]
        present = [(offset, checksum) for offset, checksum, _ in self._sums]
        dropped = present.index(wanted[0]) if wanted and wanted[0] in present else 0
        same = 0
        for ours, theirs in zip(wanted, present[dropped:], strict=False):
            if ours != theirs:
                break
            same += 1
        # a log that knows more ids, or begins elsewhere, is of another reading of the file
        if not self._stands or seen < self.known or (present and not same):
            self._rewrite(snapshots, ids, seen)
            return
        frames = [_ids(ids, self.known, seen)] if seen > self.known else []
        if same < len(present) - dropped:
            frames.append(_Frame(_CUT, present[dropped + same][0], b""))
        frames += map(_of, snapshots[same:])
        if frames:
            self._append(frames)
            if self._live_bytes(dropped) * 2 < self._end:
                self._rewrite(snapshots, ids, seen)

    @property
    def _stands(self) -> bool:
        """False before there is a log, and after somebody took it away."""
        try:
            return 0 < self._end <= self._path.stat().st_size
        except FileNotFoundError:
            return False

    def _live_bytes(self, dropped: int) -> int:
        return self._live + sum(size for _, _, size in self._sums[dropped:])

    def _append(self, frames: list[_Frame]) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Whatever stands behind the last whole frame was torn; it goes before anything is added.
            os.ftruncate(fd, self._end)
            os.lseek(fd, 0, os.SEEK_END)
            for frame in frames:
                files.write_all(fd, _encoded(frame), self._disk)
                self._note(frame)
        finally:
            os.close(fd)

    def _rewrite(self, snapshots: Sequence[Snapshot], ids: Ids, seen: int) -> None:
        frames = [_ids(ids, 0, seen), *map(_of, snapshots)]
        content = b"".join([_MAGIC, *map(_encoded, frames)])
        files.write_atomic(self._path, content, disk=self._disk, durable=False)
        self._forget()
        self._end = len(_MAGIC)
        for frame in frames:
            self._note(frame)

    def _forget(self) -> None:
        self._end, self._live, self.known, self._sums = 0, 0, 0, []

    def _note(self, frame: _Frame) -> None:
        size = _HEADER.size + len(frame.payload)
        self._end += size
        if frame.kind == _IDS:
            self.known = frame.number
            self._live += size
        elif frame.kind == _CUT:
            self._sums = [one for one in self._sums if one[0] < frame.number]
        else:
            self._sums.append((frame.number, zlib.crc32(frame.payload), size))


def _sum(snapshot: Snapshot) -> int:
    return zlib.crc32(snapshot.payload)


def _of(snapshot: Snapshot) -> _Frame:
    return _Frame(_WHOLE if snapshot.whole else _DIFFERENCE, snapshot.offset, snapshot.payload)


def _ids(ids: Ids, after: int, seen: int) -> _Frame:
    return _Frame(_IDS, seen, zlib.compress(ids.remembered(after), 1))


def _encoded(frame: _Frame) -> bytes:
    rest = struct.pack("<BQ", frame.kind, frame.number) + frame.payload
    return struct.pack("<II", len(frame.payload), zlib.crc32(rest)) + rest


def _decoded(data: bytes, position: int) -> _Frame | None:
    """The frame at `position`; None where the log ends or is damaged."""
    if position + _HEADER.size > len(data):
        return None
    length, checksum, kind, number = _HEADER.unpack_from(data, position)
    end = position + _HEADER.size + length
    # A frame cut short has fewer bytes than it says, and its checksum cannot be right but by chance.
    if length > _GREATEST or end > len(data) or zlib.crc32(data[position + 8 : end]) != checksum:
        return None
    return _Frame(kind, number, data[position + _HEADER.size : end])
