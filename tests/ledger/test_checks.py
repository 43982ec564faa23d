from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.checks import Checks, shows_failure


def after(*runs: tuple[str, str, bool]) -> list[str]:
    """Names that fail after runs of (key, output, succeeded)."""
    checks = Checks()
    for key, output, succeeded in runs:
        checks.printed(output, key, succeeded)
    return checks.names


@pytest.mark.parametrize(
    ("failed", "passed"),
    [
        ("FAILED tests/a.py::test_sum - assert 1", "PASSED tests/a.py::test_sum"),
        ("tests/a.py::test_sum ERROR", "tests/a.py::test_sum PASSED [ 50%]"),
        ("test cart::sum ... FAILED", "test cart::sum ... ok"),
        ("  × sums the cart 4 ms", "  ✓ sums the cart (3 ms)"),
        ("not ok 1 - sums the cart", "ok 7 - sums the cart"),
        ("    --- FAIL: TestSum/empty (0.01s)", "    --- PASS: TestSum/empty (0.00s)"),
    ],
)
def test_a_test_passes_in_the_words_of_the_program_that_showed_it_failing(failed: str, passed: str) -> None:
    assert after(("one", failed, False)) != []
    assert after(("one", failed, False), ("two", passed, False)) == []


@pytest.mark.parametrize(
    "output", ["it is not ok 3", "see --- FAIL: TestSum", "the test cart::sum ... FAILED", "a::b was FAILED", "ok then"]
)
def test_words_about_tests_are_no_results(output: str) -> None:
    assert after(("one", output, False)) == []


def test_the_success_of_another_command_clears_nothing() -> None:
    assert after(("go test ./a", "--- FAIL: TestSum", False), ("go test ./b", "ok", True)) == ["TestSum"]


def test_a_check_of_everything_clears_its_parts_unless_a_pipe_hid_a_failure() -> None:
    failed = ("cmd:go test ./cart", "--- FAIL: TestSum", False)

    assert after(failed, ("cmd:go test ./...", "ok shop", True)) == []
    assert after(failed, ("cmd:go test ./...", "FAIL shop/till", True)) == ["TestSum"]


def test_what_a_successful_run_itself_shows_failing_is_cleared_by_its_success() -> None:
    assert after(("make", "--- FAIL: TestSum", True)) == []


def test_a_test_fails_under_the_command_that_showed_it_last() -> None:
    runs = [("go test ./cart", "--- FAIL: TestSum", False), ("make", "--- FAIL: TestSum", False)]

    assert after(*runs, ("go test ./cart", "ok", True)) == ["TestSum"]
    assert after(*runs, ("make", "ok", True)) == []


def test_names_come_before_sentences() -> None:
    assert after(("one", "✕ adds up\n✕ adds total_price up", False)) == ["adds total_price up", "adds up"]


def test_a_long_name_is_shortened_between_words() -> None:
    (name,) = after(("one", "✕ " + "sums the cart " * 8, False))

    assert len(name) <= 140


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("PF"), st.booleans()), max_size=12))
def test_what_fails_is_what_was_seen_failing_last_and_by_no_run_that_worked_since(
    runs: list[tuple[str, str, bool]],
) -> None:
    expected: dict[str, str] = {}
    for key, state, succeeded in runs:
        expected.pop("TestX", None)
        if state == "F":
            expected["TestX"] = key
        if succeeded and expected.get("TestX") == key:
            expected.clear()

    words = {"P": "--- PASS: TestX", "F": "--- FAIL: TestX"}
    assert after(*((key, words[state], succeeded) for key, state, succeeded in runs)) == list(expected)


@pytest.mark.parametrize(
    "output", ["FAIL", "  FAILED tests", "1 failed, 2 passed", "12 failing", "not ok 1 - x", "ERRORS"]
)
def test_an_output_that_names_failures_shows_them(output: str) -> None:
    assert shows_failure(f"first\n{output}\nlast")


@pytest.mark.parametrize("output", ["0 failed", "no failures", "nothing FAILED", "failover works", "all passed"])
def test_an_output_that_only_speaks_of_failing_shows_none(output: str) -> None:
    assert not shows_failure(output)
