"""A session against a model of its file: appended whole or half, gone back in, copied into, restarted at any moment."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.builders import FORMATS, Script, told
from tests.session.driver import Driver, memory_of


class Model(RuleBasedStateMachine):
    """The model is the list of lines that have been written, and which of them live."""

    def __init__(self, format: str) -> None:
        super().__init__()
        self.format = format
        self.script = Script(format)
        self.driver = Driver(format)
        self.written = 0
        self.open: list[str] = []
        self.turns: list[tuple[str, int]] = []
        self.paid: dict[str, int] = {}

    # ---- the client writes

    @precondition(lambda self: not self.open)
    @rule()
    def prompt(self) -> None:
        self.turns.append((self.script.leaf, len(self.script.lines)))
        self.script.prompt(f"wish {len(self.script.lines)}")

    @precondition(lambda self: self.turns and not self.open)
    @rule(count=st.integers(1, 3))
    def call(self, count: int) -> None:
        self.open = self.script.call("Let me see.", *(f"ls {number}" for number in range(count)))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def result(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.open))
        self.open.remove(call)
        self.script.result(call, f"output of {call}")

    @precondition(lambda self: self.turns and not self.open)
    @rule()
    def say(self) -> None:
        self.script.say(f"Answer {len(self.script.lines)}.")

    @precondition(lambda self: self.format == "claude-code" and len(self.turns) > 1 and not self.open)
    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """An earlier prompt is written anew: what followed the old one is dead."""
        place = data.draw(st.integers(1, len(self.turns) - 1))
        self.script.leaf = self.turns[place][0]
        self.turns = self.turns[: place + 1]
        self.script.prompt(f"rather {len(self.script.lines)}")

    @precondition(lambda self: self.format == "claude-code" and self.script.lines and not self.open)
    @rule(count=st.integers(1, 3))
    def copy(self, count: int) -> None:
        """The client appends records that stand there already."""
        self.script.lines += self.script.lines[:count]

    # ---- the bytes reach the session

    @rule()
    def flush(self) -> None:
        self.driver.feed(self.script.data[self.written :])
        self.written = len(self.script.data)

    @rule(share=st.floats(0, 1))
    def flush_a_part(self, share: float) -> None:
        stop = self.written + int((len(self.script.data) - self.written) * share)
        self.driver.feed(self.script.data[self.written : stop])
        self.written = stop

    @rule()
    def rest(self) -> None:
        self.driver.pass_time(1.0)

    @rule()
    def crash(self) -> None:
        self.driver.restart()

    @rule()
    def hold_the_summarizer(self) -> None:
        self.driver.hold = True

    @rule()
    def let_it_answer(self) -> None:
        self.driver.hold = False
        for job in self.driver.jobs:
            self.driver.answer(job)

    # ---- what always holds

    @invariant()
    def nothing_is_covered_that_was_not_written(self) -> None:
        assert self.driver.session.marks.covered <= self.driver.session.marks.position <= self.written

    @invariant()
    def no_call_is_parted_from_its_result(self) -> None:
        for made in self.driver.published[-1:]:
            before = told(self.format, self.script.data[: made.boundary.offset])
            calls, results = ({what for kind, what in before if kind == name} for name in ("call", "result"))
            assert calls == results

    @invariant()
    def a_published_breakpoint_is_never_paid_for_again(self) -> None:
        names = [(made.boundary.offset, made.identity) for made in self.driver.published]
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        self.driver.hold = False
        self.driver.session.flight = None
        self.flush()
        made = self.driver.update()
        if self.format != "claude-code":
            assert self.driver.session.messages == self.live_messages()
        if made and made.boundary.offset == len(self.script.data):
            assert made.document.to_markdown("") == Driver(self.format).feed(
                self.script.data
            ).update().document.to_markdown("")

    def live_messages(self) -> int:
        """Lines that are conversation messages."""
        return sum(bool(told(self.format, line)) for line in self.script.lines)


@pytest.mark.parametrize("format", FORMATS)
def test_the_session_agrees_with_the_model(format):
    run_state_machine_as_test(lambda: Model(format), settings=settings(max_examples=40, stateful_step_count=40))


def test_the_memory_of_nothing_is_no_memory():
    assert memory_of("pi", Script("pi").data) == ""
