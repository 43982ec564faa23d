"""What models were paid for one memory, and how the summarizer is: `status --cost`, and a row of `status`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from memcli.commands import setup, writer
from memcli.sidecar import spending
from memcli.watch.accounts import health_path
from memcli.watch.health import HOUR_SECONDS, Health

if TYPE_CHECKING:
    from memcli.sidecar.place import Place
    from memcli.sidecar.spending import Spent

_KINDS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")


def cost_record(place: Place) -> dict[str, Any]:
    """All requests of a transcript in numbers. Dollars are those of known prices; others are counted, never as 0."""
    found = spending.spent(place.sidecar)
    hour = time.time() - HOUR_SECONDS
    return {
        "requests": len(found),
        "accepted": sum(one.call.outcome == "accepted" for one in found),
        "milliseconds": sum(one.call.milliseconds for one in found),
        "tokens": {kind: sum(getattr(one.call.usage, kind) for one in found) for kind in _KINDS},
        "dollars": _dollars(found),
        "dollars_last_hour": _dollars([one for one in found if one.made > hour]),
        "requests_without_price": sum(one.call.cost is None for one in found),
        "models": sorted({one.call.model or one.call.backend for one in found}),
        "priced": sorted({one.call.priced for one in found if one.call.priced}),
    }


def cost_rows(place: Place) -> list[tuple[str, str]]:
    """The same for people."""
    record = cost_record(place)
    if not record["requests"]:
        return [("cost", "no model was asked")]
    tokens = ", ".join(f"{count:,} {kind[:-7].replace('_', ' ')}" for kind, count in record["tokens"].items() if count)
    unknown = record["requests_without_price"]
    unpriced = f", and {unknown} requests at an unknown price" if unknown else ""
    dated = f" (prices of {', '.join(record['priced'])})" if record["priced"] else ""
    return [
        ("requests", f"{record['requests']} ({record['accepted']} accepted), {record['milliseconds'] / 1000:.1f} s"),
        ("tokens", tokens or "not reported"),
        ("cost", f"${record['dollars']:.4f}{unpriced}{dated}"),
        ("last hour", f"${record['dollars_last_hour']:.4f}"),
        ("models", ", ".join(record["models"])),
    ]


def health_record() -> dict[str, Any]:
    """The summarizer that the settings choose, and whether it may be asked."""
    who = writer.chosen(setup.load({}, quiet=True).settings)
    health = spending.value_of(health_path(who.account), Health) if who.account else Health()
    return {
        "name": who.name,
        "sends": who.sends,
        "failures": health.failures,
        "reason": health.reason,
        "permanent": health.permanent,
        "next_try": health.not_before or None,
    }


def health_row(record: dict[str, Any]) -> tuple[str, str]:
    """The same for people."""
    text = f"{record['name']}, {record['sends']}"
    if record["failures"]:
        wait = max(0.0, (record["next_try"] or 0) - time.time())
        text += f" - failed {record['failures']} times: {record['reason']}; next try in {wait:.0f} s"
    return "summarizer", text


def _dollars(found: list[Spent]) -> float:
    return round(sum(one.call.cost or 0.0 for one in found), 6)
