"""Flights: the jobs of all transcripts, those that wait and those a summarizer is at work on.

At most so many are in flight over all transcripts; first come, first served. The accounts say whether a job may ask a
model, and are told what came of it, whoever may still want the answer.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from memcli.watch.accounts import Grant
from memcli.watch.told import Told, answered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memcli.memory.jobs import Job
    from memcli.watch.accounts import Accounts
    from memcli.watch.children import Answered, Progressed, Summarizers


class _Waiting(NamedTuple):
    owner: str
    job: Job
    sidecar: Path


class Flights:
    """Jobs on their way. Owners are transcripts, by path; `now` is the caller's steady clock, in seconds."""

    def __init__(
        self, summarizers: Summarizers, accounts: Accounts | None, most: int, report: Callable[[Told], None]
    ) -> None:
        self._summarizers = summarizers
        self._accounts = accounts
        self._most = most
        self._report = report
        self._waiting: deque[_Waiting] = deque()
        self._in_flight: dict[tuple[str, str], Grant] = {}

    def __len__(self) -> int:
        return len(self._in_flight)

    @property
    def waiting(self) -> int:
        """Jobs that were not started yet."""
        return len(self._waiting)

    def add(self, owner: str, job: Job, sidecar: Path) -> None:
        """This job, about the transcript with this sidecar, is to be started when there is room."""
        self._waiting.append(_Waiting(owner, job, sidecar))

    def drop(self, owner: str = "") -> None:
        """Forget the jobs of an owner, or of all, that were not started yet."""
        self._waiting = deque(waiting for waiting in self._waiting if owner and waiting.owner != owner)

    def has(self, owner: str) -> bool:
        """True while a job of this owner waits or is in flight; of a file that was replaced there may be two."""
        return self.awaits(owner) or any(waiting.owner == owner for waiting in self._waiting)

    def awaits(self, owner: str) -> bool:
        """True while a job of this owner is in flight."""
        return any(name == owner for name, _ in self._in_flight)

    def start(self, now: float, asked: set[str]) -> None:
        """Start what there is room for. A model is asked for those in `asked` although it failed lately."""
        held = []
        while self._waiting and len(self._in_flight) < self._most:
            owner, job, sidecar = waiting = self._waiting.popleft()
            if self._must_wait(job):
                held.append(waiting)
                continue
            grant = Grant(job)
            if self._accounts is not None:
                grant = self._accounts.granted(job, time.time(), sidecar, asked=owner in asked)
            if grant.refused:
                self._report(Told(owner, "progress", {"what": f"no model was asked: {grant.refused}"}))
            self._in_flight[owner, grant.job.job] = grant
            self._summarizers.ask(owner, grant.job, now)
            self._report(Told(owner, "asked", {"job": grant.job.job}))
        self._waiting.extendleft(reversed(held))

    def progressed(self, message: Progressed, now: float) -> None:
        """A child says how far it is."""
        self._summarizers.progressed(message, now)
        if self._accounts is not None and message.most is not None:
            self._accounts.bounded(message.most, time.time())
        self._report(Told(message.owner, "progress", {"what": message.sentence}))

    def landed(self, message: Answered, sidecar: Path | None, now: float) -> None:
        """A job was answered; it is accounted for in the sidecar of its transcript, if that is still followed."""
        self._summarizers.answered(message, now)
        grant = self._in_flight.pop((message.owner, message.result.job), None)
        if self._accounts is not None and grant is not None:  # paid for, whoever may still want it
            self._accounts.settled(sidecar, grant, message.result, time.time())
        self._report(answered(message.owner, message.result))

    def given_up(self) -> None:
        """What is still in flight is waited for no more: what it may have cost is taken for paid."""
        if self._accounts is not None and self._paying:
            self._accounts.dropped(time.time())

    def _must_wait(self, job: Job) -> bool:
        """True if a paid job must wait for the one in flight, to know what it may spend."""
        serial = self._accounts is not None and self._accounts.serial
        return serial and job.write and self._paying

    @property
    def _paying(self) -> bool:
        """True while a model may be at work for us."""
        return any(grant.job.write for grant in self._in_flight.values())
