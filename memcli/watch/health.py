"""The health of a summarizer: when a model may be asked again, and what the last hour has cost.

A value with rules; the file it is kept in is shared by all daemons of a user, so that what one has learned (a key that
is refused, a budget that is spent) holds for the next one too.

    failed once, twice …   no model is asked for 30 s, 1 min, 2 min … at most an hour (the memory's facts stay fresh)
    failed five times      the circuit is open: one try an hour
    a permanent failure    the same, at once: a wrong key does not get better by asking
    answered               all is forgotten

A failure of one transcript's own (an answer that cannot be taken) makes that one wait by the same rules, in a health of
its own; the others are asked. Five such transcripts in a row, and no good answer in between, are a failure of the
summarizer: some models never answer as they should.

What a job may spend is held for it from the moment it is sent until it is settled, so that two daemons can never spend
the same money. What was held by a process that died counts as spent, until an hour has passed.
"""

from __future__ import annotations

import msgspec

FIRST_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
"""No Retry-After is believed beyond this."""
TRIES = 5
"""Failures in a row that open the circuit."""

HOUR_SECONDS = 3600.0


class Held(msgspec.Struct, frozen=True):
    """US dollars that a job in flight may spend at most, since when (Unix seconds)."""

    job: str
    when: float
    dollars: float


class Health(msgspec.Struct, frozen=True):
    """What is known of one summarizer. Times are Unix seconds; `spent` holds (when, US dollars) of the last hour."""

    failures: int = 0
    reason: str = ""
    permanent: bool = False
    not_before: float = 0.0
    spent: tuple[tuple[float, float], ...] = ()
    held: tuple[Held, ...] = ()
    doubts: int = 0
    """Transcripts in a row that began to fail, each by itself."""

    def refusal(self, wall: float) -> str:
        """Why no model should be asked now; "" if one may be."""
        if wall >= self.not_before:
            return ""
        again = f"next try in {self.not_before - wall:.0f} s"
        return f"{self.reason}; {again}" if self.reason else again

    def left(self, dollars_an_hour: float, wall: float) -> float:
        """US dollars that may still be spent now, of what an hour may cost."""
        return max(0.0, dollars_an_hour - self.paid(wall) - sum(one.dollars for one in self._held(wall)))

    def paid(self, wall: float) -> float:
        """US dollars that the last hour has cost, without what is held."""
        return sum(cost for when, cost in self.spent if when > wall - HOUR_SECONDS)

    def budget_again(self, wall: float) -> float:
        """When the oldest spending of the last hour is an hour old."""
        times = [when for when, _ in self.spent if when > wall - HOUR_SECONDS]
        return min([*times, *(one.when for one in self._held(wall))], default=wall) + HOUR_SECONDS

    def charged(self, dollars: float, wall: float) -> Health:
        """After something was paid."""
        kept = tuple(item for item in self.spent if item[0] > wall - HOUR_SECONDS)
        return msgspec.structs.replace(self, spent=(*kept, (wall, dollars)) if dollars > 0 else kept)

    def holding(self, job: str, dollars: float, wall: float) -> Health:
        """With so much held for a job, instead of what was held for it before."""
        others = tuple(one for one in self._held(wall) if one.job != job)
        return msgspec.structs.replace(self, held=(*others, Held(job, wall, dollars)))

    def released(self, job: str) -> Health:
        """With nothing held for a job any more."""
        return msgspec.structs.replace(self, held=tuple(one for one in self.held if one.job != job))

    def answered(self) -> Health:
        """After an answer that was good."""
        return Health(spent=self.spent, held=self.held)

    def failed(self, reason: str, wall: float, *, permanent: bool = False, retry_after: float | None = None) -> Health:
        """After a failure; `retry_after` in seconds, if the service said so."""
        failures = self.failures + 1
        pause = LONGEST_SECONDS if permanent or failures >= TRIES else FIRST_SECONDS * 2 ** (failures - 1)
        not_before = wall + max(pause, min(retry_after or 0.0, DAY_SECONDS))
        return Health(failures, reason, permanent, not_before, self.spent, self.held)

    def doubted(self, reason: str, wall: float) -> Health:
        """After a transcript has failed by itself, which had not before."""
        if self.doubts + 1 >= TRIES:
            return self.failed(reason, wall)
        return msgspec.structs.replace(self, doubts=self.doubts + 1)

    def _held(self, wall: float) -> list[Held]:
        return [one for one in self.held if one.when > wall - HOUR_SECONDS]
