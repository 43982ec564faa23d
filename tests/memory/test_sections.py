from __future__ import annotations

from memcli.memory import sections


def test_each_section_stands_once_in_the_table() -> None:
    assert len(set(sections.NAMES)) == len(sections.SECTIONS) == 8


def test_corrections_and_errors_are_served_before_active_and_completed_work() -> None:
    rank = {section.name: section.priority for section in sections.SECTIONS}

    assert rank[sections.ERRORS] < rank[sections.ACTIVE_WORK] < rank[sections.COMPLETED]


def test_larger_budgets_allow_more_words_and_smaller_no_fewer() -> None:
    assert [sections.words_allowed(budget) for budget in (2_000, 4_000, 8_000)] == [500, 500, 1_000]


def test_current_state_has_a_fixed_part_of_any_budget() -> None:
    assert sections.current_state_limit(4_000) == 2 * sections.current_state_limit(2_000) == 1_920
