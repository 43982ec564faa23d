"""Writing files so that a reader sees the old content or the new, never half of one.

The sequence is: temporary file in the same directory, write, fsync, rename, fsync of the directory. What a crash
leaves behind at each point:

    while writing the temporary file   the old content; a `.tmp` file that `sweep` removes, as nobody holds it
    after fsync, before the rename     the same
    after the rename                   the new content; without the directory's fsync a power loss may still bring
                                       back the old one, whole

Without `durable` nothing is synced: a killed process still leaves old or new, a power loss may leave an empty file.
Only what can be made again, and carries a checksum, is written so.

Not promised: that two writers of one path are told apart; whoever needs that takes the lock (`lock.py`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
# O_EXCL and O_NOFOLLOW: in a directory that others may write to, nobody can lay a symlink in our way.
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


class Disk:
    """The system calls that fail when a disk does. Tests hand in one that is full."""

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of `data`; returns how many bytes were taken."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Bring what was written to `fd` to the disk."""
        os.fsync(fd)

    def replace(self, source: Path, target: Path) -> None:
        """Rename `source` over `target`."""
        os.replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        """Give the file `source` the second name `target`, which must be free."""
        os.link(source, target)


DISK = Disk()


def write_atomic(path: Path, data: bytes, *, disk: Disk = DISK, durable: bool = True, mode: int = 0o600) -> None:
    """Replace the content of `path`. Raises OSError; then `path` is what it was and no temporary file is left."""
    with temporary(path, data, disk=disk, durable=durable, mode=mode) as fresh:
        disk.replace(fresh, path)
    if durable:
        sync_directory(path.parent, disk)


def create(path: Path, data: bytes, *, disk: Disk = DISK, durable: bool = True) -> bool:
    """Make `path` with `data`, whole or not at all; False (and nothing done) if it is there already."""
    with temporary(path, data, disk=disk, durable=durable) as fresh:
        try:
            disk.link(fresh, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _create_without_links(path, fresh, disk)
    if durable:
        sync_directory(path.parent, disk)
    return True


def _create_without_links(path: Path, fresh: Path, disk: Disk) -> bool:
    # The name is taken first and filled after: dying between leaves an empty file, which every reader of ours takes
    # for a damaged one. File systems without hard links offer nothing better.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    disk.replace(fresh, path)
    return True


@contextlib.contextmanager
def temporary(path: Path, data: bytes, *, disk: Disk = DISK, durable: bool = True, mode: int = 0o600) -> Iterator[Path]:
    """A file with `data` beside `path` under a name of its own; gone at the end unless it was renamed."""
    with _failing_as(path):
        fresh, fd = _begun(path, mode)
    try:
        with _failing_as(path):
            _fill(fd, data, disk, durable=durable)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)
        os.close(fd)


@contextlib.contextmanager
def _failing_as(path: Path) -> Iterator[None]:
    """What fails within names this file, which people know."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename and str(path)
        raise


def _begun(path: Path, mode: int) -> tuple[Path, int]:
    """A new file beside `path`, flocked as long as it is open: whoever sweeps here meanwhile lets it be."""
    while True:
        fresh = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.tmp")
        fd = os.open(fresh, _NEW, mode)
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return fresh, fd
        os.close(fd)  # swept before it was locked


def write_new(path: Path, data: bytes, *, disk: Disk = DISK, durable: bool = True, mode: int = 0o600) -> None:
    """Write a file that must not exist yet. Raises OSError and may then leave half of it."""
    fd = os.open(path, _NEW, mode)
    try:
        _fill(fd, data, disk, durable=durable)
    finally:
        os.close(fd)


def _fill(fd: int, data: bytes, disk: Disk, *, durable: bool) -> None:
    write_all(fd, data, disk)
    if durable:
        disk.sync(fd)


def write_all(fd: int, data: bytes, disk: Disk = DISK) -> None:
    """Write all of `data`, however little of it each call takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[disk.write(fd, rest) :]


def sync_directory(directory: Path, disk: Disk = DISK) -> None:
    """Make renames in `directory` survive a power loss, where its file system can."""
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.sync(fd)
    except OSError as error:
        # Some network and FUSE file systems refuse to sync a directory; there the rename alone has to do.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
    finally:
        os.close(fd)


def second_name(path: Path, target: Path, disk: Disk = DISK) -> bool:
    """Make `target` another name of the file `path`, in place of what it named; False if `path` is not there.

    Where the file system has no hard links, `target` becomes a copy of this moment.
    """
    target.unlink(missing_ok=True)
    try:
        disk.link(path, target)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        content = read(path)
        if content is None:
            return False
        write_atomic(target, content, disk=disk)
    return True


def read(path: Path) -> bytes | None:
    """The content of `path`; None if there is no such file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_temporary(name: str) -> bool:
    """True for a name that `temporary` gives."""
    return bool(_TEMPORARY.fullmatch(name))


def sweep(directory: Path) -> None:
    """Remove the temporary files a killed writer left in `directory`; not those of a writer who is at it."""
    for entry in os.scandir(directory):
        if is_temporary(entry.name):
            with contextlib.suppress(OSError):
                _remove_unheld(entry.path)


def _remove_unheld(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(fd)
