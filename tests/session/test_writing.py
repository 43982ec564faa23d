"""What a model has been told, what it wrote, and what is still owed: over swaps, rewinds, restarts and inheritance."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.effects import StartJob, Warned
from memcli.memory.jobs import Failure, Job, Result
from memcli.session import KEPT_PROSE, Inheritance, Session, Triggers
from tests.builders import FORMATS, Script
from tests.session.driver import Driver, rendered
from tests.session.test_inheritance import MEMORY, parent
from tests.session.test_swaps import compaction

SOON = Triggers(init_tokens=1, update_tokens=1, update_tool_calls=1, write=True)
RARE = Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=10**9, write=True)
INTENT = "User Intent"


class Written(Driver):
    """Answers as a model does whose every answer passes, unless it is told to fail. Prose names the job it is of."""

    failing = False

    def answer(self, job: Job) -> None:
        self._perform(self.session.finished(self.result(job)))

    def result(self, job: Job) -> Result:
        if not job.write:
            return rendered(job)
        if self.failing:
            return msgspec.structs.replace(rendered(job), prose=job.prose, failure=Failure("no ink"))
        return msgspec.structs.replace(rendered(job), prose={INTENT: f"written for {job.source.end}"}, wrote=True)

    @property
    def told(self) -> int:
        return self.session.marks.told

    @property
    def covered(self) -> int:
        return self.session.marks.covered


def turns(*numbers: int, format: str = "claude-code") -> bytes:
    script = Script(format, serial=100 * numbers[0])
    for number in numbers:
        script.turn(number)
    return script.data


def of(driver: Written, end: int) -> dict[str, str]:
    return {INTENT: f"written for {end}"}


# ------------------------------------------------------------------ told


def test_what_was_written_is_what_was_told():
    driver = Written("claude-code", SOON).feed(turns(0), quiet=1.0)
    assert driver.told == driver.covered == len(driver.file)
    assert driver.session.prose == of(driver, len(driver.file))
    assert driver.published[-1].told == driver.told


def test_the_next_job_is_told_only_what_is_new_and_shown_what_stands():
    driver = Written("claude-code", SOON).feed(turns(0), quiet=1.0)
    first = len(driver.file)
    driver.feed(turns(1), quiet=1.0)
    job = driver.jobs[-1]
    assert (job.source.start, job.source.end) == (driver.jobs[-2].source.end, len(driver.file))
    assert driver.jobs[1].source.start == first
    assert driver.jobs[1].prose == of(driver, first)


def test_what_a_failing_model_was_not_told_is_told_the_next_time():
    driver = Written("claude-code", SOON)
    driver.failing = True
    driver.feed(turns(0), quiet=1.0).feed(turns(1), quiet=1.0)
    assert driver.covered == len(driver.file)
    assert (driver.told, driver.session.marks.owed) == (0, True)
    driver.failing = False
    driver.feed(turns(2), quiet=1.0)
    wrote = next(job for job in driver.jobs if job.source.end > len(turns(0, 1)))
    assert wrote.source.start == 0
    assert (driver.told, driver.session.marks.owed) == (len(driver.file), False)


def test_the_last_good_prose_stands_while_the_model_fails_and_the_facts_go_on():
    driver = Written("claude-code", SOON).feed(turns(0), quiet=1.0)
    first = len(driver.file)
    driver.failing = True
    driver.feed(turns(1), quiet=1.0)
    text = driver.published[-1].markdown
    assert f"written for {first}" in text
    assert "step 1 of the plan" in text


def test_a_summarizer_that_dies_leaves_the_prose_too():
    driver = Written("claude-code", SOON).feed(turns(0), quiet=1.0)
    first, driver.hold = len(driver.file), True
    driver.feed(turns(1), quiet=1.0)
    job = driver.jobs[-1]
    effects = driver.session.finished(Result(job.job, error="the summarizer ended"))
    driver._perform(effects)
    assert isinstance(effects[0], Warned)
    assert f"written for {first}" in driver.published[-1].markdown
    assert (driver.told, driver.session.marks.owed) == (first, True)


def test_a_failure_is_a_warning_with_its_reason():
    driver = Written("claude-code", SOON)
    driver.hold = driver.failing = True
    driver.feed(turns(0), quiet=1.0)
    warned = driver.session.finished(driver.result(driver.jobs[0]))[0]
    assert warned == Warned("no model wrote (no ink); the facts of the memory are fresh")


# ------------------------------------------------------------------ owed


def test_what_is_owed_is_asked_again_at_the_same_place_and_once():
    driver = Written("claude-code", RARE)
    driver.failing = True
    driver.feed(turns(0), quiet=1.0).pass_time(9.0)
    asked = len(driver.jobs)
    driver.failing = False
    driver.session.retry()
    driver.pass_time(1.0).pass_time(1.0)
    assert len(driver.jobs) == asked + 1
    assert driver.told == len(driver.file)
    assert driver.published[-1].boundary.offset == driver.published[0].boundary.offset


def test_a_failing_model_is_not_asked_again_by_time_alone():
    driver = Written("claude-code", RARE)
    driver.failing = True
    driver.feed(turns(0), quiet=1.0)
    asked = len(driver.jobs)
    for _ in range(50):
        driver.pass_time(60.0)
    assert len(driver.jobs) == asked


def test_where_nothing_is_owed_a_retry_asks_nobody():
    driver = Written("claude-code", RARE).feed(turns(0), quiet=1.0)
    driver.session.retry()
    assert len(driver.pass_time(1.0).jobs) == 1


def test_without_a_model_nothing_is_owed():
    driver = Written("claude-code", msgspec.structs.replace(SOON, write=False)).feed(turns(0), quiet=1.0)
    assert not driver.session.marks.owed
    assert driver.jobs[0].source is None


def test_who_asks_for_an_update_gets_what_is_owed_and_one_try():
    driver = Written("claude-code", RARE)
    driver.failing = True
    driver.feed(turns(0), quiet=1.0)
    asked = len(driver.jobs)
    driver.update()
    assert len(driver.jobs) == asked + 1
    assert driver.current == 1


def test_an_answer_that_nobody_was_allowed_to_ask_for_leaves_it_owed():
    """The accounts sent the job without leave to ask a model."""
    driver = Written("claude-code", SOON)
    driver.hold = True
    driver.feed(turns(0), quiet=1.0)
    driver._perform(driver.session.finished(rendered(driver.jobs[0])))
    assert (driver.told, driver.session.marks.owed) == (0, True)


def test_the_traditional_way_asks_where_somebody_waits_and_for_the_whole():
    driver = Written("claude-code", msgspec.structs.replace(SOON, strategy="traditional")).feed(turns(0), quiet=1.0)
    assert not any(job.write for job in driver.jobs)
    driver.feed(turns(1), quiet=1.0).update()
    assert [(job.source.start, job.source.end) for job in driver.jobs if job.write] == [(0, len(driver.file))]


# ------------------------------------------------------------------ late answers


def test_after_a_swap_a_late_answer_tells_no_more_than_its_job_held():
    """The stale cursor of the published reference: what came after the job's end is told to the next one."""
    driver = Written("claude-code", SOON)
    driver.hold = True
    driver.feed(turns(0), quiet=1.0)
    end = driver.jobs[0].source.end
    driver.feed(compaction(300), quiet=1.0).feed(turns(5, 6), quiet=1.0)
    driver.hold = False
    driver.answer(driver.jobs[0])
    assert driver.told == driver.covered == end
    driver.update()
    assert driver.jobs[-1].source.start == end
    assert driver.told == len(driver.file)


