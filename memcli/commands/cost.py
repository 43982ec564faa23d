"""What models were paid for one memory, and how the summarizer is: `status --cost`, and a row of `status`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from memcli.commands.reports import Cost, Summarizer
from memcli.errors import Usage
from memcli.making import setup, writer
from memcli.sidecar import spending
from memcli.sidecar.lock import said
from memcli.watch.accounts import Introduction, health_path
from memcli.watch.health import HOUR_SECONDS, Health

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.sidecar.place import Place
    from memcli.sidecar.spending import Spent

_WHOSE = {"watcher": "", "last update": " (the last one)", "settings": " (by the settings here)"}
_KINDS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")


def cost_record(place: Place) -> Cost:
    """All requests of a transcript in numbers."""
    found = spending.spent(place.sidecar)
    hour = time.time() - HOUR_SECONDS
    return Cost(
        requests=len(found),
        accepted=sum(one.call.outcome == "accepted" for one in found),
        milliseconds=sum(one.call.milliseconds for one in found),
        tokens={kind: sum(getattr(one.call.usage, kind) for one in found) for kind in _KINDS},
        dollars=_dollars(found),
        dollars_last_hour=_dollars([one for one in found if one.made > hour]),
        requests_without_price=sum(one.call.cost is None for one in found),
        models=tuple(sorted({one.call.model or one.call.backend for one in found})),
        priced=tuple(sorted({one.call.priced for one in found if one.call.priced})),
    )


def cost_rows(place: Place) -> list[tuple[str, str]]:
    """The same for people."""
    cost = cost_record(place)
    if not cost.requests:
        return [("cost", "no model was asked")]
    tokens = ", ".join(f"{count:,} {kind[:-7].replace('_', ' ')}" for kind, count in cost.tokens.items() if count)
    unknown = cost.requests_without_price
    unpriced = f", and {unknown} requests at an unknown price" if unknown else ""
    dated = f" (prices of {', '.join(cost.priced)})" if cost.priced else ""
    return [
        ("requests", f"{cost.requests} ({cost.accepted} accepted), {cost.milliseconds / 1000:.1f} s"),
        ("tokens", tokens or "not reported"),
        ("cost", f"${cost.dollars:.4f}{unpriced}{dated}"),
        ("last hour", f"${cost.dollars_last_hour:.4f}"),
        ("models", ", ".join(cost.models)),
    ]


def health_record(place: Place) -> Summarizer:
    """The summarizer of the watcher, else the one that was to write last, else the one that the settings choose; and
    whether it may be asked."""
    noted = spending.noted(place.sidecar)
    told_by: Literal["watcher", "last update", "settings"]
    if (watcher := Introduction.parse(said(place.lock))) is not None:
        name, sends, told_by = watcher.name, watcher.sends, "watcher"
        path = health_path("").with_name(watcher.health) if watcher.health else None
    else:
        told_by = "settings"
        name, sends, path = _chosen()
        if noted is not None and (path is None or noted.health != path.name):
            name, sends, path = noted.name, "as its process was told", health_path("").with_name(noted.health)
            told_by = "last update"
    if noted is not None and (path is None or noted.health != path.name):
        noted = None  # of another one
    health = spending.value_of(path, Health) if path else Health()
    own = noted if path and noted and noted.health == path.name else None
    return Summarizer(
        name=name,
        sends=sends,
        failures=max(health.failures, own.failures if own else 0),
        reason=health.reason or (noted.failure if noted else ""),
        permanent=health.permanent,
        next_try=max(health.not_before, own.not_before if own else 0.0) or None,
        last_asked=noted.made if noted else None,
        told_by=told_by,
    )


def _chosen() -> tuple[str, str, Path | None]:
    """Name, destination and health file of the summarizer that the settings choose; why there is none, if so."""
    try:
        who = writer.chosen(setup.load({}, quiet=True).settings)
    except Usage as error:  # who only looks needs no key
        return "none", error.sentence, None
    return who.name, who.sends, health_path(who.account) if who.account else None


def health_row(who: Summarizer) -> tuple[str, str]:
    """The same for people."""
    text = f"{who.name}, {who.sends}{_WHOSE[who.told_by]}"
    if who.failures:
        wait = max(0.0, (who.next_try or 0) - time.time())
        text += f" - failed {who.failures} times: {who.reason}; next try in {wait:.0f} s"
    elif who.reason:
        text += f" - did not write: {who.reason}"
    return "summarizer", text


def _dollars(found: list[Spent]) -> float:
    return round(sum(one.call.cost or 0.0 for one in found), 6)
