"""When an update is due, against the rules written down a second time; and what an answer may still change.

A machine types, calls tools, rests, compacts, goes back, answers jobs well, badly, late or not at all, and edits the
memory. The rules are those of the design; the model knows them by the published memories and the readings alone.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from memcli.effects import ContextFull, Publish, StartJob, UpToDate, Warned
from memcli.memory.jobs import Job, Result
from memcli.session import PATIENCE, QUIET_SECONDS, Session, Triggers
from tests.builders import FORMATS, Script, told
from tests.session.driver import rendered

RULES = Triggers(init_tokens=300, update_tokens=400, update_tool_calls=4, context_limit=900)
"""The documented ones, ten to thirty times smaller."""


class Rules(RuleBasedStateMachine):
    """The model: the job that is out, what was published, and whether the limit was crossed."""

    def __init__(self, format: str) -> None:
        super().__init__()
        self.script = Script(format)
        self.session = Session(format, RULES)
        self.format = format
        self.now = 0.0
        self.written = 0
        self.open: list[str] = []
        self.out: Job | None = None
        self.old: list[Job] = []
        self.cuts: dict[str, int] = {}
        self.covered = 0
        self.tokens: int | None = None
        self.began = 0
        self.full = False
        self.rested = False

    # ---- the client writes

    @precondition(lambda self: not self.open)
    @rule(size=st.integers(1, 700))
    def prompt(self, size: int) -> None:
        self.flush(self.script.prompt(f"wish {len(self.script.lines)} " + "w" * size))

    @precondition(lambda self: not self.open)
    @rule(count=st.integers(1, 3))
    def call(self, count: int) -> None:
        self.open = self.script.call("Let me see.", *(f"ls {number}" for number in range(count)))
        self.flush(self.script)

    @precondition(lambda self: self.open)
    @rule(size=st.integers(1, 700))
    def result(self, size: int) -> None:
        self.flush(self.script.result(self.open.pop(0), "r" * size))

    @precondition(lambda self: not self.open)
    @rule(size=st.integers(1, 300))
    def say(self, size: int) -> None:
        self.flush(self.script.say("a" * size))

    @precondition(lambda self: self.format == "claude-code" and self.script.leaf and not self.open)
    @rule()
    def the_client_compacts(self) -> None:
        """The context is small again: growth counts from its new size."""
        metadata = {"trigger": "auto", "preTokens": 9000, "postTokens": 60}
        record = {"type": "system", "subtype": "compact_boundary", "uuid": f"b{len(self.script.lines)}"}
        self.script.line({**record, "parentUuid": None, "compactMetadata": metadata})
        self.flush(self.script)

    def flush(self, script: Script) -> None:
        self.session.receive(script.data[self.written :], self.now)
        self.written = len(script.data)
        self.rested = False

    # ---- time passes, answers come

    @rule(seconds=st.sampled_from([0.0, 0.01, QUIET_SECONDS, 5.0]))
    def tick(self, seconds: float) -> None:
        self.now += seconds
        quiet = self.rested = self.now - self.session.heard >= QUIET_SECONDS
        effects = self.session.tick(self.now)
        self.check_limit(effects)
        jobs = [effect.job for effect in effects if isinstance(effect, StartJob)]
        if self.out is not None:
            assert jobs == []  # one at a time
            return
        assert bool(jobs) == self.due(quiet)
        for job in jobs:
            self.out, self.began = job, self.session.reading.tokens
            self.cuts[job.job] = self.session.boundaries.last.offset
        if any(isinstance(effect, UpToDate) for effect in effects):
            assert quiet
            assert not self.session.behind

    def due(self, quiet: bool) -> bool:
        """The rules, once more."""
        cut, tokens = self.session.boundaries.last, self.session.reading.tokens
        if cut is None or cut.offset <= self.covered:
            return False
        if self.session.wanted and quiet:
            return True
        if self.tokens is None:
            return tokens >= RULES.init_tokens
        self.tokens = min(self.tokens, tokens)
        patience = 1 if cut.turn else PATIENCE
        grown = tokens - self.tokens >= RULES.update_tokens * patience
        return grown or self.session.marks.calls >= RULES.update_tool_calls * patience

    def check_limit(self, effects: list) -> None:
        over = self.session.reading.tokens >= RULES.context_limit
        assert any(isinstance(effect, ContextFull) for effect in effects) == (over and not self.full)
        self.full = over

    @rule()
    def ask(self) -> None:
        self.session.ask()

    @precondition(lambda self: self.out)
    @rule(fails=st.booleans())
    def answer(self, fails: bool) -> None:
        job, self.out = self.out, None
        self.old.append(job)
        result = Result(job.job, error="no ink") if fails else rendered(job)
        effects = self.session.finished(result)
        if any(isinstance(effect, UpToDate) for effect in effects):
            assert self.rested
            assert not self.session.behind
        (made,) = [effect.publication for effect in effects if isinstance(effect, Publish)]
        assert any(isinstance(effect, Warned) for effect in effects) == fails
        assert made.boundary.offset == self.cuts[job.job]
        # What was written while the answer was on its way is growth, too.
        self.covered, self.tokens = made.boundary.offset, min(self.began, self.session.reading.tokens)
        self.check_parts(made)

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def an_old_answer_comes_again(self, data: st.DataObject) -> None:
        assert self.session.finished(rendered(data.draw(st.sampled_from(self.old)))) == []

    def check_parts(self, made) -> None:
        """What is covered and what is not are both whole: no call without its result on either side."""
        before, after = self.script.data[: made.boundary.offset], self.script.data[made.boundary.offset : made.end]
        for side in (before, after):
            found = told(self.format, side)
            results = [what for kind, what in found if kind == "result"]
            assert set(results) <= {what for kind, what in found if kind == "call"}
        assert {what for kind, what in told(self.format, before) if kind == "call"} == {
            what for kind, what in told(self.format, before) if kind == "result"
        }

    # ---- what always holds

    @invariant()
    def the_boundary_is_where_the_last_answered_job_began(self) -> None:
        assert self.session.marks.covered == self.covered

    @invariant()
    def the_ledger_stands_at_the_last_cut(self) -> None:
        """What is behind it waits unfolded."""
        cut = self.session.boundaries.last
        waiting = [one.entry.offset for one in self.session.pending if one.entry.role]
        assert all(offset >= cut.offset for offset in waiting if cut)


@pytest.mark.parametrize("format", FORMATS)
def test_updates_are_made_when_the_rules_say_so_and_never_cover_more_than_was_asked(format):
    run_state_machine_as_test(lambda: Rules(format), settings=settings(max_examples=25, stateful_step_count=40))
