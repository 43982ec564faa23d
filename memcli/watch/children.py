"""The summarizer child: started at the first job, one for all transcripts, reaped always.

Two threads stand beside it, one for each pipe, so that a slow child never holds up the loop; what they learn reaches
the loop through its inbox. A child that dies or overruns a deadline is killed with its whole process group; the jobs
it had not answered are given once to a new child and then reported as failed. A child idle for long is let go.

What happens if we die: the child's stdin ends, and it ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from memcli.memory.jobs import Job, Progress, Result, parse_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEADLINE_SECONDS = 60.0
"""For a job that is only rendered. One that a model writes has a deadline of its own in the child; `patience` is ours,
for a child that does not keep it. Both are counted anew from each sentence on the way."""

IDLE_SECONDS = 60.0
LOOK_SECONDS = 0.25
"""Who waits for an answer looks so often whether time is over, or the answer is wanted no more."""

RESULT_BYTES = 16 * 1024 * 1024
"""A result line longer than this is a fault of the child."""


class GivenUp(Exception):
    """The answer that was waited for is wanted no more."""


class Answered(NamedTuple):
    """Inbox: a child answered a job of this owner."""

    owner: str
    result: Result


class Progressed(NamedTuple):
    """Inbox: a child says how far a job of this owner is, and maybe what it may cost at most (US dollars)."""

    owner: str
    job: str
    sentence: str
    most: float | None = None


class ChildGone(NamedTuple):
    """Inbox: a child's output ended."""

    pid: int


class _Asked(NamedTuple):
    owner: str
    job: Job
    deadline: float
    attempts: int
    paid: bool = False
    """Part of a budget may have been spent on it."""


Post: TypeAlias = "Callable[[Answered | Progressed | ChildGone], object]"


def command(options: Sequence[str] = ()) -> list[str]:
    """The summarizer we bring along, with its options."""
    return [sys.executable, "-P", "-m", "memcli.summarize", *options]


class Summarizers:
    """Jobs out, answers into the inbox. `now` is the loop's clock, `patience` how long nothing may be heard of a job
    that a model writes, in seconds."""

    def __init__(self, post: Post, argv: Sequence[str] | None = None, patience: float = DEADLINE_SECONDS) -> None:
        self._post = post
        self._argv = list(argv or command())
        self._patience = patience
        self._child: _Child | None = None
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._idle_since = 0.0
        self.deaths = 0
        """Children that died, or took too long and were killed."""

    def ask(self, owner: str, job: Job, now: float, attempts: int = 1) -> None:
        """Give a job to the child, starting it if none runs."""
        problem = self.warm(now)
        if self._child is None:
            self._post(Answered(owner, Result(job.job, error=problem)))
            return
        self._asked[owner, job.job] = _Asked(owner, job, now + self._allowed(job), attempts)
        self._child.send(owner, job)

    def _allowed(self, job: Job) -> float:
        return self._patience if job.write else DEADLINE_SECONDS

    def warm(self, now: float) -> str:
        """Start the child if none runs, so that it is ready when a job comes; why it could not be, or ""."""
        if self._child is None:
            self._idle_since = now
            try:
                self._child = _Child(self._argv, self._post)
            except OSError as error:
                return f"cannot start {self._argv[0]}: {error.strerror}"
        return ""

    def answered(self, message: Answered, now: float) -> None:
        """The loop read an answer from its inbox."""
        self._asked.pop((message.owner, message.result.job), None)
        self._idle_since = now

    def progressed(self, message: Progressed, now: float) -> None:
        """The loop read a sentence on the way: a job that a model writes gets its time anew. One that is only rendered
        has nothing to wait for.
        """
        asked = self._asked.get((message.owner, message.job))
        if asked is not None and asked.job.write:
            paid = asked.paid or message.most is not None
            self._asked[message.owner, message.job] = asked._replace(deadline=now + self._allowed(asked.job), paid=paid)

    def gone(self, message: ChildGone, now: float) -> None:
        """The child's output ended: reap it, and ask a new one for what it owes."""
        if self._child is None or self._child.pid != message.pid:
            return
        self._drop("the summarizer ended", now)

    def tick(self, now: float) -> None:
        """Enforce deadlines; let an idle child go."""
        if self._child is None:
            return
        if any(asked.deadline < now for asked in self._asked.values()):
            self._drop("the summarizer took too long", now)
        elif not self._asked and now - self._idle_since > IDLE_SECONDS:
            self._child.close()
            self._child = None

    def close(self) -> None:
        """End the child with its process group, and reap it."""
        if self._child is not None:
            self._child.close()
            self._child = None

    @property
    def pid(self) -> int:
        """Process id of the running child, or 0."""
        return self._child.pid if self._child else 0

    def _drop(self, reason: str, now: float) -> None:
        self.deaths += 1
        self.close()
        owed, self._asked = list(self._asked.values()), {}
        for asked in owed:
            # A model that took too long, or was asked on a budget, may have been paid: not twice for the same.
            if asked.attempts > 1 or asked.paid or (asked.job.write and asked.deadline < now):
                self._post(Answered(asked.owner, Result(asked.job.job, error=reason)))
            else:
                self.ask(asked.owner, asked.job, now, attempts=2)


