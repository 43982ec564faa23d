"""The time the cache lives by: it can be set forward, and can run faster than the real one."""

from __future__ import annotations

import threading
import time


class Clock:
    """Seconds since it was made. `rate`: seconds that pass in one real second, for replays at speed."""

    def __init__(self, rate: float = 1.0) -> None:
        self.rate = rate
        self._begun = time.monotonic()
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return (time.monotonic() - self._begun) * self.rate + self._ahead

    def advance(self, seconds: float) -> None:
        """At once it is later."""
        with self._lock:
            self._ahead += seconds
