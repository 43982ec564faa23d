"""Accounts: whether a job may ask a model now, at what price at most, and what it came to.

    job ─► granted ─► the child          a job that may not ask is rendered only, and the reason is told once
    the child ─► bounded                 what its requests may cost at most: the rest is free for others
    answer ─► settled                    the log of the transcript, its own health, that of the summarizer

With a budget, paid jobs of a process go one at a time: each may spend all that the hour has left, and that is held for
it in the file that all daemons of a user share, until the child knows better or the job is settled. What may have been
asked by a child that died before it could tell the cost counts as paid.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from memcli.sidecar import spending
from memcli.userdirs import state_dir
from memcli.watch.health import Health

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memcli.memory.jobs import Job, Result


_OF_THE_USER = ("command", "program")
"""Backends whose name is a command line."""


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
        self._name = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._bound = 0.0
        self._called = " ".join(name.split("\n")[:2]).strip()  # a command line may hold a secret

    @property
    def serial(self) -> bool:
        """True if jobs that a model writes must go one at a time."""
        return self._dollars is not None

    def granted(self, job: Job, wall: float, sidecar: Path | None = None, *, asked: bool = False) -> Grant:
        """The job with leave to ask a model, or without; `sidecar` is that of its transcript. `asked`: a person waits
        for it, and backing off is no help."""
        if not job.write:
            return Grant(job)
        health = self._read()
        refused = "" if asked else health.refusal(wall) or self._own(sidecar).refusal(wall)
        if not refused and self._dollars is not None:
            self._bound = 0.0
            left, health = self._hold(self._dollars, wall)
            if left > 0:
                return Grant(msgspec.structs.replace(job, max_cost=left))
            spent = health.paid(wall) >= self._dollars
            why = "is spent" if spent else "is spent or held for another update"
            refused = f"the hourly budget of ${self._dollars:g} {why}"
        return Grant(msgspec.structs.replace(job, write=False), refused) if refused else Grant(job)

    def bounded(self, dollars: float, wall: float) -> None:
        """The child says what the requests of its job may cost at most, those that it is about to make included."""
        if self._dollars is not None:
            self._bound = dollars
            self._change(lambda health: health.holding(self._name, dollars, wall))

    def settled(self, sidecar: Path | None, grant: Grant, result: Result, wall: float) -> None:
        """Put down what a job came to. Without a place to write it, only this process remembers it."""
        own = _own_after(self._own(sidecar), result, wall)
        if sidecar is not None:
            with contextlib.suppress(OSError):
                spending.record(sidecar, wall, grant.job.job, result.calls)
                self._note(sidecar, grant, result, own, wall)
        if grant.job.write:
            paid = sum(call.cost or 0.0 for call in result.calls)
            if result.error or any(call.cost is None for call in result.calls):
                paid = max(paid, self._bound)  # nobody can tell any more, so it is what it was at most
            self._bound = 0.0
            self._change(lambda health: _after(health.released(self._name).charged(paid, wall), own, result, wall))

    def dropped(self, wall: float) -> None:
        """A job in flight is given up, as at Ctrl-C: what it may have cost is taken for paid, and no more is held. One
        that was settled is none."""
        if self._dollars is not None:
            paid, self._bound = self._bound, 0.0
            self._change(lambda health: health.released(self._name).charged(paid, wall))

    def retry_at(self, wall: float, sidecar: Path | None = None) -> float:
        """When a model may be asked for what none has written, about any transcript or the one of this `sidecar`, in
        Unix seconds; not before `wall`."""
        health = self._read()
        spent = self._dollars is not None and health.left(self._dollars, wall) <= 0
        own = self._own(sidecar).not_before
        return max(wall, own, health.not_before, health.budget_again(wall) if spent else 0.0)

    def _own(self, sidecar: Path | None) -> Health:
        """The health of this summarizer with one transcript: of faults that are the transcript's own."""
        noted = spending.noted(sidecar) if sidecar else None
        if noted is None or noted.health != self.path.name:
            return Health()
        return Health(noted.failures, noted.reason, not_before=noted.not_before)

    def _note(self, sidecar: Path, grant: Grant, result: Result, own: Health, wall: float) -> None:
        if grant.job.write or grant.refused:
            failure = grant.refused or result.error or (result.failure.sentence if result.failure else "")
            name, health = self._called, self.path.name
            noted = spending.Noted(wall, name, health, failure, own.failures, own.reason, own.not_before)
            spending.note(sidecar, noted)

    def _hold(self, budget: float, wall: float) -> tuple[float, Health]:
        """Hold what is left of the budget; how much that is, and the health as it is now."""
        left = 0.0

        def hold(health: Health) -> Health:
            nonlocal left
            left = health.left(budget, wall)
            return health.holding(self._name, left, wall) if left > 0 else health

        health = self._change(hold)
        return left, health

    def _read(self) -> Health:
        try:
            return self._health or spending.value_of(self.path, Health)
        except OSError:
            return Health()

    def _change(self, change: Callable[[Health], Health]) -> Health:
        try:
            return spending.changed(self.path, Health, change)
        except OSError:
            self._health = change(self._read())
            return self._health


class Introduction(NamedTuple):
    """What a daemon says of who writes for it, in its presence: a name, where the conversation is sent, and the name of
    the file with the writer's health ("" for one that needs none)."""

    name: str
    sends: str
    health: str = ""

    @classmethod
    def of(cls, name: str, sends: str, account: str) -> Self:
        """Without the words of a command line: they may hold a secret."""
        kind = account.partition("\n")[0]
        health = health_path(account).name if account else ""
        return cls(f"a {kind}", "as its process was told", health) if kind in _OF_THE_USER else cls(name, sends, health)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The introduction that a presence holds; None if it is none."""
        lines = text.split("\n")
        return cls(*lines) if len(lines) == len(cls._fields) else None

    def __str__(self) -> str:
        return "\n".join(" ".join(part.split()) for part in self)


def health_path(name: str) -> Path:
    """Where the health of the summarizer of this name is kept."""
    return state_dir() / "summarizers" / f"{blake2b(name.encode(), digest_size=8).hexdigest()}.json"


def _own_after(own: Health, result: Result, wall: float) -> Health:
    """The health with one transcript, after an answer about it."""
    failure = result.failure
    if result.wrote:
        return Health()
    if failure is None or not failure.own:
        return own
    return own.failed(failure.sentence, wall, permanent=failure.permanent, retry_after=failure.retry_after)


def _after(health: Health, own: Health, result: Result, wall: float) -> Health:
    """The health with all, after an answer about a transcript, with which it now is `own`."""
    if result.wrote:
        return health.answered()
    if result.error:
        return health.failed(result.error, wall, permanent=result.permanent)
    failure = result.failure
    if failure is None:
        return health
    if failure.own:
        return health.doubted(failure.sentence, wall) if own.failures == 1 else health
    return health.failed(failure.sentence, wall, permanent=failure.permanent, retry_after=failure.retry_after)
