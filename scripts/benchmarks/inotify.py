"""What the kernel tells of files: who was read, and what was renamed into a directory. Linux only."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

from scripts.benchmarks.rounds import Failed

if TYPE_CHECKING:
    from pathlib import Path

READ = 0x001
RENAMED_TO = 0x080

_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")
_BUFFER_BYTES = 1 << 20


class Listener:
    """Notes when each file was first read, or put into place, since `forget`. A thread of its own reads the events."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise Failed("it needs inotify of Linux")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            raise Failed(f"inotify: {os.strerror(ctypes.get_errno())}")
        self._directories: dict[int, str] = {}
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._seen: dict[str, int] = {}
        self._lost = False
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._file)

    def add(self, directory: Path, events: int) -> None:
        """Listen to what happens to the files in a directory. Raises Failed."""
        number = self._libc.inotify_add_watch(self._file, os.fsencode(directory), events)
        if number < 0:
            raise Failed(f"inotify on {directory}: {os.strerror(ctypes.get_errno())}")
        self._directories[number] = str(directory)

    def forget(self) -> None:
        """What happened until now is of no interest."""
        with self._changed:
            self._seen.clear()

    def forget_one(self, path: Path) -> None:
        """The next event of this file is its first."""
        with self._changed:
            self._seen.pop(str(path), None)

    def when(self, path: Path) -> int:
        """The first event of a file, in nanoseconds of the monotonic clock; 0 for none yet. Raises Failed if the
        kernel could not tell everything."""
        if self._lost:
            raise Failed("the kernel's queue of the bench itself ran over")
        return self._seen.get(str(path), 0)

    def _listen(self) -> None:
        while not self._stop.is_set():
            if select.select([self._file], [], [], 0.05)[0]:
                self._take(os.read(self._file, _BUFFER_BYTES), time.monotonic_ns())

    def _take(self, data: bytes, now: int) -> None:
        place = 0
        with self._changed:
            while place < len(data):
                number, events, _, length = _EVENT.unpack_from(data, place)
                place += _EVENT.size + length
                name = data[place - length : place].rstrip(b"\0").decode()
                self._lost = self._lost or bool(events & _OVERFLOW)
                self._seen.setdefault(f"{self._directories.get(number, '')}/{name}", now)
