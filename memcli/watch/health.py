"""The health of a summarizer: when a model may be asked again, and what the last hour has cost.

A value with rules; the file it is kept in is shared by all daemons of a user, so that what one has learned (a key that
is refused, a budget that is spent) holds for the next one too.

    failed once, twice …   no model is asked for 30 s, 1 min, 2 min … at most an hour (the memory's facts stay fresh)
    failed five times      the circuit is open: one try an hour
    a permanent failure    the same, at once: a wrong key does not get better by asking
    answered               all is forgotten
"""

from __future__ import annotations

import msgspec

FIRST_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
TRIES = 5
"""Failures in a row that open the circuit."""

HOUR_SECONDS = 3600.0


class Health(msgspec.Struct, frozen=True):
    """What is known of one summarizer. Times are Unix seconds; `spent` holds (when, US dollars) of the last hour."""

    failures: int = 0
    reason: str = ""
    permanent: bool = False
    not_before: float = 0.0
    spent: tuple[tuple[float, float], ...] = ()

    def refusal(self, wall: float) -> str:
        """Why no model should be asked now; "" if one may be."""
        if wall >= self.not_before:
            return ""
        again = f"next try in {self.not_before - wall:.0f} s"
        return f"{self.reason}; {again}" if self.reason else again

    def left(self, dollars_an_hour: float, wall: float) -> float:
        """US dollars that may still be spent now, of what an hour may cost."""
        return max(0.0, dollars_an_hour - sum(cost for when, cost in self.spent if when > wall - HOUR_SECONDS))

    def budget_again(self, wall: float) -> float:
        """When the oldest spending of the last hour is an hour old."""
        return min((when for when, _ in self.spent if when > wall - HOUR_SECONDS), default=wall) + HOUR_SECONDS

    def charged(self, dollars: float, wall: float) -> Health:
        """After something was paid."""
        kept = tuple(item for item in self.spent if item[0] > wall - HOUR_SECONDS)
        return msgspec.structs.replace(self, spent=(*kept, (wall, dollars)) if dollars else kept)

    def answered(self) -> Health:
        """After an answer that was good."""
        return Health(spent=self.spent)

    def failed(self, reason: str, wall: float, *, permanent: bool = False, retry_after: float | None = None) -> Health:
        """After a failure; `retry_after` in seconds, if the service said so."""
        failures = self.failures + 1
        pause = LONGEST_SECONDS if permanent or failures >= TRIES else FIRST_SECONDS * 2 ** (failures - 1)
        not_before = wall + max(pause, retry_after or 0.0)
        return Health(failures, reason, permanent, not_before, self.spent)
