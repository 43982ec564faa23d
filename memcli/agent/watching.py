"""`memcli.watch`: a watcher beside an agent, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from memcli.agent.background import Background
from memcli.agent.place import check_place, quoted
from memcli.agent.rules import rules
from memcli.errors import TryAgain
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.watch.follower import Follower

if TYPE_CHECKING:
    from collections.abc import Iterable

START_SECONDS = 60.0
_LOOK_SECONDS = 0.02


class Watching:
    """A running watcher. It ends with `stop`, with its `with` block, or with this process, whichever comes first."""

    def __init__(self, background: Background) -> None:
        self._background = background

    @property
    def pid(self) -> int:
        """The watcher's process id."""
        return self._background.pid

    @property
    def running(self) -> bool:
        """False once it has ended."""
        return self._background.running

    @property
    def heard(self) -> list[str]:
        """Its last log lines, as `memcli watch` prints them."""
        return list(self._background.heard)

    def stop(self) -> None:
        """End it and wait for it, at most some seconds. Stopping twice is fine."""
        self._background.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def watch(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], **settings: Any) -> Watching:
    """Follow transcripts, or directories of them, and keep session-memory.md beside each, in a process of its own.

    `settings` are those of `memcli config show`, with underscores (`context_limit=150_000`). Returns once the
    transcripts that are there are followed; a named file may come later, into a directory that is there.

    Raises AlreadyWatched, NoTranscript, NotATranscript, Usage, all of them MemcliError.
    """
    found = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    for path in found:
        if not path.exists():
            check_place(path)
    chosen = rules(settings)
    files = [path for path in found if path.is_file()]
    for path in files:
        # The watcher looks the same way, and would only log it.
        Follower(str(path), Place.of(path), chosen.triggers).look(time.monotonic(), most=1)
    background = Background(found, chosen)
    try:
        _await(background, files, START_SECONDS)
    except BaseException:
        background.stop()
        raise
    return Watching(background)


def _await(background: Background, files: list[Path], patience: float) -> None:
    """Until it follows `files`. Raises what it ended with, TryAgain if it takes more than so many seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if background.failure is not None:
            raise background.failure
        if background.spoke.is_set() and all(_holds(background, path) for path in files):
            return
        time.sleep(_LOOK_SECONDS)
    alone = " ".join(["memcli watch", *map(quoted, background.paths)])  # in the foreground it tells what holds it up
    raise TryAgain(f"the watcher did not start within {patience:g} s", alone)


def _holds(background: Background, path: Path) -> bool:
    found = holder(Place.of(path).lock)
    return found is not None and found.pid == background.pid