class Asking:
    """A child that is asked one job at a time, and waited for. `patience` is in seconds; `close` it.

    `given_up` may be set by another thread: then nobody waits any more.
    """

    def __init__(
        self,
        argv: Sequence[str],
        patience: float,
        progress: Callable[[Progressed], object] = lambda _: None,
        given_up: threading.Event | None = None,
    ) -> None:
        self._inbox: SimpleQueue[Answered | Progressed | ChildGone] = SimpleQueue()
        self._summarizers = Summarizers(self._inbox.put, argv, patience)
        self._progress = progress
        self._given_up = given_up

    def ask(self, job: Job) -> Result:
        """The answer, or one with an error. `progress` is told how far it is meanwhile. Raises GivenUp."""
        self._summarizers.ask("", job, time.monotonic())
        while True:
            if self._given_up is not None and self._given_up.is_set():
                raise GivenUp
            try:
                message = self._inbox.get(timeout=LOOK_SECONDS)
            except Empty:
                self._summarizers.tick(time.monotonic())
                continue
            match message:
                case Answered(_, result):
                    self._summarizers.answered(message, time.monotonic())
                    return result
                case Progressed():
                    self._summarizers.progressed(message, time.monotonic())
                    self._progress(message)
                case ChildGone():
                    self._summarizers.gone(message, time.monotonic())

    def close(self) -> None:
        """End the child."""
        self._summarizers.close()


class _Child:
    """One process and the threads at its pipes."""

    def __init__(self, argv: list[str], post: Post) -> None:
        self._process = subprocess.Popen(  # our own interpreter, or the command the user configured
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # its own process group: killed whole, and spared the terminal's Ctrl-C
        )
        self.pid = self._process.pid
        self._post = post
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._owners: dict[str, str] = {}
        self._serial = count()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def send(self, owner: str, job: Job) -> None:
        # Two transcripts may use the same job name: the wire carries a name of our own.
        wire = f"{next(self._serial)}:{job.job}"
        self._owners[wire] = owner
        self._outbox.put(msgspec.json.encode(msgspec.structs.replace(job, job=wire)) + b"\n")

    def close(self) -> None:
        self._outbox.put(None)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # both were asked for

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        while (line := self._outbox.get()) is not None:
            try:
                pipe.write(line)
                pipe.flush()
            except OSError:
                return  # the child is gone: the reading thread says so

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while line := pipe.readline(RESULT_BYTES):
            try:
                answer = parse_answer(line)
            except msgspec.MsgspecError:
                break  # not the protocol: the child is taken for broken
            if isinstance(answer, Progress):
                if answer.job in self._owners:
                    name, most = _our_name(answer.job), answer.most
                    self._post(Progressed(self._owners[answer.job], name, answer.progress, most))
                continue
            owner = self._owners.pop(answer.job, None)
            if owner is not None:
                self._post(Answered(owner, msgspec.structs.replace(answer, job=_our_name(answer.job))))
        self._post(ChildGone(self.pid))


def _our_name(wire: str) -> str:
    """The name of a job from the one it had on the wire."""
    return wire.split(":", 1)[1]