@pytest.mark.parametrize("post", [50, 300, 900])
def test_after_every_swap_a_paid_model_is_asked_again(post):
    """The mark that was never rebased: growth counts from the size after the swap, whatever was there before."""
    rules = Triggers(init_tokens=500, update_tokens=1000, update_tool_calls=10**9, min_update_tokens=900, write=True)
    driver = Written("claude-code", rules)
    for swap in range(4):
        made = len(driver.published)
        for number in range(3):
            driver.feed(
                Script("claude-code", serial=100 * (10 * swap + number + 1)).turn(number, output="w" * 2700).data, 1.0
            )
        assert len(driver.published) > made
        assert driver.told == driver.covered
        driver.feed(compaction(post + swap), quiet=1.0)


def test_an_answer_for_what_was_taken_back_neither_tells_nor_writes():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    driver = Written("claude-code", RARE)
    driver.hold = True
    driver.feed(script.turn(1).data, quiet=1.0)
    start, script.leaf = len(script.data), fork
    driver.feed(script.prompt("the other way round").say("As you wish.").data[start:], quiet=1.0)
    driver.hold = False
    driver.answer(driver.jobs[0])
    assert (driver.told, driver.session.prose, driver.published) == (0, {}, [])
    driver.pass_time(1.0)
    assert driver.told == driver.covered == len(driver.file)


