"""The daemon's signs of life: what systemd wants to hear regularly, and the metrics.

It beats in the thread of the loop and nowhere else: a loop that hangs must not look alive.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memcli.watch.exposure import Exposure
    from memcli.watch.metrics import Counts, Tally
    from memcli.watch.notify import Notifier


class Pulse:
    """Beats when the loop turns and something is `due`. With nobody to tell it is never due."""

    def __init__(self, notifier: Notifier, tally: Tally | None = None, exposure: Exposure | None = None) -> None:
        self._notifier = notifier
        self._tally = tally
        self._exposure = exposure
        periods = [period for period in (notifier.period, exposure.period if exposure else 0.0) if period]
        self._period = min(periods, default=math.inf)
        self.due = -math.inf
        """When the next beat is due, by the loop's clock. The first turn of the loop is one: then it is ready."""

    def beat(self, now: float, counts: Counts) -> None:
        """The loop has turned; `now` is its clock. What there is to count is told at each turn, the rest when due."""
        if self._tally is not None:
            self._tally.counts = counts
        if now < self.due:
            return
        first = self.due == -math.inf
        self.due = now + self._period
        status = f"STATUS={counts.transcripts} transcripts, {counts.in_flight} updates in flight"
        self._notifier.tell(*(["READY=1"] if first else []), "WATCHDOG=1", status)
        if self._exposure is not None:
            self._exposure.show()

    def end(self) -> None:
        """The loop ends."""
        self._notifier.tell("STOPPING=1", "STATUS=ending")
        if self._exposure is not None:
            self._exposure.close()
