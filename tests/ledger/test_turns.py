"""Which request an event belongs to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.turns import MAX_TURNS, Turns


def test_turns_are_numbered_from_one_and_what_came_before_is_none() -> None:
    turns = Turns([3, 9])

    assert [turns.at(index) for index in (1, 3, 8, 9, 50)] == [0, 1, 1, 2, 2]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=60))
def test_every_start_opens_its_own_turn(gaps: list[int]) -> None:
    turns, index = Turns(), 0
    for number, gap in enumerate(gaps, 1):
        index += gap
        turns.began(index)
        assert turns.at(index) == number


def test_numbers_stay_when_the_oldest_turns_are_forgotten() -> None:
    turns = Turns()
    for index in range(MAX_TURNS + 10):
        turns.began(index)

    assert turns.at(MAX_TURNS + 9) == MAX_TURNS + 10
    assert len(turns.starts) == MAX_TURNS
