"""Live sessions: what `watch` follows of a host that does not tell which sessions a client has open."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from memcli.hosts.own import is_own
from memcli.hosts.source import LIVE_SECONDS, acquired

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from memcli.hosts.shelf import Shelf
    from memcli.sidecar.lock import Lock

WHOLE_SECONDS = 60.0
"""So often all folders are looked through, for a session that goes on after a long rest; else only the newest ones,
and those of live sessions."""

_NEWEST = 3  # folders


class LiveSessions:
    """The sessions on a shelf that were written to a short while ago, of one project or (None) of all. Sub-agents'
    sessions, and those of our own summarizer, are none.

    It is a `Source` of `watch`.
    """

    def __init__(self, shelf: Shelf, project: Path | None) -> None:
        self._shelf = shelf
        self._project = project
        self._known: dict[Path, bool] = {}
        """Of the live ones, what was found out for good: if they are to be followed."""
        self._folders: set[Path] = set()
        """Where live ones lie."""
        self._searched = -WHOLE_SECONDS

    @property
    def flat(self) -> tuple[Path, ...]:
        """Directories in which sessions, or folders of them, appear."""
        return tuple(sorted(_above((*self._newest(), *self._folders), self._shelf.root)))

    @property
    def trees(self) -> tuple[Path, ...]:
        """None: `flat` names them all."""
        return ()

    def acquire(self, now: float) -> Lock:
        """Become the one watcher of these sessions. Raises AlreadyWatched; makes the folder if it is not there yet."""
        self._shelf.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return acquired(self._shelf.lock_file(self._project), now, self._shelf.title, whole=self._project is None)

    def paths(self) -> set[Path]:
        """The live sessions of this moment."""
        now = time.time_ns()
        written = {path for path, when in self._shelf.files(self._where()) if now - when < LIVE_SECONDS * 1e9}
        self._folders = {path.parent for path in written}
        self._known = {path: wanted for path, wanted in self._known.items() if path in written}
        return {path for path in written if self._is_wanted(path)}

    def _where(self) -> set[Path]:
        now = time.monotonic()
        if now - self._searched < WHOLE_SECONDS:
            return self._newest() | self._folders
        self._searched = now
        return set(self._shelf.folders(self._project))

    def _newest(self) -> set[Path]:
        return set(itertools.islice(self._shelf.folders(self._project), _NEWEST))

    def _is_wanted(self, path: Path) -> bool:
        if path in self._known:
            return self._known[path]
        belongs = self._shelf.belongs(path, self._project)
        own, certain = is_own(path)
        if belongs is not None and (certain or not belongs):
            self._known[path] = belongs and not own
        return bool(belongs) and not own


def _above(folders: Iterable[Path], root: Path) -> set[Path]:
    """These folders, and all directories from them up to the root."""
    chain = itertools.chain.from_iterable((folder, *folder.parents) for folder in folders)
    return {root, *(path for path in chain if path.is_relative_to(root))}
