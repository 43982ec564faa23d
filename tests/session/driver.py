"""A session with somebody who performs its effects, without disk, clock or child."""

from __future__ import annotations

from memcli.ledger.ledger import Ledger
from memcli.memory.jobs import Job, Result
from memcli.memory.render import render
from memcli.session import FindParent, Inheritance, Publication, Publish, Restart, Session, StartJob, Triggers, UpToDate

SOON = Triggers(init_tokens=1, update_tokens=1, update_tool_calls=1)
"""An update at every breakpoint."""

NEVER = Triggers(init_tokens=10**9, update_tokens=10**9, update_tool_calls=10**9)


class Driver:
    """Feeds bytes and keeps what comes out. Answers jobs at once unless told to hold them."""

    def __init__(self, format: str, triggers: Triggers = SOON, parent: Inheritance | None = None) -> None:
        self.session = Session(format, triggers)
        self.parent = parent
        self.file = b""
        self.now = 0.0
        self.jobs: list[Job] = []
        self.published: list[Publication] = []
        self.current = 0
        self.hold = False

    def feed(self, data: bytes, quiet: float = 0.0) -> Driver:
        """Bytes are appended; then `quiet` seconds pass."""
        self.file += data
        self._resolve(self.session.receive(data, self.now))
        return self.pass_time(quiet)

    def pass_time(self, seconds: float) -> Driver:
        self.now += seconds
        self._perform(self.session.tick(self.now))
        return self

    def update(self) -> Publication | None:
        """As `memcli update`: the memory at the last legal place."""
        self.session.ask()
        self.pass_time(1.0).pass_time(1.0)
        return self.published[-1] if self.published else None

    def answer(self, job: Job) -> None:
        self._perform(self.session.finished(rendered(job)))

    def restart(self) -> Driver:
        """The process ends and another one goes on."""
        before = self.session
        self.session = Session.restore(before.save(), before.triggers, before.past)
        rest = self.file[self.session.marks.position :]
        self._resolve(self.session.receive(rest, self.now))
        return self

    def _perform(self, effects: list) -> None:
        for effect in effects:
            match effect:
                case StartJob(job):
                    self.jobs.append(job)
                    if not self.hold:
                        self.answer(job)
                case Publish(publication):
                    self.published.append(publication)
                case UpToDate():
                    self.current += 1
                case FindParent() | Restart():
                    self._resolve([effect])

    def _resolve(self, effects: list) -> None:
        for effect in effects:
            match effect:
                case FindParent():
                    self._resolve(self.session.inherit(self.parent) if self.parent else self.session.disown())
                case Restart(dead):
                    before = self.session
                    self.session = Session(before.format, before.triggers, dead)
                    self.session.take_over(before)
                    self._resolve(self.session.receive(self.file, self.now))
                    return  # what the session before still had to say is of no use


def rendered(job: Job) -> Result:
    """What the embedded summarizer answers."""
    document = render(Ledger.restore(job.ledger), job.budget, job.pins, job.opaque)
    return Result(job.job, {block.name: block.ledger for block in document.blocks})


def memory_of(format: str, data: bytes) -> str:
    """The memory of a whole file, in one pass."""
    made = Driver(format, NEVER).feed(data).update()
    return made.markdown if made else ""
