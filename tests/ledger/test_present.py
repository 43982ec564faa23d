"""What Current State is written from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.present import LATEST, STALE, Present
from memcli.transcript.entries import MachineText, ToolResult
from tests.ledger.builders import agent, call, done, edited, entry, place, presented, ran, result, user, wrote


def latest(present: Present) -> list[tuple[str, str]]:
    return [(one.brief, one.ended) for one in present.state.latest]


def test_the_latest_calls_are_told_with_how_they_went() -> None:
    now = presented(
        done("Read", {"file_path": "a.py"}),
        edited("b.py"),
        wrote("c.py"),
        ran("make", "error: it broke at once", failed=True),
        ran("make all"),
        done("Task", {"prompt": "Look at it"}),
    )

    assert latest(now) == [
        ("a.py", "read"),
        ("b.py", "changed"),
        ("c.py", "written"),
        ("make", "failed"),
        ("make all", "worked"),
        ("Look at it", "answered"),
    ]


def test_a_search_without_a_find_did_not_fail() -> None:
    now = presented(done("Grep", {"pattern": "x"}, is_error=True), ran("grep x a.py", "", failed=True))

    assert [ended for _, ended in latest(now)] == ["found nothing", "found nothing"]


def test_only_the_newest_calls_of_this_turn_are_told() -> None:
    many = [ran(f"step {name}") for name in "abcdefgh"]

    assert [brief for brief, _ in latest(presented(*many))] == [f"step {name}" for name in "cdefgh"]
    assert LATEST == 6
    assert latest(presented(*many, user("next"))) == []


def test_refused_calls_lists_and_what_runs_on_are_no_latest_calls() -> None:
    refused = [call("Bash", {"command": "rm a"}, "c9"), entry("tool", ToolResult("c9", "no", rejected=True))]
    running = done("exec_command", {"cmd": "serve"}, "Process running with session ID 7")

    assert latest(presented(refused, running, done("TodoWrite", {"todos": [{"content": "x"}]}))) == []


def test_a_call_without_words_is_told_by_its_tool() -> None:
    assert latest(presented(done("Ping", {}))) == [("Ping", "worked")]


def test_why_a_call_was_made_is_told_with_it() -> None:
    (one,) = presented(agent("Let me build the shop:"), ran("make")).state.latest

    assert one.why == "Let me build the shop"


def test_the_branch_is_the_recorded_one_until_a_command_leaves_it() -> None:
    switched = ran("git switch -c fix", "Switched to a new branch 'fix'")

    assert presented(place("/srv/shop", "main")).state.branch == "main"
    assert presented(place("/srv/shop", "main"), switched).state.branch == "fix"
    assert presented(switched, place("/srv/shop", "")).state.branch == "fix"


def test_a_failed_command_and_a_mere_file_switch_no_branch() -> None:
    words = "Switched to a new branch 'fix'"

    assert presented(ran("git switch fix", words, failed=True)).state.branch == ""
    assert presented(done("Read", {"file_path": "a.log"}, words)).state.branch == ""


def test_the_root_is_the_first_directory_of_the_harness() -> None:
    assert presented(place("/srv/shop"), place("/srv/shop/web")).root == "/srv/shop"


def test_steering_adds_to_the_request_and_begins_no_turn() -> None:
    now = presented(user("go"), ran("make"), user("faster", "queued"))

    assert (now.state.request, now.state.added) == ("go", ["faster"])
    assert latest(now) == [("make", "worked")]


def ran_command(name: str) -> MachineText:
    return MachineText(f"<command-name>{name}</command-name>")


def test_a_command_without_words_is_the_request() -> None:
    now = presented(user("go"), ran("make"), entry("user", ran_command("/ship"))).state

    assert (now.request, now.command, now.latest) == ("", "/ship", [])


def test_a_command_with_words_is_named_beside_them() -> None:
    now = presented(entry("user", *user("only the cart", "command").parts, ran_command("/review"))).state

    assert (now.request, now.command) == ("only the cart", "/review")


def test_a_command_that_a_tool_prints_is_none() -> None:
    now = presented(user("go"), entry("tool", ran_command("/ship"))).state

    assert (now.request, now.command) == ("go", "")


def test_the_next_prompt_is_made_without_the_command() -> None:
    assert presented(entry("user", ran_command("/ship")), user("go")).state.command == ""


def started(number: int) -> list:
    return done("exec_command", {"cmd": f"serve {number}"}, f"Process running with session ID {number}")


def test_all_that_runs_of_this_turn_is_shown_newest_first() -> None:
    assert list(presented(user("go"), *map(started, (1, 2, 3))).running) == ["3", "2", "1"]


def test_of_earlier_turns_only_two_that_run_are_shown() -> None:
    assert list(presented(user("go"), *map(started, (1, 2, 3)), user("on"), started(4)).running) == ["4", "3", "2"]


def test_a_silent_job_for_which_nobody_asked_for_two_turns_is_taken_for_ended() -> None:
    monitor = done("Monitor", {"id": "x"}, "Command running in background with ID: b1")
    before = [user("go"), started(1), monitor, user("on")]

    assert set(presented(*before).running) == {"1", "b1"}
    assert set(presented(*before, user("on again")).running) == {"b1"}


def test_the_last_words_keep_both_their_ends() -> None:
    said = presented(agent("First words. " + "word " * 1_000 + "Last words.")).state.said

    assert said.startswith("First words.")
    assert said.endswith("Last words.")
    assert len(said) < 2_050


def test_a_bare_snapshot_is_whole_again_with_its_work() -> None:
    now = presented(user("go"), ran("make"), call("Bash", {"command": "under way"}))

    assert Present.restore(now.snapshot(bare=True), now.state.work).snapshot() == now.snapshot()
    assert b"under way" not in now.snapshot(bare=True)


@given(st.lists(st.sampled_from(["call", "answer", "prompt"]), max_size=15))
def test_open_calls_are_those_of_this_turn_without_an_answer(steps: list[str]) -> None:
    entries, expected = [], []
    for number, step in enumerate(steps):
        if step == "call":
            entries.append(call("Bash", {"command": f"run {number}"}, f"c{number}"))
            expected.append(f"c{number}")
        elif step == "answer" and expected:
            entries.append(result(expected.pop()))
        elif step == "prompt":
            entries.append(user(f"prompt {number}"))
            expected.clear()

    assert [deed.brief for deed in presented(*entries).open] == [f"run {id[1:]}" for id in expected]


def test_words_that_add_to_a_request_do_not_replace_it() -> None:
    asked = [user("make the column wide"), user("that of the name", "queued"), user("blue", "answer")]

    assert presented(*asked).state.request == "make the column wide"
    assert presented(*asked).state.added == ["that of the name", "blue"]
    assert presented(*asked, user("red", "queued")).state.added == ["blue", "red"]
    assert presented(*asked, user("thanks")).state.added == []
    assert presented(user("go on", "queued")).state.request == "go on"


def test_a_job_of_which_nobody_spoke_for_many_turns_is_taken_for_ended() -> None:
    monitor = done("Monitor", {}, "Monitor started (task m1)")
    later = [user(f"go on {n}") for n in range(STALE)]

    assert list(presented(user("go"), monitor, *later).running) == ["m1"]
    assert list(presented(user("go"), monitor, *later, user("on")).running) == []
    asked = done("TaskOutput", {"task_id": "m1"}, "<status>running</status>")
    assert list(presented(user("go"), monitor, *later, asked, user("on")).running) == ["m1"]
