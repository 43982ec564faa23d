"""Accounts: whether a job may ask a model now, at what price at most, and what it came to.

    job ─► granted ─► the child          a job that may not ask is rendered only, and the reason is told once
    answer ─► settled                    the log of the transcript, the health of the summarizer

With a budget, paid jobs go one at a time: each may spend all that the hour has left, so that two in flight can never
spend it twice.
"""

from __future__ import annotations

import contextlib
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.sidecar import spending
from memcli.userdirs import state_dir
from memcli.watch.health import Health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memcli.memory.jobs import Job, Result


class Grant(NamedTuple):
    """A job as it may be sent; `refused` says why no model is asked ("" if one is, or none was wanted)."""

    job: Job
    refused: str = ""


class Accounts:
    """The accounts of one summarizer. `name` tells it from others; `dollars_an_hour` None is no limit."""

    def __init__(self, name: str, dollars_an_hour: float | None = None) -> None:
        self.path = health_path(name)
        self._dollars = dollars_an_hour
        self._health: Health | None = None

    @property
    def serial(self) -> bool:
        """True if jobs that a model writes must go one at a time."""
        return self._dollars is not None

    def granted(self, job: Job, wall: float, *, asked: bool = False) -> Grant:
        """The job with leave to ask a model, or without. `asked`: a person waits for it, and backing off is no help."""
        if not job.write:
            return Grant(job)
        health = self._read()
        refused = "" if asked else health.refusal(wall)
        if not refused and self._dollars is not None:
            left = health.left(self._dollars, wall)
            if left > 0:
                return Grant(msgspec.structs.replace(job, max_cost=left))
            refused = f"the hourly budget of ${self._dollars:g} is spent"
        return Grant(msgspec.structs.replace(job, write=False), refused) if refused else Grant(job)

    def settled(self, sidecar: Path | None, job: Job, result: Result, wall: float) -> None:
        """Put down what a job came to. Without a place to write it, only this process remembers it."""
        if sidecar is not None:
            with contextlib.suppress(OSError):
                spending.record(sidecar, wall, job.job, result.calls)
        if job.write:
            self._change(lambda health: _after(health, result, wall))

    def retry_at(self, wall: float) -> float:
        """When a model may be asked for what none has written, in Unix seconds; not before `wall`."""
        health = self._read()
        spent = self._dollars is not None and health.left(self._dollars, wall) <= 0
        return max(wall, health.not_before, health.budget_again(wall) if spent else 0.0)

    def _read(self) -> Health:
        try:
            return self._health or spending.value_of(self.path, Health)
        except OSError:
            return Health()

    def _change(self, change: Callable[[Health], Health]) -> None:
        try:
            spending.changed(self.path, Health, change)
        except OSError:
            self._health = change(self._read())


def health_path(name: str) -> Path:
    """Where the health of the summarizer of this name is kept."""
    return state_dir() / "summarizers" / f"{blake2b(name.encode(), digest_size=8).hexdigest()}.json"


def _after(health: Health, result: Result, wall: float) -> Health:
    health = health.charged(sum(call.cost or 0.0 for call in result.calls), wall)
    if result.wrote:
        return health.answered()
    if result.error:
        return health.failed(result.error, wall, permanent=result.permanent)
    failure = result.failure
    if failure is None:
        return health
    return health.failed(failure.sentence, wall, permanent=failure.permanent, retry_after=failure.retry_after)
