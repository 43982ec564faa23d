"""Transcripts that come and go: what a host gives to `watch` beside, or in place of, named paths.

Also what the sources of all hosts have in common: when a session is live, and the lock of the one watcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import DAEMON, Lock, holder

if TYPE_CHECKING:
    from pathlib import Path

LIVE_SECONDS = 900.0
"""A session that was written to within this time is live, also if no running client names it."""


class Source(Protocol):
    """The live sessions of a host, of one project or of all."""

    @property
    def flat(self) -> tuple[Path, ...]:
        """Directories in which sessions appear; they exist once `acquire` was called."""

    @property
    def trees(self) -> tuple[Path, ...]:
        """Directories in whose subdirectories sessions appear; the same."""

    def acquire(self, now: float) -> Lock:
        """Become the one watcher of this source. Raises AlreadyWatched; `now` in Unix seconds."""

    def paths(self) -> set[Path]:
        """The sessions that live at this moment. Asked every few seconds: it must be cheap."""


def acquired(path: Path, now: float, title: str, *, whole: bool) -> Lock:
    """The lock of a watcher of sessions. Raises AlreadyWatched with a sentence that names the host."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return Lock.acquire(path, DAEMON, now)
    except AlreadyWatched as error:
        whose = "of all projects" if whole else "of this project"
        who = f"process {error.pid}" if error.pid else "another process"
        sentence = f"the {title} sessions {whose} are already watched by {who}"
        raise AlreadyWatched(sentence, "memcli status", error.pid, error.daemon) from error


def held(*locks: Path) -> Path | None:
    """The first of these locks that a watcher holds; None if nobody watches."""
    return next((lock for lock in locks if holder(lock)), None)