def test_a_job_tells_which_ranges_are_dead():
    script = Script("claude-code").turn(0)
    fork, start = script.leaf, len(script.data)
    end = len(script.turn(1).data)
    script.leaf = fork
    driver = Written("claude-code", SOON).feed(script.prompt("rather so").say("Yes.").data, quiet=1.0)
    assert driver.jobs[-1].source.dead == ((start, end),)


# ------------------------------------------------------------------ rewinds


def rewound(driver: Written, script: Script, fork: str) -> Written:
    start, script.leaf = len(script.data), fork
    return driver.feed(script.prompt("the other way round").say("As you wish.").data[start:])


def test_a_rewind_brings_back_the_prose_of_its_place():
    script = Script("claude-code").turn(0)
    fork, kept = script.leaf, len(script.data)
    driver = Written("claude-code", SOON).feed(script.data, quiet=1.0)
    start = len(script.data)
    driver.feed(script.turn(1).data[start:], quiet=1.0)
    assert driver.session.prose == of(driver, len(driver.file))
    driver.hold = True
    rewound(driver, script, fork)
    assert (driver.told, driver.session.prose) == (kept, of(driver, kept))


def test_the_job_after_a_rewind_is_told_the_new_branch_alone():
    script = Script("claude-code").turn(0)
    fork, kept = script.leaf, len(script.data)
    driver = Written("claude-code", SOON).feed(script.data, quiet=1.0)
    driver.feed(script.turn(1).data[kept:], quiet=1.0)
    dead = len(driver.file)
    rewound(driver, script, fork).update()
    job = driver.jobs[-1]
    assert job.source.end == driver.told == driver.covered == len(driver.file)
    assert job.source.dead == ((kept, dead),)
    assert job.source.start >= kept


def test_a_rewind_to_before_all_prose_begins_anew():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    driver = Written("claude-code", RARE).feed(script.turn(1).data, quiet=1.0)
    assert driver.told == len(driver.file)
    driver.hold = True
    rewound(driver, script, fork)
    assert (driver.told, driver.session.prose) == (0, {})


def test_only_a_few_older_texts_are_kept_for_rewinds():
    driver = Written("claude-code", SOON)
    for number in range(3 * KEPT_PROSE):
        driver.feed(turns(number + 1), quiet=1.0)
    assert len(driver.session.marks.prose) == KEPT_PROSE
    assert driver.session.prose == of(driver, len(driver.file))


# ------------------------------------------------------------------ restarts


@pytest.mark.parametrize("failing", [False, True])
def test_a_restart_forgets_nothing_that_was_paid_for_or_is_owed(failing):
    driver = Written("claude-code", SOON).feed(turns(0), quiet=1.0)
    driver.failing = failing
    driver.feed(turns(1), quiet=1.0)
    before = driver.session.marks
    driver.restart()
    after = driver.session.marks
    assert (after.told, after.prose, after.owed) == (before.told, before.prose, before.owed)
    asked = len(driver.jobs)
    driver.pass_time(9.0)
    assert len(driver.jobs) == asked


def test_what_is_owed_is_asked_again_after_a_restart():
    driver = Written("claude-code", RARE)
    driver.failing = True
    driver.feed(turns(0), quiet=1.0).restart()
    driver.failing = False
    driver.session.retry()
    driver.pass_time(1.0)
    assert driver.told == len(driver.file)


def test_a_session_that_was_lost_is_given_what_a_model_wrote():
    data = turns(0, 1)
    session = Session("claude-code", SOON)
    session.receive(data, 0.0)
    session.written(len(turns(0)), {INTENT: "as it was"})
    job = next(effect.job for effect in session.tick(9.0) if isinstance(effect, StartJob))
    assert (job.source.start, job.prose) == (len(turns(0)), {INTENT: "as it was"})


def test_what_was_written_of_a_dead_branch_is_not_given_back():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    reach = len(script.turn(1).data)
    script.leaf = fork
    session = Session("claude-code", SOON)
    session.receive(script.prompt("rather so").say("Yes.").data, 0.0)
    session.written(reach, {INTENT: "of the branch that died"})
    assert (session.marks.told, session.prose) == (0, {})


