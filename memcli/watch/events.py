"""Hints that something changed in a directory. Only hints: the stat sweep of the loop is the truth.

watchfiles goes deaf on a file that is replaced, misses a file made together with its directory, and loses events when
the kernel's queue overflows, all in silence. So directories are watched, never files, an
event only means "look at this path now", and the loop looks at every known path from time to time anyway.

Debounce 50 ms and step 10 ms: an append is noticed after about 15 ms at 0.2 % of a core.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from watchfiles import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEBOUNCE_MS = 50
STEP_MS = 10


class Changed(NamedTuple):
    """Inbox: something happened to these paths."""

    paths: frozenset[str]


class Events:
    """Threads that turn file system events into inbox messages; one for flat directories, one for whole trees."""

    def __init__(self, post: Callable[[Changed], object], flat: Iterable[str], trees: Iterable[str]) -> None:
        self._post = post
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(sorted(set(paths)), recursive), daemon=True)
            for paths, recursive in ((flat, False), (trees, True))
            if paths
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop watching; the threads end within a step."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _follow(self, paths: list[str], recursive: bool) -> None:
        try:
            for changes in watch(
                *paths,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                recursive=recursive,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._post(Changed(frozenset(path for _, path in changes)))
        except (OSError, FileNotFoundError, RuntimeError):
            # A directory vanished or the kernel has no watches left: the sweep finds everything, only later.
            return
