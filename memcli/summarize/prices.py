"""What a request costs, in US dollars, by a dated table. Every request is priced on its own.

Read from the pages of the models and of pricing, and the release notes up to `PRICED`. A price holds from its `since`
on; a model that is not in the table has an unknown price, never 0.

    cache write   1.25 × input for 5 minutes, 2 × for an hour
    cache read    0.1 × input, less for some models
    long prompt   where a model has such a tier, a prompt beyond `long` tokens (cached ones included) multiplies every
                  rate of the request, output too
    batch         half
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from memcli.memory.jobs import Usage

PRICED = "2026-11-12"
MILLION = 1_000_000
WRITE_5M = 1.25
WRITE_1H = 2.0
BATCH = 0.5


class Price(NamedTuple):
    """Dollars per million tokens of a model from a day on. `read` multiplies input; beyond `long` tokens of prompt all
    rates are multiplied by `factor`."""

    model: str
    since: str
    input: float
    output: float
    read: float = 0.1
    long: int = 0
    factor: float = 1.0


# The newest of a model last; "" is from its beginning. Fable 5.2's cache rate is known from third parties only.
TABLE = (
    Price("claude-haiku-4-5", "", 1, 5),
    Price("claude-haiku-5-5", "2026-10-07", 0.10, 0.50, long=100_000, factor=5.0),
    Price("claude-sonnet-5", "", 2, 10),
    Price("claude-sonnet-5-5", "2026-09-28", 2, 10),
    Price("claude-sonnet-5-5", "2026-10-07", 2, 10, read=0.05),
    Price("claude-opus-5-5", "", 4, 20, read=0.05),
    Price("claude-fable-5-1", "", 10, 50, read=0.025),
    Price("claude-fable-5-2", "2026-11-09", 8, 40, read=0.025),
)

_VERSIONED = re.compile(r"(?:anthropic/)?(?P<model>claude-[a-z]+-\d+(?:[-.]\d{1,2})?)(?:-\d{8}|-latest)?")


def total(costs: Iterable[float | None]) -> float | None:
    """Dollars of several requests; None if one of them is not known."""
    known = 0.0
    for one in costs:
        if one is None:
            return None
        known += one
    return known


def cost(model: str, usage: Usage, day: dt.date) -> float | None:
    """Dollars of one request on a day; None if nobody knows. What the service itself said comes first.

    Exact for usage that was billed; of estimated usage (`usage.estimated`) an estimate.
    """
    if usage.cost is not None:
        return usage.cost
    price = price_of(model, day)
    if price is None or usage.service_tier not in ("", "standard", "batch"):
        return None
    prompt = (
        usage.input_tokens
        + usage.cache_read_tokens * price.read
        + usage.cache_write_5m_tokens * WRITE_5M
        + usage.cache_write_1h_tokens * WRITE_1H
    )
    rate = price.factor if price.long and usage.prompt_tokens > price.long else 1.0
    rate *= BATCH if usage.service_tier == "batch" else 1.0
    return (prompt * price.input + usage.output_tokens * price.output) * rate / MILLION


def price_of(model: str, day: dt.date) -> Price | None:
    """The price of a model on a day, None if it is not known. A dated name of a model (`…-20261007`) is that model."""
    match = _VERSIONED.fullmatch(model)
    name = match["model"].replace(".", "-") if match else model
    held = [price for price in TABLE if price.model == name and price.since <= day.isoformat()]
    return held[-1] if held else None
