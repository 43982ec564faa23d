"""When a summarizer may be asked again, and what an hour may cost."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.watch.health import DAY_SECONDS, FIRST_SECONDS, HOUR_SECONDS, LONGEST_SECONDS, TRIES, Health

NOW = 1_000_000.0


def failed(times: int, **how: object) -> Health:
    health = Health()
    for _ in range(times):
        health = health.failed("no ink", NOW, **how)
    return health


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 30.0), (2, 60.0), (3, 120.0), (4, 240.0), (5, 3600.0), (9, 3600.0)]
)
def test_each_failure_in_a_row_doubles_the_pause_until_the_circuit_opens(failures: int, pause: float) -> None:
    assert failed(failures).not_before == NOW + pause


def test_a_permanent_failure_opens_the_circuit_at_once() -> None:
    assert failed(1, permanent=True).not_before == NOW + LONGEST_SECONDS


def test_a_longer_wait_that_the_service_asks_for_is_kept() -> None:
    assert failed(1, retry_after=500.0).not_before == NOW + 500.0
    assert failed(1, retry_after=1.0).not_before == NOW + FIRST_SECONDS


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_no_service_can_silence_a_model_for_ever(seconds: float) -> None:
    assert failed(1, retry_after=seconds).not_before == NOW + DAY_SECONDS


def test_what_is_refused_says_why_and_when_it_is_tried_again() -> None:
    assert failed(1).refusal(NOW + 10) == "no ink; next try in 20 s"
    assert failed(1).refusal(NOW + 30) == ""


def test_a_good_answer_forgets_all_failures_and_no_dollar() -> None:
    health = failed(TRIES).charged(0.5, NOW).holding("a", 0.25, NOW).answered()
    assert health.refusal(NOW) == ""
    assert (health.failures, health.left(1.0, NOW)) == (0, 0.25)


def test_a_failure_forgets_no_dollar() -> None:
    assert Health().charged(0.5, NOW).holding("a", 0.25, NOW).failed("x", NOW).left(1.0, NOW) == 0.25


def test_what_was_paid_an_hour_ago_counts_no_more() -> None:
    health = Health().charged(0.5, NOW)
    assert health.left(1.0, NOW + HOUR_SECONDS - 1) == 0.5
    assert health.left(1.0, NOW + HOUR_SECONDS + 1) == 1.0
    assert health.budget_again(NOW + 5) == NOW + HOUR_SECONDS


def test_what_is_held_cannot_be_spent_by_another_until_it_is_released() -> None:
    health = Health().holding("a", 0.7, NOW)
    assert health.left(1.0, NOW) == pytest.approx(0.3)
    assert health.holding("a", 0.1, NOW).left(1.0, NOW) == pytest.approx(0.9)
    assert health.released("a").left(1.0, NOW) == 1.0


def test_what_a_dead_process_held_is_free_again_after_an_hour() -> None:
    health = Health().holding("a", 1.0, NOW)
    assert health.left(1.0, NOW + HOUR_SECONDS - 1) == 0.0
    assert health.left(1.0, NOW + HOUR_SECONDS + 1) == 1.0


def test_no_price_can_give_money_back() -> None:
    assert Health().charged(-5.0, NOW).left(1.0, NOW) == 1.0


@given(st.lists(st.floats(0, 2)), st.floats(0.01, 5))
def test_there_is_never_less_than_nothing_left(costs: list[float], budget: float) -> None:
    health = Health()
    for cost in costs:
        health = health.charged(cost, NOW)
    assert health.left(budget, NOW) == pytest.approx(max(0.0, budget - sum(costs)))


@given(st.integers(0, 12), st.booleans(), st.none() | st.floats(0, 1e9))
def test_what_is_known_survives_being_written_down(times: int, permanent: bool, after: float | None) -> None:
    health = failed(times, permanent=permanent, retry_after=after).charged(0.1, NOW).holding("a", 0.2, NOW)
    assert msgspec.json.decode(msgspec.json.encode(health), type=Health) == health
