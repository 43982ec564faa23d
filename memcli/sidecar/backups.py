"""Backups for `compact --in-place`, and the way back.

The backup is the transcript itself, not a copy: a second name for the same file, made before the new content takes
the first one. It costs nothing for a transcript of any size, and what a host still writes through a descriptor that
it had open lands in the backup instead of nowhere.

    backups/<n>.jsonl        what the transcript was before the n-th replacement
    backups/<n>.size         how long the content that replaced it was; made after the replacement

What a crash leaves: after the link, before the rename: a backup that is the transcript itself, ignored as such;
after the rename, before the size: a backup whose replacement has an unknown length. `restore` is the same the other
way round: the present content gets a backup name first, then the backup is renamed back to its place.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING, NamedTuple

from memcli.errors import NothingThere, TryAgain
from memcli.sidecar import files

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.sidecar.place import Place


class Replaced(NamedTuple):
    """What `replace` did. `late`: bytes that the host wrote into the old file after it was read; they are in it."""

    backup: Path
    late: int


class Restored(NamedTuple):
    """What `restore` did. `kept`: where the content lies that stood there; `added`: bytes it had grown by since."""

    kept: Path
    added: int


def replace(place: Place, content: bytes, expected: int, disk: files.Disk = files.DISK) -> Replaced:
    """Put `content` in the transcript's place; mode and owner stay. `expected` is the length that was compacted.

    Raises TryAgain, with nothing done, if the transcript has grown since; OSError if the disk fails.
    """
    stat = place.transcript.stat()
    if stat.st_size != expected:
        raise TryAgain(
            f"{place.transcript} grew while it was compacted",
            f"memcli compact --in-place {shlex.quote(str(place.transcript))}",
        )
    backup = _next_backup(place)
    with files.temporary(place.sidecar / "in-place", content, disk=disk) as fresh:
        _dress(fresh, stat)
        files.second_name(place.transcript, backup, disk)
        disk.replace(fresh, place.transcript)
    _settle(place, backup, len(content), disk)
    return Replaced(backup, backup.stat().st_size - expected)


def restore(place: Place, disk: files.Disk = files.DISK) -> Restored:
    """Bring back the transcript as it was before the last replacement; what stands there now becomes a backup.

    So undoing twice is doing again. Raises NothingThere if nothing was replaced; OSError if the disk fails.
    """
    backup = _newest(place)
    if backup is None:
        verb = "status" if (place.sidecar / "head").exists() else "where"  # a silent transcript has no status
        hint = f"memcli {verb} {shlex.quote(str(place.transcript))}"
        raise NothingThere(f"{place.transcript} was not compacted in place", hint)
    written = int(files.read(backup.with_suffix(".size")) or -1)
    size = place.transcript.stat().st_size
    kept = _next_backup(place)
    files.second_name(place.transcript, kept, disk)
    disk.replace(backup, place.transcript)
    _settle(place, kept, place.transcript.stat().st_size, disk)
    backup.with_suffix(".size").unlink(missing_ok=True)
    return Restored(kept, max(0, size - written) if written >= 0 else 0)


def _next_backup(place: Place) -> Path:
    directory = place.sidecar / "backups"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory / f"{max(_numbers(directory), default=0) + 1}.jsonl"


def _settle(place: Place, backup: Path, size: int, disk: files.Disk) -> None:
    files.sync_directory(place.transcript.parent, disk)
    files.sync_directory(backup.parent, disk)
    files.write_atomic(backup.with_suffix(".size"), b"%d\n" % size, disk=disk)


def _newest(place: Place) -> Path | None:
    directory = place.sidecar / "backups"
    for n in sorted(_numbers(directory), reverse=True):
        backup = directory / f"{n}.jsonl"
        if not os.path.samefile(backup, place.transcript):
            return backup
    return None


def _numbers(directory: Path) -> list[int]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    return [int(name[:-6]) for name in names if name.endswith(".jsonl") and name[:-6].isdigit()]


def _dress(path: Path, stat: os.stat_result) -> None:
    os.chmod(path, stat.st_mode & 0o7777)
    if (stat.st_uid, stat.st_gid) != (os.geteuid(), os.getegid()):
        # Only root may give files away; everybody else keeps their own.
        with contextlib.suppress(PermissionError):
            os.chown(path, stat.st_uid, stat.st_gid)
