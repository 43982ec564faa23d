"""Pace: how often something is done whose cost must not be felt."""

from __future__ import annotations

SHARE = 0.0008
"""Of one core, at most, between the shortest and the longest period."""


class Pace:
    """When the next time is due. The period follows what the last time took, between two bounds; all in seconds."""

    def __init__(self, shortest: float, longest: float, share: float = SHARE) -> None:
        self.shortest = shortest
        self.longest = longest
        self.due = 0.0
        """By the steady clock; 0 is at once."""
        self._share = share

    def done(self, now: float, cost: float) -> None:
        """It was done just now, and took `cost` seconds of processor time."""
        self.due = now + min(self.longest, max(self.shortest, cost / self._share))

    def at_once(self) -> None:
        """Something happened that only another time can settle."""
        self.due = 0.0
