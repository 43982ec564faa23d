"""Hosts whose sessions tell, in their first line, their id and the directory in which they were begun.

Such a host says where its sessions lie (`folders`), which files there are sessions (`is_named`), and what the first
line of one tells (`birth`); the rest is the same for all. No client of these hosts tells which sessions it has open.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memcli.hosts import live
from memcli.sidecar.lock import holder
from memcli.sidecar.place import ROOM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE_BYTES = 1 << 20
_FIRST_BYTES = 4096
_DIRECTORY = re.compile(rb'"cwd":\s*("(?:[^"\\]|\\.)*")')


class Birth(NamedTuple):
    """What the first line of a session tells: its id, its directory, and if it is a sub-agent's."""

    session: str
    directory: str
    below: bool = False


class Recorded(ABC):
    """A host on this machine."""

    name: str
    title: str
    format: str
    install: str

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

    @abstractmethod
    def resume(self, session: Path) -> list[str]:
        """The command that goes on in this session."""

    def is_session(self, path: Path) -> bool:
        """True for a file that lies where the client keeps its sessions."""
        real = Path(os.path.realpath(path))
        return self.is_named(real.name) and real.is_relative_to(os.path.realpath(self.root))

    def own_session(self, directory: Path) -> Path | None:  # noqa: ARG002  # hosts that tell theirs do
        """The session of the client that runs us, where it tells."""
        return None

    def newest_session(self, directory: Path) -> Path | None:
        """The session of a project that was written to last; no sub-agent's, none of our own summarizer."""
        found = sorted(self.files(self.folders(directory)), key=lambda one: (one[1], one[0].name), reverse=True)
        near = (path for path, _ in found if _may_be_of(path, directory))
        return next((path for path in near if self.belongs(path, directory) and not live.is_own(path)[0]), None)

    def source(self, project: Path | None) -> live.LiveSessions:
        """The live sessions of a project, None for all."""
        return live.LiveSessions(self, project)

    def belongs(self, path: Path, project: Path | None) -> bool | None:
        """If a session is one of a project (None: any) and no sub-agent's; None while its first line is not whole."""
        told = self.told(path)
        if told is None or told.below:
            return told and False
        there = told.directory and os.path.realpath(told.directory)
        return project is None or there == os.path.realpath(project)

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

    # ---- who watches

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

    def held_in(self, project: Path) -> Path | None:
        """The lock of whoever watches the sessions of a project, or all; None if nobody does."""
        locks = (self.lock_file(project), self.lock_file(None))
        return next((lock for lock in locks if holder(lock)), None)

    def held_over(self, session: Path) -> Path | None:
        """The lock of whoever watches the sessions that this one is among; None if nobody does."""
        told = self.told(session) if self.is_session(session) else None
        return self.held_in(Path(told.directory)) if told and told.directory else None

    # ---- a new session

    def room_for(self, transcript: Path) -> Path:  # noqa: ARG002  # of other hosts a project's
        """Where a new session is prepared: on the disk where it will lie."""
        return self.room

    def placed(self, data: bytes, transcript: Path) -> Iterator[tuple[Path, bytes]]:  # noqa: ARG002
        """Where a compacted transcript belongs and what it says there; then, should something else be there, the same
        under another id. Nothing where it does not begin as a session does."""
        line, _, rest = data.partition(b"\n")
        born = json.loads(line)
        told = self.birth(born) if isinstance(born, dict) else None
        if told is None:
            return
        yield self.path_of(born, told.session), data
        other = live.another(told.session, data)
        yield self.path_of(born, other), line.replace(told.session.encode(), other.encode()) + b"\n" + rest

    def directory_of(self, session: Path) -> Path | None:
        """Where the client must be started to go on in it; None for right here, or anywhere."""
        told = self.told(session)
        if not told or not os.path.isdir(told.directory) or os.path.samefile(told.directory, os.curdir):
            return None
        return Path(told.directory)


def _may_be_of(path: Path, project: Path) -> bool:
    """False if the first bytes of a session name another directory: most of thousands are passed over so, without
    decoding a first line that holds all the client told its model."""
    with contextlib.suppress(OSError, ValueError), path.open("rb", buffering=0) as file:
        found = _DIRECTORY.search(file.read(_FIRST_BYTES))
        return not found or os.path.realpath(json.loads(found[1])) == os.path.realpath(project)
    return False


def newest_first(directory: Path) -> list[Path]:
    """The directories in a directory, by their names, the last first."""
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        names = sorted((entry.name for entry in entries if entry.is_dir()), reverse=True)
        return [directory / name for name in names if not name.startswith(".")]
    return []


def above(folders: Iterable[Path], root: Path) -> set[Path]:
    """These folders, and all directories from them up to the root."""
    chain = itertools.chain.from_iterable((folder, *folder.parents) for folder in folders)
    return {root, *(path for path in chain if path.is_relative_to(root))}
