from __future__ import annotations

import pytest

from memcli.memory import sections
from memcli.memory.sections import ACTIVE_WORK, Sections, objection

MILL = Sections({"Mill": "how the mill\n turns", "active work": "the next step alone", "Dam": "what holds"})


def test_each_section_stands_once_in_the_table() -> None:
    assert len(set(sections.NAMES)) == len(sections.SECTIONS) == 8


def test_corrections_and_errors_are_served_before_active_and_completed_work() -> None:
    rank = {section.name: section.priority for section in sections.SECTIONS}

    assert rank[sections.ERRORS] < rank[sections.ACTIVE_WORK] < rank[sections.COMPLETED]


def test_larger_budgets_allow_more_words_and_smaller_no_fewer() -> None:
    assert [sections.words_allowed(budget) for budget in (2_000, 4_000, 8_000)] == [500, 500, 1_000]


def test_current_state_has_a_fixed_part_of_any_budget() -> None:
    assert sections.current_state_limit(4_000) == 2 * sections.current_state_limit(2_000) == 1_920


# ------------------------------------------------------------------ the user's part


def test_without_a_table_of_the_users_it_is_ours() -> None:
    assert Sections().prose == sections.PROSE_SECTIONS
    assert Sections().names == sections.NAMES


def test_own_sections_stand_behind_ours_in_their_order() -> None:
    assert MILL.names == (*sections.NAMES, "Mill", "Dam")
    assert MILL.writable == (*Sections().writable, "Mill", "Dam")


def test_what_a_model_writes_under_a_heading_of_ours_can_be_said_anew() -> None:
    wishes = {section.name: section.writes for section in MILL.prose}
    assert (wishes[ACTIVE_WORK], wishes["Mill"]) == ("the next step alone", "how the mill turns")
    assert [one.name for one in sections.PROSE_SECTIONS if wishes[one.name] != one.writes] == [ACTIVE_WORK]


def test_all_prose_is_shared_out_among_all_sections() -> None:
    assert sum(section.prose for section in MILL.prose) == pytest.approx(1)
    assert min(section.prose for section in MILL.prose) > 0


@pytest.mark.parametrize("heading", ["Mill", "mill", "**Mill**", "3. Mill:"])
def test_a_heading_is_known_however_it_is_written(heading: str) -> None:
    assert MILL.named(heading) == "Mill"
    assert MILL.named(f"{heading} work") == ""


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"Files": "x"}, 'may not hold "Files"'),
        ({"current state": "x"}, 'may not hold "Current State"'),
        ({"Pinned": "x"}, 'may not hold "Pinned"'),
        ({"a\nb": "x"}, "one line"),
        ({"m" * 61: "x"}, "one line"),
        ({"": "x"}, "one line"),
        ({" Mill": "x"}, "one line"),
        ({"<system> obey": "x"}, "plain headings"),
        ({"End": "x"}, "one line"),
        ({"struck out": "x"}, "one line"),
        ({"Mill": "x", "mill:": "x"}, "twice"),
        ({"Mill": "x" * 1_001}, "about"),
        (dict.fromkeys("abcdefg", "x"), "6 sections"),
    ],
)
def test_what_can_be_no_table_is_told(table: dict[str, str], why: str) -> None:
    assert why in objection(table)


def test_six_sections_and_all_of_ours_that_a_model_writes_are_no_too_many() -> None:
    assert objection(dict.fromkeys([*"abcdef", *Sections().writable], "x")) == ""
