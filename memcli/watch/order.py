"""The order of reading: what was appended to just now before what has waited for long, and everybody in turn.

    fresh    something happened to them: each gets a slice, first come, first served
    open     old ones that are being read, a few at a time, a slice each in turn
    old      the rest of the backlog

A slice in so many goes to the old ones however many fresh ones there are. An old one that has taken many slices and is
not done goes back to the end, so that a few huge transcripts do not keep the others waiting.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

OPEN = 6
"""Old ones that are read by turns. Each has its session in memory meanwhile."""

STAY = 256
"""Slices that an old one may take before it goes back to the end, if others wait."""

EVERY = 4
"""So many slices to fresh ones, then one to an old one."""


class Next(NamedTuple):
    """Whose turn it is; `heard`: when something happened to it, by the steady clock (None: nobody knows)."""

    path: str
    heard: float | None


class Order:
    """Who is read next."""

    def __init__(self) -> None:
        self._fresh: dict[str, float] = {}
        self._open: deque[str] = deque()
        self._old: deque[str] = deque()
        self._waiting: set[str] = set()
        """Those in `_open` and `_old`."""
        self._slices: dict[str, int] = {}
        self._served = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._waiting)

    def __contains__(self, path: str) -> bool:
        return path in self._fresh or path in self._waiting

    def news(self, path: str, now: float) -> None:
        """Something happened to this one just now."""
        self._fresh[path] = now

    def backlog(self, paths: Iterable[str]) -> None:
        """These have to be read, too, the first of them first."""
        new = [path for path in paths if path not in self._waiting]
        self._old.extend(new)
        self._waiting.update(new)

    def next(self) -> Next | None:
        """Whose turn it is; it is taken out. None if there is nothing to read."""
        old_ones_turn = not self._fresh or self._served >= EVERY
        if self._waiting and old_ones_turn:
            self._served = 0
            while self._old and len(self._open) < OPEN:
                self._open.append(self._old.popleft())
            path = self._open.popleft()
            self._waiting.discard(path)
            return Next(path, self._fresh.pop(path, None))
        if not self._fresh:
            return None
        self._served += 1
        path = next(iter(self._fresh))
        return Next(path, self._fresh.pop(path))

    def take(self, path: str) -> Next | None:
        """The turn of this one, if something happened to it."""
        return Next(path, self._fresh.pop(path)) if path in self._fresh else None

    def postponed(self, turn: Next) -> None:
        """It could not be read just now: it comes first the next time."""
        if turn.heard is not None:
            self._fresh = {turn.path: turn.heard, **self._fresh}
        elif turn.path not in self._waiting:
            self._waiting.add(turn.path)
            self._open.appendleft(turn.path)

    def unfinished(self, path: str) -> bool:
        """It had its slice and is not done; False if it has to go to the end, where it may rest."""
        if path in self._waiting:
            return True
        self._waiting.add(path)
        self._slices[path] = self._slices.get(path, 0) + 1
        if self._old and self._slices[path] >= STAY:
            del self._slices[path]
            self._old.append(path)
            return False
        self._open.append(path)
        return True

    def finished(self, path: str) -> None:
        """It was read to its end, or is not to be read any more."""
        self._slices.pop(path, None)
