"""Transcripts that come and go: what a host gives to `watch` beside, or in place of, named paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from memcli.hosts import known

if TYPE_CHECKING:
    from memcli.sidecar.lock import Lock


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


def source_of(host: str, project: str) -> Source:
    """The source of a host by its name; `project` is a directory, "" for all."""
    return known.named(host).source(Path(project) if project else None)
