"""How often something is done follows from what it costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.watch.pace import SHARE, Pace


def test_the_first_time_is_at_once():
    assert Pace(1.0, 30.0).due == 0.0


def test_what_costs_nothing_is_done_as_often_as_may_be():
    pace = Pace(1.0, 30.0)
    pace.done(100.0, 0.0)
    assert pace.due == 101.0


@given(st.floats(0.0, 10.0))
def test_the_cost_stays_below_its_share_between_the_bounds(cost):
    pace = Pace(1.0, 30.0)
    pace.done(100.0, cost)
    assert 1.0 <= pace.due - 100.0 <= 30.0
    assert cost / (pace.due - 100.0) <= SHARE * 1.001 or pace.due == 130.0


def test_something_that_happened_makes_it_due_at_once():
    pace = Pace(1.0, 30.0)
    pace.done(100.0, 1.0)
    pace.at_once()
    assert pace.due == 0.0
