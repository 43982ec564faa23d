"""One writer for a sidecar: an flock on a file that is never removed.

    a verb     keeps the file open and flocked as long as it works
    a daemon   writes into it the name of its presence, which is flocked (`sidecar.presence`), and closes it again:
               so ten thousand locks cost it one descriptor

Either way the lock is free the moment its holder dies, however it dies. What else stands in the file (process id, since
when, which command) is for people and for `memcli stop`. Its content is changed with the flock held, only. The file is
never unlinked: whoever had opened the old one would hold a lock that nobody else can see.

Not promised: anything on file systems where flock is not honoured between machines; a sidecar has to be local.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from memcli.errors import AlreadyWatched
from memcli.sidecar import presence as presences

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.sidecar.presence import Presence

# `holder` shares the lock for a moment to see if it is free, and a daemon has it for a moment when it writes into it.
# Whoever wants it in just that moment looks again; longer if it is only looked at, where a moment may be long: on a
# machine that is busy.
_LOOKS = 5
_MOST_LOOKS = 1_000
_PAUSE_SECONDS = 0.01
_GREATEST = 4096

DAEMON = "watch"
"""The command that stands in the lock of a daemon."""


class Holder(NamedTuple):
    """Who holds a lock: process id (0 if the file does not tell), since when (Unix seconds), doing what."""

    pid: int
    since: float
    command: str

    @property
    def daemon(self) -> bool:
        """True for `memcli watch`, which hears signals; they would end any other verb."""
        return self.command == DAEMON and self.pid > 0


class Lock:
    """The lock of one sidecar, held from `acquire` until `release` or the end of the process."""

    def __init__(self, path: Path, fd: int, presence: Presence | None) -> None:
        self._path = path
        self._fd = fd
        self._presence = presence

    @classmethod
    def acquire(cls, path: Path, command: str, now: float, presence: Presence | None = None) -> Self:
        """Take the lock for `command`. Raises AlreadyWatched if another process, or another Lock, has it.

        With a `presence` no descriptor stays open, and taking a lock again that it holds already is no error.
        """
        fd = _locked(path)
        if fd < 0:
            raise _refusal(path)
        mine = str(presence.path) if presence else ""
        keep = False
        try:
            named = _named(os.pread(fd, _GREATEST, 0))
            if named and named != mine and presences.is_there(named):
                raise _refusal(path)
            if not mine or named != mine:
                line = f"{os.getpid()} {now:.3f} {command}\n{mine}".encode("utf-8", "surrogateescape")
                os.pwrite(fd, line, 0)
                os.ftruncate(fd, len(line))
            keep = not mine
        finally:
            if not keep:
                os.close(fd)
        return cls(path, fd if keep else -1, presence)

    def release(self) -> None:
        """Give the lock back. Emptied first, so that the next holder is never taken for us. Raises OSError."""
        presence, self._presence = self._presence, None
        if presence is not None:
            self._fd = _locked(self._path)
            if self._fd >= 0 and _named(os.pread(self._fd, _GREATEST, 0)) != str(presence.path):
                os.close(self._fd)  # the file was made anew, and is another's by now
                self._fd = -1
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(path: Path) -> Holder | None:
    """Who holds the lock at `path`; None if nobody does."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        free = presences.flocked(fd, fcntl.LOCK_SH)
        content = os.pread(fd, _GREATEST, 0)
    finally:
        os.close(fd)
    return None if free and not presences.is_there(_named(content)) else _parse(content)


def said(path: Path) -> str:
    """What the daemon that holds the lock at `path` says of itself; "" if none holds it, or it says nothing."""
    try:
        return presences.said(_named(path.read_bytes()))
    except OSError:
        return ""


def freed(path: Path, patience: float) -> bool:
    """Wait up to so many seconds for a lock to be free; True if it was."""
    deadline = time.monotonic() + patience
    while holder(path) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _locked(path: Path) -> int:
    """The lock file, open and flocked; -1 if another has it flocked."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for look in range(_MOST_LOOKS):
        if presences.flocked(fd, fcntl.LOCK_EX):
            return fd
        if look >= _LOOKS and not presences.flocked(fd, fcntl.LOCK_SH):
            break
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(_PAUSE_SECONDS)
    os.close(fd)
    return -1


def _named(content: bytes) -> str:
    """The presence that a lock names; "" if it names none."""
    return os.fsdecode(content.partition(b"\n")[2])


def _parse(content: bytes) -> Holder:
    pid, _, rest = content.partition(b"\n")[0].decode("utf-8", "replace").strip().partition(" ")
    since, _, command = rest.partition(" ")
    try:
        return Holder(int(pid), float(since), command)
    except ValueError:
        # Between taking the lock and writing into it, or a file some other program wrote.
        return Holder(0, 0.0, "")


def _refusal(path: Path) -> AlreadyWatched:
    other = holder(path) or Holder(0, 0.0, "")
    who = f"process {other.pid} ({other.command})" if other.pid else "another process"
    transcript = path.parents[2] / path.parent.name  # where the sidecar lies beside it, as `place` lays it out
    hint = f"memcli status {shlex.quote(str(transcript))}" if transcript.exists() else "memcli status"
    return AlreadyWatched(f"{path.parent.name} is already watched by {who}", hint, other.pid, other.daemon)
