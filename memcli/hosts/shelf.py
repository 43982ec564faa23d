"""Where a host keeps its sessions, and what the first line of one tells: its id, and the directory where it was begun.

Such a host says where its sessions lie (`folders`), which files there are sessions (`is_named`), and what the first
line of one tells (`birth`); the rest is the same for all. No client of these hosts tells which sessions it has open.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memcli.sidecar.place import ROOM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE_BYTES = 1 << 20


class Birth(NamedTuple):
    """What the first line of a session tells: its id, its directory, and if it is a sub-agent's."""

    session: str
    directory: str
    below: bool = False


class Shelf(ABC):
    """The sessions of one host on this machine."""

    name: str
    title: str

    @property
    @abstractmethod
    def home(self) -> Path:
        """The client's own directory."""

    @property
    @abstractmethod
    def root(self) -> Path:
        """The directory above all folders of sessions."""

    @abstractmethod
    def folders(self, project: Path | None) -> Iterator[Path]:
        """Where sessions of a project lie, or those of all: the newest first, found one by one."""

    @abstractmethod
    def is_named(self, name: str) -> bool:
        """True for the name of a session's file."""

    @abstractmethod
    def birth(self, record: dict[str, Any]) -> Birth | None:
        """What the first record of a session tells; None if it is of something else."""

    @abstractmethod
    def path_of(self, born: dict[str, Any], session: str) -> Path:
        """Where the client looks for a session of that id, whose first record is `born`."""

    def is_session(self, path: Path) -> bool:
        """True for a file that lies where the client keeps its sessions."""
        real = Path(os.path.realpath(path))
        return self.is_named(real.name) and real.is_relative_to(os.path.realpath(self.root))

    def belongs(self, path: Path, project: Path | None) -> bool | None:
        """If a session is one of a project (None: any) and no sub-agent's; None while its first line is not whole."""
        told = self.told(path)
        if told is None:
            return None
        there = told.directory and os.path.realpath(told.directory)
        return not told.below and (project is None or there == os.path.realpath(project))

    def told(self, path: Path) -> Birth | None:
        """What the first line of a session tells, None where it is not whole yet, or tells nothing."""
        with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
            record = json.loads(file.readline(_LINE_BYTES))
            return self.birth(record) if isinstance(record, dict) else None
        return None

    def files(self, folders: Iterable[Path]) -> Iterator[tuple[Path, int]]:
        """Every session in these folders, and when it was written to (Unix nanoseconds)."""
        for folder in folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if self.is_named(entry.name):  # nothing of ours has such a name
                        with contextlib.suppress(OSError):
                            yield Path(entry.path), entry.stat().st_mtime_ns

    # ---- of ours

    @property
    def room(self) -> Path:
        """A directory for what memcli keeps there that belongs to no one transcript."""
        return self.home / ROOM / self.name

    def lock_file(self, project: Path | None) -> Path:
        """The lock of the watcher of a project's sessions, or (None) of all."""
        if project is None:
            return self.room / "lock"
        key = hashlib.blake2b(os.fsencode(os.path.realpath(project)), digest_size=12).hexdigest()
        return self.room / key / "lock"


def newest_first(directory: Path) -> list[Path]:
    """The directories in a directory, by their names, the last first."""
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        names = sorted((entry.name for entry in entries if entry.is_dir()), reverse=True)
        return [directory / name for name in names if not name.startswith(".")]
    return []
