from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.ledger import actions
from tests.ledger.builders import agent, done, folded, ran, user

if TYPE_CHECKING:
    from memcli.ledger.actions import Action
    from memcli.transcript.entries import Entry

REPORT = "The helper total_price rounds far too early inside of the cart."


def acted(*entries: Entry | list[Entry]) -> list[Action]:
    return list(folded(*entries).state.actions.done.values())


def test_the_last_outcome_counts() -> None:
    (one,) = acted(ran("make", failed=True, output="error: it broke at once"), ran("make"))

    assert (one.ok, one.runs, one.failures) == (True, 2, 1)


def test_the_latest_action_stands_last_and_at_its_event() -> None:
    first, last = acted(ran("make a"), ran("make b"), ran("make a"))

    assert (first.brief, last.brief) == ("make b", "make a")
    assert last.last > first.last


def test_a_purpose_outlives_a_run_without_one() -> None:
    (one,) = acted(ran("make", why="Build the shop"), user("again"), ran("make"))

    assert one.why == "Build the shop"


def test_runs_that_differ_in_figures_and_filters_alone_are_one_action_as_typed_last() -> None:
    (one,) = acted(ran("serve --port 80"), ran("serve --port 81 | head -3"))

    assert (one.brief, one.runs) == ("serve --port 81 | head -3", 2)


def asked(report: str, **more: bool) -> Action:
    (one,) = acted(done("Task", {"prompt": "Look at the rounding of the cart", "description": "Look"}, report, **more))
    return one


@pytest.mark.parametrize(
    "line",
    ["agentId: a1 holds the total_price of it", "total_tokens: many of total_price", "It is all fine.", "cart.py"],
)
def test_lines_that_say_nothing_of_anything_named_are_no_report(line: str) -> None:
    assert asked(f"- {REPORT}\n{line}").report == [REPORT]


def test_of_a_long_report_the_lines_with_most_names_stay_in_their_order() -> None:
    many = [f"The name_{letter} of {letter}_two is used far too early." for letter in "abcdefghijklmnop"]
    report = asked("\n".join([REPORT, *many])).report

    assert report == many[: actions.MAX_REPORT]


def test_a_line_of_a_report_is_clipped() -> None:
    (line,) = asked(f"{REPORT} " + "word " * 60).report

    assert len(line) <= actions.REPORT_LIMIT


def test_a_subagent_that_failed_reports_nothing() -> None:
    one = asked(REPORT, is_error=True)

    assert (one.report, one.ok) == ([], False)


def test_a_command_reports_nothing_however_much_it_prints() -> None:
    (one,) = acted(ran("make", REPORT))

    assert one.report == []


def test_names_of_a_report_count_as_written() -> None:
    names = folded(done("Task", {"prompt": "Look at it"}, REPORT)).state.names.seen

    assert names["total_price"].written == 1


def test_reading_editing_and_lists_are_no_actions() -> None:
    assert acted(done("Read", {"file_path": "a.py"}), done("TodoWrite", {"todos": [{"content": "x"}]})) == []
    assert acted(agent("make")) == []
