"""The presence of a daemon: one flocked file that stands for all the locks it holds.

A daemon keeps thousands of sidecars and may not keep a descriptor open for each. So it holds an flock on one file of
its own, in the user's state directory, and the lock of each sidecar names that file (`sidecar.lock`). The daemon is
alive as long as the file is flocked: however it dies, all of its locks are free at once, and nobody has to clean up.

A file that is left behind is removed by the next daemon that starts. Its name is never used again, so a lock that
still names it is free for good.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Self

from memcli.edge import near
from memcli.errors import NotWritable
from memcli.userdirs import state_dir

ROOM = "daemons"
_LONGEST = 4096


class Presence:
    """This process, as others can see it; from `start` until `end` or the end of the process."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def start(cls, says: str = "") -> Self:
        """Be there; where the user's state directory cannot be written, below the temporary one. Raises NotWritable.

        `says`: what others may read of this process while it lives (`said`).
        """
        reason = ""
        for room in (state_dir() / ROOM, _temporary()):
            try:
                room.mkdir(mode=0o700, parents=True, exist_ok=True)
                return cls._in(room, says.encode("utf-8", "replace"))
            except OSError as error:
                reason = error.strerror or str(error)
        raise NotWritable(f"cannot write in {state_dir()}: {reason}", f"ls -ld {near(str(state_dir()))}")

    @classmethod
    def _in(cls, room: Path, says: bytes) -> Self:
        _sweep(room)
        while True:
            path = room / f"{os.getpid()}-{os.urandom(6).hex()}"
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            if flocked(fd, fcntl.LOCK_EX) and os.fstat(fd).st_nlink:
                os.write(fd, says)
                return cls(path, fd)
            os.close(fd)  # another daemon that swept just now was faster than our flock

    def end(self) -> None:
        """Be gone: every lock that names this presence is free."""
        if self._fd >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1


def _temporary() -> Path:
    return Path(os.environ.get("TMPDIR") or "/tmp") / f"memcli-{os.getuid()}"  # noqa: S108 - it holds no secret


def is_there(path: str) -> bool:
    """True while the process whose presence this is lives."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not flocked(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def said(path: str) -> str:
    """What the process of this presence says of itself; "" if it is gone, or says nothing."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST) if is_there(path) else ""
    except OSError:
        return ""


def _sweep(room: Path) -> None:
    """Remove what daemons that were killed have left."""
    for entry in os.scandir(room):
        with contextlib.suppress(OSError):
            fd = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                if flocked(fd, fcntl.LOCK_EX):
                    os.unlink(entry.path)
            finally:
                os.close(fd)


def flocked(fd: int, kind: int) -> bool:
    """Take this kind of flock; False if another has it."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
