"""The lines of an output that say what went wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger import complaints
from memcli.ledger.complaints import telling_lines, tells_failure

BROKEN = "Exit code 2\nsrc/a.c:3:1: error: expected ';' before the closing brace\nmake: *** [all] Error 1"
NO_PAGE = "Request failed: error 404, the page was not found"


def test_the_most_telling_line_comes_first() -> None:
    assert telling_lines(BROKEN)[0] == "src/a.c:3:1: error: expected ';' before the closing brace"


def test_an_output_without_error_words_shows_its_ends() -> None:
    assert telling_lines("first line of it\nsomething\nlast line of it") == ["first line of it", "last line of it"]


def test_lines_about_the_exit_alone_say_nothing() -> None:
    assert telling_lines("Exit code 1\nProcess exited with code 1") == []


def test_what_npm_adds_to_any_failure_and_code_squeezed_into_a_line_say_nothing() -> None:
    squeezed = "x=" + "throw new Error('undefined');" * 40
    output = f"{squeezed}\nsrc/a.ts(3,1): error TS2339: no such member\nnpm error path /home/dev/shop\n{squeezed}"

    assert telling_lines(output) == ["src/a.ts(3,1): error TS2339: no such member"]


@pytest.mark.parametrize(
    ("output", "first"),
    [
        ("make: *** [all] Error 1\\nthe cart was not found there", "the cart was not found there"),
        ("INFO request failed for a while now\\nerror: no such item in the cart", "error: no such item in the cart"),
        ("2 tests failed\\n2 tests failed\\nexpected seven items in it", "expected seven items in it"),
    ],
)  # fmt: skip
def test_the_line_with_most_of_the_cause_is_told_first(output: str, first: str) -> None:
    assert telling_lines(output.replace("\\n", "\n"))[0] == first


def test_where_only_general_words_fail_the_lines_before_them_are_told() -> None:
    output = "starting the whole build\nthe linker has no memory left\nmake: *** [all] Error 1"

    assert "the linker has no memory left" in telling_lines(output)


def test_of_tasks_that_run_at_once_the_lines_of_the_one_that_failed_are_told() -> None:
    output = "[cart] the linker has no memory left\n[till] the drawer is open by now\n[cart] task failed at last"

    told = telling_lines(output)

    assert "[cart] the linker has no memory left" in told
    assert not any("drawer" in line for line in told)


def test_a_traceback_is_told_with_its_last_line() -> None:
    output = "Traceback (most recent call last):\n" + "  in the middle of it\n" * 3 + "KeyboardStopped because of it"

    assert any(line.endswith("KeyboardStopped because of it") for line in telling_lines(output))


@given(st.lists(st.sampled_from([*BROKEN.split("\n"), NO_PAGE, "just words of a log", "short", "x" * 700])))
def test_lines_that_tell_are_few_bounded_and_of_the_output(lines: list[str]) -> None:
    told = telling_lines("\n".join(lines))

    assert len(told) <= complaints.MAX_LINES
    assert all(len(line) <= complaints.LINE_LIMIT for line in told)
    assert all(line in lines or line == "[…]" for line in told)


def test_the_tags_of_a_harness_around_an_error_are_no_part_of_it() -> None:
    assert telling_lines("<tool_use_error>error: the cart is missing</tool_use_error>") == [
        "error: the cart is missing"
    ]


@pytest.mark.parametrize(
    ("line", "tells"),
    [
        ("10:02 ERROR the cart is locked", True),
        ("level=error msg=locked", True),
        ("level=info msg=saved error=none", False),
        ("10:02 WARN the request failed, again in 3 s", False),
        ("10:02 the cart was saved", False),
    ],
)
def test_a_line_tells_a_failure_by_its_words_unless_its_level_is_milder(line: str, tells: bool) -> None:
    assert tells_failure(line) is tells


def test_a_log_shows_its_cause_first_and_then_how_it_begins() -> None:
    begins = "12:00:01 WARN the key of the lease was not found in the cellar, it is made anew"
    grains = "rye", "oats", "wheat", "barley", "millet", "spelt"
    log = [begins, *(f"12:00:02 WARN {grain} is missing from the list of the miller" for grain in grains)]
    cause = "/srv/mill/grind.sh: line 314: sieve: command not found"
    assert telling_lines("\n".join([*log, cause])) == [cause, begins]
