"""The grounds: in which directories transcripts may appear, and which there are.

Named are directories, searched with all that is below them, and files. Hidden directories are not searched. Symbolic
links are followed to what they mean, files and directories alike, each once, so a transcript has one name here: its
real path. The directories of links' targets and of named files are watched without being searched. A source
(the live sessions of a host) is asked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from memcli.sidecar.place import ROOM, is_our_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.hosts.source import Source

SUFFIX = ".jsonl"

Directories: TypeAlias = dict[str, tuple[int, int]]
"""Real paths, and which directory each was (device, inode): one made anew under an old name is another one."""


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

    @property
    def directories(self) -> Directories:
        """Those to be watched."""
        return self._hosted | self._beside | self._searched

    def search(self) -> set[str]:
        """Search all of it anew; the transcripts that are there."""
        self._searched, self._beside = {}, {}
        for path in self.files:
            _enter(os.path.dirname(path), self._beside)
        return {path for tree in self._trees for path in self._below(tree)} | self._ask_source()

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
        return set(self._below(directory)) if above in self._searched and not name.startswith(".") else set()

    def means(self, path: str) -> str:
        """The transcript that stands at a path where something happened, by its real path; "" if none can."""
        if path in self.files:
            return path
        above, name = os.path.split(path)
        if above not in self._searched or not _is_candidate(name) or not os.path.isfile(path):
            return ""
        return self._real(path) if os.path.islink(path) else path

    def _below(self, top: str) -> Iterator[str]:
        """The transcripts in a directory and below; every directory is entered once, whatever leads to it."""
        waiting, entered = [top], set()
        while waiting:
            directory = waiting.pop()
            which = _enter(directory, self._searched)
            if which is None or which in entered:
                continue
            entered.add(which)
            for entry in _entries(directory):
                if _is_directory(entry):
                    if not entry.name.startswith("."):
                        waiting.append(os.path.realpath(entry.path) if entry.is_symlink() else entry.path)
                elif _is_candidate(entry.name) and _is_file(entry):
                    path = self._real(entry.path) if entry.is_symlink() else entry.path
                    if path:
                        yield path

    def _real(self, link: str) -> str:
        """What a link means, whose directory is watched from now on; "" for a file of ours."""
        real = os.path.realpath(link)
        if is_our_name(os.path.basename(real)) or f"{os.sep}{ROOM}{os.sep}" in real:
            return ""
        _enter(os.path.dirname(real), self._beside)
        return real


def _enter(directory: str, directories: Directories) -> tuple[int, int] | None:
    """Note a directory as one to be watched; which one it is, or None if it is not there."""
    try:
        stat = os.stat(directory)
    except OSError:
        return None
    directories[directory] = (stat.st_dev, stat.st_ino)
    return directories[directory]


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
