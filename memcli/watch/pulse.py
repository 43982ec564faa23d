"""The daemon's signs of life: what systemd wants to hear regularly, and the metrics.

It beats in the thread of the loop and nowhere else: a loop that hangs must not look alive.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcli.watch.exposure import Exposure
    from memcli.watch.metrics import Counts, Tally
    from memcli.watch.notify import Notifier

COUNT_SECONDS = 1.0
"""What there is at a moment is counted no more often; a loop at rest has nothing new to count."""


class Pulse:
    """Beats when the loop turns. With nobody to tell it is due once, and never again."""

    def __init__(self, notifier: Notifier, tally: Tally | None = None, exposure: Exposure | None = None) -> None:
        self._notifier = notifier
        self._tally = tally
        self._exposure = exposure
        periods = [period for period in (notifier.period, exposure.period if exposure else 0.0) if period]
        self._period = min(periods, default=math.inf)
        self._tells = self._counted = -math.inf
        self._recounts = math.inf

    @property
    def due(self) -> float:
        """When the next beat is wanted, by the loop's clock. The first turn of the loop is one: then it is ready."""
        return min(self._tells, self._recounts)

    def beat(self, now: float, counts: Callable[[], Counts]) -> None:
        """The loop has turned; `now` is its clock, `counts` is asked where somebody wants to know."""
        tells = now >= self._tells
        if self._tally is not None:
            if tells or now >= self._counted + COUNT_SECONDS:
                self._tally.counts, self._counted, self._recounts = counts(), now, math.inf
            else:
                self._recounts = self._counted + COUNT_SECONDS
        if tells:
            self._tell(counts() if self._notifier else None, first=self._tells == -math.inf)
            self._tells = now + self._period

    def _tell(self, counts: Counts | None, *, first: bool) -> None:
        if counts is not None:
            transcripts, updates = _number(counts.transcripts, "transcript"), _number(counts.in_flight, "update")
            status = f"STATUS={transcripts}, {updates} in flight"
            self._notifier.tell(*(["READY=1"] if first else []), "WATCHDOG=1", status)
        if self._exposure is not None:
            self._exposure.show()

    def end(self) -> None:
        """The loop ends."""
        self._notifier.tell("STOPPING=1", "STATUS=ending")
        if self._exposure is not None:
            self._exposure.close()


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
