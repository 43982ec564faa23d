"""Hints that something changed in a directory. Only hints: the stat sweep of the loop is the truth.

watchfiles goes deaf on a file that is replaced, misses a file made together with its directory, and loses events when
the kernel's queue overflows, all in silence. So directories are watched, never files, an
event only means "look at this path now", and the loop looks at every known path from time to time anyway.

Each directory is watched by itself, without what is below it: our own sidecars, which are written to all the time,
would only be told to ourselves. The directories are found by `watch.grounds`; when they are others than before, a new
watcher takes the place of the old one, which goes only then. `RustNotify` is the part of watchfiles that waits. Its
polling, which loses every second change within a second, is never used.

Debounce 50 ms and step 10 ms: an append is noticed after about 15 ms at 0.2 % of a core.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from watchfiles._rust_notify import RustNotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEBOUNCE_MS = 50
STEP_MS = 10

_TRIES = 3


class Changed(NamedTuple):
    """Inbox: something happened to these paths."""

    paths: frozenset[str]


class Deaf(NamedTuple):
    """Inbox: no more events will come from the directories that are watched."""


Post: TypeAlias = "Callable[[Changed | Deaf], object]"


def expected() -> bool:
    """False where the user says, or the system is known for it, that events do not come."""
    forced = os.environ.get("WATCHFILES_FORCE_POLLING", "").lower()
    return forced in ("", "0", "false", "disable") and "microsoft" not in os.uname().release.lower()


class Events:
    """A thread that turns file system events into inbox messages."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._listener: _Listener | None = None
        self._gone: list[_Listener] = []

    def watch(self, directories: Iterable[str]) -> bool:
        """Watch these directories instead of those before; False if the system cannot (any more)."""
        before, self._listener = self._listener, _listening(directories, self._post)
        self._gone = [listener for listener in self._gone if listener.is_alive()]
        if before is not None:
            before.stop.set()
            self._gone.append(before)
        return self._listener is not None

    def close(self) -> None:
        """Stop watching; the threads end within a step."""
        for listener in (*self._gone, *([self._listener] if self._listener else [])):
            listener.stop.set()
            listener.join(timeout=1.0)


def _listening(directories: Iterable[str], post: Post) -> _Listener | None:
    for _ in range(_TRIES):
        try:
            listener = _Listener([path for path in sorted(directories) if os.path.isdir(path)], post)
        except FileNotFoundError:
            continue  # one of them vanished since
        except (OSError, RuntimeError):
            return None  # the kernel has no watches left
        listener.start()
        return listener
    return None


class _Stop:
    """An event. `is_set` is asked at every step, a hundred times a second: it is a call into C, and nothing more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_set = self._lock.locked

    def set(self) -> None:
        self._lock.acquire(blocking=False)


class _Listener(threading.Thread):
    """Waits for the events of one set of directories."""

    def __init__(self, paths: list[str], post: Post) -> None:
        super().__init__(daemon=True)
        self.stop = _Stop()
        self._post = post
        self._notify = RustNotify(paths, False, False, 0, False, True)

    def run(self) -> None:
        try:
            while not isinstance(changes := self._notify.watch(DEBOUNCE_MS, STEP_MS, 0, self.stop), str):
                self._post(Changed(frozenset(path for _, path in changes)))
        except (OSError, RuntimeError):
            if not self.stop.is_set():
                self._post(Deaf())
        finally:
            self._notify.close()
