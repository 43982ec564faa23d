"""What a daemon is told: its paths, when updates are due and who writes them, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.watch.daemon import Orders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from memcli.making.writer import Writer
    from memcli.session import Triggers
    from memcli.settings import Settings


def orders(paths: Iterable[Path], settings: Settings, triggers: Triggers, who: Writer) -> Orders:
    """The orders that follow from the settings; what a caller wishes besides is for the caller to put in."""
    return Orders(
        paths=tuple(str(path) for path in paths),
        triggers=triggers,
        jobs=settings.jobs,
        on_limit=settings.on_limit or "",
        writer=who.name,
        sends=who.sends,
        summarizer=tuple(who.argv),
        patience=who.patience,
        account=who.account,
        max_cost_per_hour=who.max_cost_per_hour,
    )