# ------------------------------------------------------------------ inheritance


@pytest.mark.parametrize("format", FORMATS)
def test_a_successor_has_its_parents_prose_from_the_start(format):
    inheritance = Inheritance(parent(format).snapshot(), 0, generation="0" * 24, prose={INTENT: "of the parent"})
    driver = Written(format, RARE, inheritance)
    driver.hold = True
    begin = driver.feed(Script(format).prompt(MEMORY).data).session.marks.begin
    driver.feed(Script(format, after=driver.file, serial=500).turn(7).data, quiet=1.0)
    job = driver.jobs[0]
    assert job.prose == {INTENT: "of the parent"}
    assert not job.write or job.source.start >= begin


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "codex"])
def test_messages_that_the_parents_prose_knows_are_not_told_again(format):
    covered = 5 if format == "claude-code" else 4
    inheritance = Inheritance(parent(format).snapshot(), covered, prose={INTENT: "of the parent"})
    script = Script(format).prompt(MEMORY)
    script.serial = 500
    driver = Written(format, SOON, inheritance).feed(script.turn(1).data, quiet=1.0)
    known = len(driver.file)
    assert driver.told == known
    start = len(script.data)
    driver.feed(script.turn(2).data[start:], quiet=1.0)
    assert min(job.source.start for job in driver.jobs if job.write) == known


@pytest.mark.parametrize("covered", [0, 4])
def test_read_again_after_a_deep_rewind_a_successor_keeps_what_it_was_told_itself(covered):
    """What the parent knew is older than what was written, and struck out, since."""
    inheritance = Inheritance(parent("claude-code").snapshot(), covered, prose={INTENT: "of the parent"})
    script = Script("claude-code").prompt(MEMORY)
    script.serial = 500
    driver = Written("claude-code", SOON, inheritance).feed(script.turn(1).data, quiet=1.0)
    before = driver.session
    again = Session("claude-code", SOON, [(len(driver.file), len(driver.file) + 500)])
    again.take_over(before)
    again.receive(driver.file, 0.0)
    again.inherit(inheritance)
    assert (again.marks.told, again.marks.prose) == (before.marks.told, before.marks.prose)


def test_what_the_parent_wrote_survives_a_model_that_fails_from_then_on():
    inheritance = Inheritance(parent("anthropic").snapshot(), 0, prose={INTENT: "of the parent"})
    driver = Written("anthropic", SOON, inheritance)
    driver.failing = True
    driver.feed(Script("anthropic").prompt(MEMORY).turn(7).data, quiet=1.0)
    assert "of the parent" in driver.published[-1].markdown


# ------------------------------------------------------------------ always


@given(
    st.lists(
        st.sampled_from(["turn", "swap", "back", "fail", "heal", "hold", "answer", "restart", "retry", "wait"]),
        max_size=25,
    )
)
def test_whatever_happens_a_model_is_never_taken_for_told_what_no_answer_was_given_for(steps):
    driver = Written("claude-code", SOON)
    script = Script("claude-code").turn(0)
    fork = script.leaf
    driver.feed(script.data, quiet=1.0)
    for step in steps:
        start = len(script.data)
        match step:
            case "turn":
                driver.feed(script.turn(len(script.lines)).data[start:], quiet=1.0)
            case "swap":
                script.lines.append(compaction(300 + len(script.lines)))
                driver.feed(script.data[start:], quiet=1.0)
            case "back":
                script.leaf = fork
                driver.feed(script.prompt(f"rather {start}").say("Yes.").data[start:], quiet=1.0)
            case "fail" | "heal":
                driver.failing = step == "fail"
            case "hold":
                driver.hold = True
            case "answer":
                driver.hold = False
                for job in driver.jobs[-3:]:
                    driver.answer(job)
            case "restart":
                driver.restart()
            case "retry":
                driver.session.retry()
            case _:
                driver.pass_time(1.0)
        marks = driver.session.marks
        assert marks.told <= max(marks.covered, 0) or marks.epoch != marks.published_epoch
        assert marks.told in {0, *(reach for reach, _ in marks.prose)}
        assert all(prose == of(driver, reach) for reach, prose in marks.prose)
    driver.hold = driver.failing = False
    for job in driver.jobs[-1:]:
        driver.answer(job)
    driver.update()
    assert driver.told == driver.covered == driver.session.boundaries.last.offset
