"""What Current State tells first when there is no room for all, and what it never tells."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.memory.current_state import current_state
from memcli.memory.sections import current_state_limit
from memcli.transcript.entries import Entry, MachineText
from tests.ledger.builders import agent, call, done, entry, place, presented, ran, stopped, user

ROOT = "/home/dev/shop"
FAILED = "error: the cart cannot be added up at all"


def lines(*entries: Entry | list[Entry], budget: int = 4_000) -> list[str]:
    return current_state(presented(*entries), budget).split("\n")


def starts(*entries: Entry | list[Entry]) -> list[str]:
    """How each line begins, up to the first colon or comma."""
    return [line.removeprefix("- ").replace(",", ":").split(":")[0] for line in lines(*entries)]


def test_an_empty_session_tells_only_what_is_covered() -> None:
    assert starts() == ["the sections below cover everything up to this moment"]


def test_all_that_is_known_stands_in_one_order_however_it_came() -> None:
    todo = done("TodoWrite", {"todos": [{"content": "Round", "status": "in_progress"}]})
    failed = ran("pytest", f"FAILED tests/a.py::test_sum - {FAILED}", failed=True)

    assert starts(
        place(ROOT, "fix"), user("go"), todo, failed, agent("It fails."), call("Bash", {"command": "ls"})
    ) == [
        "last request",
        "said last",
        "call without a result yet",
        "[~] in progress",
        "failing test",
        "OPEN error of `pytest`",
        "latest",
        "on branch `fix`",
        "the sections below cover everything up to this moment",
    ]


def test_paths_are_told_as_typed_in_the_project() -> None:
    state = lines(place(ROOT), user("go"), call("Bash", {"command": f"cd {ROOT} && cat {ROOT}/a.py"}))

    assert "- call without a result yet: Bash `cat …/a.py`" in state


def test_only_three_open_calls_are_told() -> None:
    calls = [call("Bash", {"command": f"run {name}"}) for name in "abcde"]

    assert [line[-2] for line in lines(user("go"), *calls) if "without a result" in line] == ["c", "d", "e"]


def test_only_four_jobs_are_told() -> None:
    jobs = [done("exec_command", {"cmd": f"serve {n}"}, f"Process running with session ID {n}") for n in range(6)]

    assert sum("running in background" in line for line in lines(user("go"), *jobs)) == 4


def test_a_job_of_an_earlier_turn_is_told_as_such() -> None:
    job = done("exec_command", {"cmd": "serve"}, "Process running with session ID 7")

    (line,) = [one for one in lines(user("go"), job, user("on")) if "background" in one]
    assert line.endswith("(id `7`), started in an earlier turn, its end was not seen")


def test_errors_of_earlier_turns_are_not_of_this_moment() -> None:
    failed = ran("make", FAILED, failed=True)

    assert any("OPEN error" in line for line in lines(user("go"), failed))
    assert not any("OPEN error" in line for line in lines(user("go"), failed, user("on")))


def test_what_was_added_to_the_request_stands_behind_it() -> None:
    assert lines(user("make it wide"), user("and blue", "queued"))[:2] == [
        '- last request, user: "make it wide"',
        '- said since, user: "and blue"',
    ]


def test_once_the_turn_has_ended_what_was_only_tried_in_it_is_no_error_of_this_moment() -> None:
    tried, went_on = ran("dig shop", FAILED, failed=True), [ran("ls"), agent("The shop is open now.")]

    assert any("OPEN error of `dig" in line for line in lines(user("go"), tried, ran("ls")))
    assert not any("OPEN error" in line for line in lines(user("go"), tried, *went_on))
    assert any("OPEN error" in line for line in lines(user("go"), tried, went_on[1]))  # it was the last thing done
    assert any("OPEN error" in line for line in lines(user("go"), ran("make", FAILED, failed=True), *went_on))


def test_only_two_errors_and_four_tests_are_told() -> None:
    tests = "\n".join(f"FAILED tests/a.py::test_{name} - {FAILED}" for name in "abcdef")
    broken = [ran(f"make {name}", FAILED, failed=True) for name in "abc"]
    state = lines(user("go"), ran("pytest", tests, failed=True), *broken)

    assert sum("OPEN error" in line for line in state) == 2
    assert sum("failing test" in line for line in state) == 4


def test_what_the_agent_said_of_an_error_stands_with_it() -> None:
    state = lines(user("go"), ran("make", FAILED, failed=True), agent("The list of items is empty at first."))

    assert any(line.endswith('agent then: "The list of items is empty at first."') for line in state)


@pytest.mark.parametrize("branch", ["", "HEAD"])
def test_no_branch_is_told_where_there_is_none(branch: str) -> None:
    assert not any("branch" in line for line in lines(place(ROOT, branch)))


def test_a_command_with_words_stands_before_them() -> None:
    words = user("only the cart", "command").parts
    began = entry("user", *words, MachineText("<command-name>/review</command-name>"))

    assert lines(began)[0] == '- last request, user: `/review` "only the cart"'


def test_what_a_short_request_answers_stands_behind_it() -> None:
    state = lines(user("go"), agent("Shall I round the total of the cart?"), user("yes"))

    assert state[1] == '- it answers the agent\'s: "Shall I round the total of the cart?"'


def test_of_a_long_script_the_purpose_is_told_and_its_first_words() -> None:
    state = lines(user("go"), agent("Let me sum up the totals:"), ran("python - <<'E'\n" + "print(total) ; " * 30))
    (line,) = [one for one in state if one.startswith("- latest")]

    assert line.startswith("- latest, Let me sum up the totals: `python - ")
    assert len(line) < 170


_PARTS = st.lists(
    st.one_of(
        st.builds(user, st.text(max_size=400)),
        st.builds(agent, st.text(max_size=400)),
        st.builds(lambda name: call("Bash", {"command": name}), st.text(max_size=300)),
        st.builds(lambda out: ran("make", f"{FAILED} {out}", failed=True), st.text(max_size=200)),
        st.just(stopped()),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(parts=_PARTS, budget=st.sampled_from([2_000, 4_000, 9_000]))
def test_its_part_of_the_budget_is_never_overdrawn_and_the_reach_is_always_told(parts: list, budget: int) -> None:
    text = current_state(presented(*parts), budget)

    assert len(text) <= current_state_limit(budget)
    assert "the sections below cover" in text
    assert all(line.startswith("- ") for line in text.split("\n"))
