"""Prices: dated, each request on its own, unknown where unknown."""

from __future__ import annotations

import datetime as dt

import pytest

from memcli.memory.jobs import Usage
from memcli.summarize.prices import PRICED, TABLE, cost, price_of, total

TODAY = dt.date(2026, 11, 22)
HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
MILLION = Usage(input_tokens=1_000_000)


def test_an_ordinary_update_costs_a_quarter_of_a_cent() -> None:
    assert cost(HAIKU, Usage(input_tokens=9_200, output_tokens=3_500), TODAY) == pytest.approx(0.00267)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(input_tokens=1_000), 0.002),
        (Usage(cache_read_tokens=1_000), 0.0001),
        (Usage(cache_write_5m_tokens=1_000), 0.0025),
        (Usage(cache_write_1h_tokens=1_000), 0.004),
        (Usage(output_tokens=1_000, thinking_tokens=900), 0.010),
        (Usage(input_tokens=1_000, service_tier="batch"), 0.001),
        (Usage(), 0.0),
    ],
)
def test_each_kind_of_token_has_its_price(usage: Usage, dollars: float) -> None:
    assert cost(SONNET, usage, TODAY) == pytest.approx(dollars)


def test_a_long_prompt_makes_the_whole_request_dearer_its_answer_too() -> None:
    at, beyond = Usage(input_tokens=100_000, output_tokens=1_000), Usage(1, 100_000, output_tokens=1_000)
    assert cost(HAIKU, at, TODAY) == pytest.approx(0.0105)
    assert cost(HAIKU, beyond, TODAY) == pytest.approx((0.1 + 100_000 * 0.01 + 1_000 * 0.5) * 5 / 1_000_000)


def test_a_price_holds_from_its_day_on() -> None:
    read = Usage(cache_read_tokens=1_000_000)
    assert cost(SONNET, read, dt.date(2026, 10, 6)) == pytest.approx(0.20)
    assert cost(SONNET, read, dt.date(2026, 10, 7)) == pytest.approx(0.10)
    assert cost(HAIKU, read, dt.date(2026, 10, 6)) is None


@pytest.mark.parametrize("model", ["qwen3", "", "claude-haiku-9", "claude-haiku-5-5-turbo", "my-claude-haiku-5-5"])
def test_an_unknown_model_has_an_unknown_price_never_none_at_all(model: str) -> None:
    assert cost(model, MILLION, TODAY) is None
    assert cost(model, Usage(), TODAY) is None


@pytest.mark.parametrize("name", ["claude-haiku-5-5-20261007", "claude-haiku-5-5-latest", "anthropic/claude-haiku-5.5"])
def test_other_names_of_a_model_have_its_price(name: str) -> None:
    assert price_of(name, TODAY) == price_of(HAIKU, TODAY)


def test_what_the_service_says_comes_first() -> None:
    assert cost("anybody/any-model", Usage(input_tokens=5, cost=0.25), TODAY) == 0.25


def test_a_tier_of_unknown_price_is_not_guessed() -> None:
    assert cost(HAIKU, Usage(input_tokens=5, service_tier="priority"), TODAY) is None


def test_the_table_is_dated_and_the_newest_price_of_a_model_stands_last() -> None:
    assert dt.date.fromisoformat(PRICED) <= TODAY
    for price in TABLE:
        since = [other.since for other in TABLE if other.model == price.model]
        assert since == sorted(since)
        assert price.since <= PRICED


def test_a_sum_with_an_unknown_price_is_unknown() -> None:
    assert total([]) == 0.0
    assert total([0.25, 0.5]) == 0.75
    assert total([0.25, None]) is None
