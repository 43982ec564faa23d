"""The state machine: when it asks, what it publishes, what it refuses."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from memcli.memory.jobs import Result
from memcli.session import ContextFull, RefreshState, Session, Triggers, UpToDate, Warned
from tests.builders import FORMATS, Script, session, told
from tests.session.driver import NEVER, SOON, Driver, memory_of, rendered


@pytest.mark.parametrize("format", FORMATS)
def test_update_covers_a_finished_session_to_its_end(format):
    data = session(format)
    made = Driver(format, NEVER).feed(data).update()
    assert made.boundary.offset == made.end == len(data)
    assert made.boundary.turn


@pytest.mark.parametrize("format", FORMATS)
def test_an_open_round_stays_behind_the_boundary(format):
    script = Script(format).turn(0).prompt("now the next")
    calls = script.call("Looking.", "ls", "pwd")
    made = Driver(format, NEVER).feed(script.data).update()
    assert told(format, script.data[made.boundary.offset :])[-2:] == [("call", call) for call in calls]
    assert made.open_calls == 2


def test_half_a_message_at_a_quiet_end_is_folded_again_with_its_other_half():
    script = Script("claude-code").turn(0).prompt("now the next")
    script.call("Looking.", "ls")
    first, second = script.data.rpartition(b'{"type": "assistant"')[::2]
    first = first.replace(b'"stop_reason": "tool_use"', b'"stop_reason": null')
    halves = Driver("claude-code", NEVER).feed(first, quiet=1.0).feed(b'{"type": "assistant"' + second).restart()
    whole = Driver("claude-code", NEVER).feed(halves.file)
    assert halves.session.settled.snapshot() == whole.session.settled.snapshot()
    assert len(halves.session.pending) == len(whole.session.pending)


def test_a_prompt_nobody_answered_is_named_as_the_last_request_and_not_covered():
    script = Script("anthropic").turn(0)
    before = len(script.data)
    made = Driver("anthropic", NEVER).feed(script.prompt("paint it blue").data).update()
    assert made.boundary.offset == before
    assert "paint it blue" in made.state


def test_nothing_is_due_before_the_first_threshold():
    driver = Driver("anthropic", Triggers(init_tokens=10_000)).feed(session("anthropic"), quiet=1.0)
    assert driver.jobs == []


def test_the_first_memory_is_due_at_its_threshold():
    driver = Driver("anthropic", Triggers(init_tokens=100)).feed(session("anthropic"), quiet=1.0)
    assert len(driver.published) == 1


def test_three_tool_calls_ask_for_an_update():
    rules = Triggers(init_tokens=1, update_tokens=10**9)
    driver = Driver("anthropic", rules).feed(session("anthropic", 1), quiet=1.0)
    driver.feed(Script("anthropic").turn(1, rounds=2).data, quiet=1.0)
    assert len(driver.published) == 1
    driver.feed(Script("anthropic").turn(2).data, quiet=1.0)
    assert len(driver.published) == 2


def test_every_turn_asks_for_an_update_if_told_so():
    rules = Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=10**9, every_turn=True)
    driver = Driver("anthropic", rules)
    for number in range(3):
        driver.feed(Script("anthropic").turn(number).data, quiet=1.0)
    assert len(driver.published) == 3


def test_a_turn_that_ended_asks_for_an_update_also_if_the_next_one_is_read_with_it():
    rules = Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=10**9, every_turn=True)
    driver = Driver("anthropic", rules).feed(Script("anthropic").turn(0).data, quiet=1.0)
    under_way = Script("anthropic").turn(1).prompt("And the gate?").round("a", "x", "y").round("b", "x", "y")

    assert len(driver.feed(under_way.data).published) == 2
    assert not driver.published[-1].boundary.turn
    assert len(driver.feed(Script("anthropic").round("c", "x", "y").data).published) == 2


def test_no_update_without_the_growth_a_paid_backend_wants():
    rules = Triggers(init_tokens=1, update_tokens=1, update_tool_calls=1, min_update_tokens=10**6)
    driver = Driver("anthropic", rules).feed(session("anthropic", 1), quiet=1.0)
    assert len(driver.feed(session("anthropic", 5), quiet=1.0).published) == 1


def test_inside_a_turn_a_threshold_waits_for_more():
    """Growth of 1.0 to 1.5 times the threshold is left for the end of the turn."""
    script = Script("anthropic").turn(0)
    driver = Driver("anthropic", Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=2))
    driver.feed(script.data, quiet=1.0)
    going_on = Script("anthropic").prompt("more").round("a", "x", "y").round("b", "x", "y")
    driver.feed(going_on.data, quiet=1.0)
    assert len(driver.published) == 1
    driver.feed(Script("anthropic").say("all done").data, quiet=1.0)
    assert len(driver.published) == 2


def test_one_job_at_a_time():
    driver = Driver("anthropic")
    driver.hold = True
    for number in range(4):
        driver.feed(Script("anthropic").turn(number).data, quiet=1.0)
    assert len(driver.jobs) == 1


def test_a_late_answer_covers_only_what_its_job_was_given():
    driver = Driver("anthropic")
    driver.hold = True
    first = Script("anthropic").turn(0).data
    driver.feed(first, quiet=1.0).feed(Script("anthropic").turn(1).data, quiet=1.0)
    driver.answer(driver.jobs[0])
    made = driver.published[0]
    assert made.boundary.offset == len(first)
    assert made.end == len(driver.file)
    assert "step 1 of the plan" not in made.document.to_markdown("")


def test_an_answer_nobody_asked_for_changes_nothing():
    driver = Driver("anthropic").feed(session("anthropic"), quiet=1.0)
    assert driver.session.finished(Result("some other job", {})) == []


def test_an_answer_given_twice_counts_once():
    driver = Driver("anthropic").feed(session("anthropic"), quiet=1.0)
    assert driver.session.finished(rendered(driver.jobs[0])) == []


def test_a_failed_summarizer_leaves_a_memory_and_a_warning():
    driver = Driver("anthropic")
    driver.hold = True
    driver.feed(session("anthropic"), quiet=1.0)
    warning, publish = driver.session.finished(Result(driver.jobs[0].job, error="no answer"))
    assert isinstance(warning, Warned)
    assert "step 2 of the plan" in publish.publication.markdown


def test_asking_again_says_that_nothing_is_left_to_do():
    driver = Driver("anthropic", NEVER).feed(session("anthropic"))
    driver.update()
    driver.update()
    assert (len(driver.published), driver.current) == (1, 2)


def test_the_state_follows_the_end_while_the_boundary_stands():
    driver = Driver("anthropic", Triggers(init_tokens=1, update_tokens=10**9, update_tool_calls=10**9))
    driver.feed(session("anthropic"), quiet=1.0)
    driver.session.receive(Script("anthropic").prompt("and now paint it red").data, driver.now)
    states = [effect for effect in driver.session.tick(driver.now) if isinstance(effect, RefreshState)]
    assert "paint it red" in states[0].state


def test_the_context_limit_is_told_once_a_crossing():
    machine = Session("anthropic", Triggers(init_tokens=10**9, context_limit=50))
    machine.receive(session("anthropic"), 0.0)
    told = [effect for _ in range(3) for effect in machine.tick(1.0) if isinstance(effect, ContextFull)]
    assert len(told) == 1


def test_a_last_line_without_newline_counts_once_the_file_is_quiet():
    data = session("anthropic").rstrip(b"\n")
    driver = Driver("anthropic", NEVER).feed(data)
    before = driver.session.messages
    driver.pass_time(1.0)
    assert driver.session.messages == before + 1


def test_a_half_line_is_never_taken():
    data = session("anthropic")
    driver = Driver("anthropic", NEVER).feed(data[:-9], quiet=5.0)
    whole = data.count(b"\n") - 1
    assert driver.session.messages == whole
    assert driver.feed(data[-9:], quiet=1.0).session.messages == whole + 1


def test_a_copy_of_a_covered_record_is_skipped():
    data = session("claude-code")
    copies = b"".join(data.splitlines(keepends=True)[:4])
    driver = Driver("claude-code", NEVER).feed(data)
    before = driver.update()
    driver.feed(copies)
    again = driver.session
    assert again.messages == before.messages
    assert again.thread.problems["copies"] == 4


def rewound(script: Script, at: str, text: str) -> bytes:
    """The prompt that `text` replaces: a sibling of the prompt whose parent is `at`."""
    script.leaf = at
    start = len(script.data)
    script.prompt(text).say("As you wish.")
    return script.data[start:]


def test_a_rewind_takes_back_what_was_covered():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    data = script.turn(1).turn(2).data
    driver = Driver("claude-code").feed(data, quiet=1.0)
    driver.feed(rewound(script, fork, "do something else instead"), quiet=1.0)
    memory = driver.published[-1].markdown
    assert "do something else instead" in memory
    assert "step 2 of the plan" not in memory


def places(driver: Driver) -> tuple[list[int], list[int]]:
    """Where snapshots of the fold were taken, and where turns end."""
    session = driver.session
    return [item.offset for item in session.history.items], [cut.offset for cut in session.boundaries.state.turns]


def test_a_rewind_forgets_the_snapshots_of_what_was_taken_back():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    driver = Driver("claude-code", NEVER).feed(script.turn(1).turn(2).data, quiet=1.0)
    here = len(driver.file)
    driver.feed(rewound(script, fork, "something else"), quiet=1.0)
    assert places(driver) == ([here, len(driver.file)], [here, len(driver.file)])


def test_the_other_half_of_a_message_forgets_the_snapshot_before_it():
    script = Script("claude-code").turn(0).prompt("now the next")
    script.call("Looking.", "ls")
    first, half, second = script.data.rpartition(b'{"type": "assistant"')
    first = first.replace(b'"stop_reason": "tool_use"', b'"stop_reason": null')
    driver = Driver("claude-code", NEVER).feed(first, quiet=1.0)
    before, here = places(driver)[0]
    assert here == len(first)
    driver.feed(half + second, quiet=1.0)
    assert places(driver) == ([before], [before])


def test_a_job_that_was_running_while_the_user_went_back_is_thrown_away():
    script = Script("claude-code").turn(0)
    fork = script.leaf
    driver = Driver("claude-code")
    driver.hold = True
    driver.feed(script.turn(1).data, quiet=1.0)
    driver.feed(rewound(script, fork, "something else"), quiet=1.0)
    driver.answer(driver.jobs[0])
    assert driver.published == []
    driver.pass_time(1.0)
    driver.answer(driver.jobs[-1])
    assert "step 1 of the plan" not in driver.published[0].markdown


@pytest.mark.parametrize("format", FORMATS)
def test_a_restart_goes_on_where_the_process_ended(format):
    data = session(format, 4)
    driver = Driver(format, NEVER).feed(data[: len(data) // 2]).restart().feed(data[len(data) // 2 :])
    assert driver.update().markdown == memory_of(format, data)


@pytest.mark.parametrize("format", FORMATS)
def test_a_state_goes_on_with_the_log_of_a_later_time(format):
    """The process ended between the two writes: the log knows of turns that the state does not."""
    data = session(format, 6)
    driver = Driver(format, NEVER).feed(data[: len(data) // 2])
    saved, half = driver.session.save(), driver.session.marks.position
    driver.feed(data[len(data) // 2 :])
    again = Session.restore(saved, NEVER, driver.session.past)
    again.receive(data[half:], 0.0)
    assert again.settled.snapshot() == driver.session.settled.snapshot()
    assert again.history.items == driver.session.history.items
    assert again.messages == driver.session.messages


def test_a_state_without_its_log_is_refused():
    machine = Driver("claude-code", NEVER).feed(session("claude-code", 4)).session
    with pytest.raises(ValueError, match="the snapshot is gone"):
        Session.restore(machine.save(), NEVER)


def test_a_state_of_another_version_is_refused():
    machine = Driver("claude-code", NEVER).feed(session("claude-code", 4)).session
    told = msgspec.msgpack.decode(zlib.decompress(machine.save()))
    other = zlib.compress(msgspec.msgpack.encode(told | {"version": told["version"] + 1}))
    with pytest.raises(ValueError, match=f"state of version {told['version'] + 1}"):
        Session.restore(other, NEVER, machine.past)


def test_a_saved_state_holds_neither_the_fold_nor_the_ids_again():
    machine = Driver("claude-code", NEVER).feed(session("claude-code", 200)).session
    assert len(machine.save()) < 0.25 * (len(machine.settled.snapshot()) + len(machine.thread.remembered(0)))


def test_a_file_that_is_copied_behind_itself_is_remembered_as_one_span():
    data = session("claude-code", 4)
    driver = Driver("claude-code", NEVER).feed(data).feed(data)
    assert driver.session.marks.copies == [(len(data), 2 * len(data))]


def test_current_state_is_the_same_however_often_it_is_asked_for():
    data = session("claude-code", 3)
    often, once = Driver("claude-code", NEVER), Driver("claude-code", NEVER).feed(data)
    for line in data.splitlines(keepends=True):
        often.feed(line)
        assert often.session.state_text
    assert often.session.state_text == once.session.state_text


def test_what_is_no_saved_state_is_refused():
    with pytest.raises(ValueError, match="incorrect header"):
        Session.restore(b"something else", SOON)


def test_an_update_that_changes_nothing_has_the_same_identity():
    data = session("pi")
    one, other = (Driver("pi", NEVER).feed(data).update() for _ in range(2))
    assert one.identity == other.identity


def test_up_to_date_comes_only_after_the_file_is_quiet():
    machine = Session("anthropic", NEVER)
    machine.receive(session("anthropic"), 0.0)
    machine.ask()
    assert not any(isinstance(effect, UpToDate) for effect in machine.tick(0.05))


def test_what_was_asked_for_stands_only_when_the_quiet_end_is_covered_too():
    """A threshold was crossed inside the turn: its update is made at once, and is not the answer."""
    driver = Driver("anthropic", Triggers(init_tokens=1))
    driver.session.ask()
    driver.feed(session("anthropic"))
    assert (len(driver.published), driver.current) == (1, 0)
    assert driver.published[0].boundary.offset < len(driver.file)
    driver.pass_time(1.0)
    assert (driver.published[-1].boundary.offset, driver.current) == (len(driver.file), 1)


def test_what_is_written_while_an_answer_is_on_its_way_counts_as_growth() -> None:
    """A model may take a minute: the next update is due when the answer comes, not a threshold later."""
    driver = Driver("anthropic", Triggers(init_tokens=1, update_tokens=100, update_tool_calls=10**9))
    driver.hold = True
    script = Script("anthropic")
    driver.feed(script.prompt("begin").say("Yes.").data, quiet=1.0)
    before = len(script.data)
    driver.feed(script.prompt("go on " * 200).say("Done.").data[before:], quiet=1.0)
    driver.answer(driver.jobs[0])
    driver.pass_time(1.0)

    assert len(driver.jobs) == 2
