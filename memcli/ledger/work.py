"""Work: calls and their outcomes: what runs, what failed, which tests fail, what is on the to-do list.

The part of the fold that the ledger and Current State share. Where they stand at the same place of the transcript it is
one and the same; beyond the last legal boundary the present has a copy of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.ledger.answers import Offer
from memcli.ledger.background import Background, Job
from memcli.ledger.checks import Checks
from memcli.ledger.deeds import Deed, deed_of
from memcli.ledger.diagnosis import diagnosis_in
from memcli.ledger.failures import Failures, Moment, hidden
from memcli.ledger.prose import purpose
from memcli.ledger.rounds import Outcome, Rounds, outcome_of
from memcli.ledger.todos import Todos
from memcli.transcript.entries import AssistantText, ToolResult, ToolUse, UserText

if TYPE_CHECKING:
    from memcli.transcript.entries import AnyPart

PURPOSE_USES = 4  # calls that a sentence before them still explains
_STARTERS = ("shell", "agent", "other", "stdin")


class Settled(msgspec.Struct, frozen=True):
    """A call whose result is known. `running`: it goes on in the background, so nothing came of it yet."""

    deed: Deed
    outcome: Outcome
    running: bool = False


class Taken(NamedTuple):
    """What came of a part that was taken in: a call that is settled; a text of the agent, cleaned, and its offer."""

    settled: Settled | None = None
    text: str = ""
    offer: Offer = Offer()


NOTHING = Taken()
_EVENTS = frozenset((UserText, AssistantText, ToolUse, ToolResult))


class Work(msgspec.Struct, array_like=True):
    """State of all work. `clock` is the event index: the words, calls and results folded."""

    clock: int = 0
    now: Moment = msgspec.field(default_factory=Moment)
    why: str = ""  # what the agent said it is doing
    why_uses: int = 0
    todos: Todos = msgspec.field(default_factory=Todos)
    failures: Failures = msgspec.field(default_factory=Failures)
    checks: Checks = msgspec.field(default_factory=Checks)
    rounds: Rounds = msgspec.field(default_factory=Rounds)
    background: Background = msgspec.field(default_factory=Background)
    unexplained: list[str] = []  # failures of which the agent has said nothing yet

    def passed(self, part: AnyPart) -> None:
        """A part was folded. A swap keeps words, calls and results, each once; all else it may drop or repeat, and so
        that is no event: a successor counts on as the transcript itself would have done.
        """
        self.clock += type(part) in _EVENTS

    def turned(self) -> None:
        """A prompt begins a turn: what was said before explains nothing more, what nobody tried again was left."""
        self.said("")
        self.now.turns += 1
        self.failures.aged(self.now, self.clock)

    def said(self, text: str) -> None:
        """The agent said something (cleaned): it explains the next calls. An empty text ends that."""
        self.why, self.why_uses = purpose(text), 0
        self._explained(diagnosis_in(text) if self.unexplained else "")

    def called(self, part: ToolUse) -> tuple[Deed, Settled | None]:
        """A call was made; settled at once if its result came before."""
        self.why_uses, self.now.calls = self.why_uses + 1, self.now.calls + 1
        self._explained("")
        deed = deed_of(part, self.clock, self.why if self.why_uses <= PURPOSE_USES else "")
        if deed.kind == "todo":
            self._planned(part, deed)
        outcome = self.rounds.called(part.id, deed)
        return deed, self._settle(deed, outcome) if outcome else None

    def answered(self, part: ToolResult) -> Settled | None:
        """A result came; None if its call is not known yet."""
        outcome = outcome_of(part)
        deed = self.rounds.answered(part.id, outcome)
        return self._settle(deed, outcome) if deed else None

    def noticed(self, text: str) -> list[Settled]:
        """The harness said something by itself: jobs that ended by it, settled."""
        ends = self.background.noticed(text) if self.background.running else []
        return [self._ended(end.deed, end.text, failed=end.state == "failed") for end in ends if end.state != "stopped"]

    def _settle(self, deed: Deed, outcome: Outcome) -> Settled:
        if outcome.rejected:
            return Settled(deed, outcome)
        if deed.kind == "todo" and outcome.task and not deed.items[0] and deed.items[2]:
            self.todos.created(outcome.task, deed.items[2])
        if job := self.background.named(deed):
            return self._polled(job, deed, outcome)
        running = (
            not outcome.failed
            and deed.kind in _STARTERS
            and self.background.started(deed, outcome.text, self.now.turns)
        )
        if not running and not outcome.failed:
            self.background.done_again(deed.key)
        return self._judged(deed, outcome, running=running)

    def _polled(self, job: Job, deed: Deed, outcome: Outcome) -> Settled:
        """A call asked about a job or stopped it: how it ended is the outcome of the call that had started it."""
        job.turn = self.now.turns
        state = self.background.polled(job, deed, outcome.text, failed=outcome.failed)
        if state in ("done", "failed"):
            return self._ended(job.deed, outcome.text, failed=state == "failed")
        self.checks.printed(outcome.text, job.deed.key, succeeded=False)
        return Settled(deed, outcome, running=True)

    def _ended(self, deed: Deed, text: str, *, failed: bool) -> Settled:
        """A job ended now; what it wrote was known when it began."""
        deed = msgspec.structs.replace(deed, index=self.clock, changes=[], reads=[])
        return self._judged(deed, Outcome(text, failed, rejected=False), running=False)

    def _judged(self, deed: Deed, outcome: Outcome, *, running: bool) -> Settled:
        """What failed, what works again, which tests fail."""
        worked = not (outcome.failed or running or hidden(deed, outcome.text))
        if outcome.failed:
            name = self.failures.failed(deed, outcome.text, self.now)
            self.unexplained = [*self.unexplained[-3:], name] if name else self.unexplained
        elif worked:
            self.failures.succeeded(deed, self.clock, self.why, outcome.text)
        if deed.kind in ("shell", "stdin"):
            self.checks.printed(outcome.text, deed.key, worked)
        return Settled(deed, outcome, running)

    def _explained(self, cause: str) -> None:
        """The agent said what a failure means, or went on without a word."""
        for name in self.unexplained:
            self.failures.explained(name, cause)
        self.unexplained = []

    def _planned(self, part: ToolUse, deed: Deed) -> None:
        """Lists and patches count when they are written, as in the tools' own display."""
        listed, planned = part.input.get("todos"), part.input.get("plan")
        if isinstance(listed, list):
            self.todos.replaced(listed, "content")
        elif isinstance(planned, list):
            self.todos.replaced(planned, "step")
        elif deed.items[0]:
            self.todos.updated(deed.items[0], deed.items[1], deed.items[2])
