"""The grounds: in which directories transcripts may appear, and which there are.

Named are directories, searched with all that is below them, and files. Hidden directories are not searched. Symbolic
links are followed to what they mean, files and directories alike, each once, so a transcript has one name here: its
real path. The directories of links' targets and of named files are watched without being searched. A source
(the live sessions of a host) is asked.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeAlias

from memcli.sidecar.place import ROOM, is_our_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.hosts.source import Source

SUFFIX = ".jsonl"

Directories: TypeAlias = dict[str, tuple[int, int]]
"""Real paths, and which directory each is (device, inode): one made anew under an old name is another one."""

RECENT_NS = 2_000_000_000
"""A directory that changed so shortly before it was read may change once more without its time telling."""


class Grounds:
    """Where to look: below directories (`trees`), and for `files`; all by their real paths."""

    def __init__(self, trees: Iterable[str], files: Iterable[str], source: Source | None = None) -> None:
        self.files = frozenset(files)
        self._trees = tuple(trees)
        self._searched: Directories = {}
        self._beside: Directories = {}
        self._source = source
        self._hosted: Directories = {}
        self.live: frozenset[str] = frozenset()
        """The sessions of the source that lived when it was asked last."""
        self._unchanged: dict[str, int] = {}
        """The times of directories whose entries are all known (nanoseconds)."""

    @property
    def directories(self) -> Directories:
        """Those to be watched."""
        return self._hosted | self._beside | self._searched

    def search(self) -> set[str]:
        """Search what has changed since the last time, by the times of the directories; the transcripts in there."""
        for path in {*map(os.path.dirname, self.files), *self._beside}:
            if _enter(path, self._beside) is None:
                self._beside.pop(path, None)
        found: set[str] = set()
        for directory in {*self._trees, *self._searched}:
            if self._has_changed(directory):
                found.update(self._below(directory))
        return found | self._ask_source()

    def _has_changed(self, directory: str) -> bool:
        try:
            stat = os.stat(directory)
        except OSError:
            self._searched.pop(directory, None)
            self._unchanged.pop(directory, None)
            return False
        same = self._searched.get(directory) == (stat.st_dev, stat.st_ino)
        return not same or self._unchanged.get(directory) != stat.st_mtime_ns

    def _ask_source(self) -> frozenset[str]:
        """The sessions of the source that live now; the directories where they come and go are watched."""
        if self._source is None:
            return frozenset()
        self._hosted = {}
        for directory in self._source.flat:
            _enter(str(directory), self._hosted)
        for tree in map(str, self._source.trees):
            _enter(tree, self._hosted)
            for entry in _entries(tree):
                if _is_directory(entry):
                    _enter(entry.path, self._hosted)
        self.live = frozenset(os.path.realpath(path) for path in self._source.paths())
        return self.live

    def hosts(self, path: str) -> bool:
        """True for a name in a directory of the source, which alone can tell if it is a session that lives."""
        return os.path.dirname(path) in self._hosted

    def look_into(self, directory: str) -> set[str]:
        """Search a directory that has come, with all below it; the transcripts in it."""
        above, name = os.path.split(directory)
        new = above in self._searched and not name.startswith(".")
        return set(self._below(directory)) if new or directory in self._searched else set()

    def means(self, path: str) -> str:
        """The transcript that stands at a path where something happened, by its real path; "" if none can."""
        if path in self.files:
            return path
        above, name = os.path.split(path)
        if above not in self._searched or not _is_candidate(name) or not os.path.isfile(path):
            return ""
        return self._meant(path) if os.path.islink(path) else path

    def _below(self, top: str) -> Iterator[str]:
        """The transcripts in a directory, and in all below it that were not searched yet."""
        waiting = [top]
        while waiting:
            directory = waiting.pop()
            began = time.time_ns()
            stat = _enter(directory, self._searched)
            if stat is None:
                continue
            self._unchanged.pop(directory, None)
            if stat.st_mtime_ns < began - RECENT_NS:
                self._unchanged[directory] = stat.st_mtime_ns
            for entry in _entries(directory):
                path = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if _is_directory(entry):
                    if not entry.name.startswith(".") and path not in self._searched:
                        waiting.append(path)
                elif _is_candidate(entry.name) and _is_file(entry) and (real := self._real(entry)):
                    yield real

    def _real(self, entry: os.DirEntry[str]) -> str:
        """Its own path, or what it means, whose directory is watched from now on; "" for a file of ours."""
        return self._meant(entry.path) if entry.is_symlink() else entry.path

    def _meant(self, link: str) -> str:
        real = os.path.realpath(link)
        if is_our_name(os.path.basename(real)) or f"{os.sep}{ROOM}{os.sep}" in real:
            return ""
        _enter(os.path.dirname(real), self._beside)
        return real


def _enter(directory: str, directories: Directories) -> os.stat_result | None:
    """Note a directory as one to be watched; its stat, or None if it is not there."""
    try:
        stat = os.stat(directory)
    except OSError:
        return None
    directories[directory] = (stat.st_dev, stat.st_ino)
    return stat


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []  # gone again, or not for us to see


def _is_candidate(name: str) -> bool:
    return name.endswith(SUFFIX) and not is_our_name(name)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
