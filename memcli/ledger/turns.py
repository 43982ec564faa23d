"""Turns: which request an event belongs to. Turns are numbered from 1, so that a reader sees what superseded what."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

MAX_TURNS = 5_000


class Turns(msgspec.Struct, array_like=True):
    """Event indices at which turns began; `dropped` counts the forgotten oldest ones."""

    starts: list[int] = []
    dropped: int = 0

    def began(self, index: int) -> None:
        """A prompt was given."""
        self.starts.append(index)
        if len(self.starts) > MAX_TURNS:
            del self.starts[0]
            self.dropped += 1

    def at(self, index: int) -> int:
        """The number of the turn an event belongs to; 0 before the first prompt."""
        return bisect_right(self.starts, index) + self.dropped
