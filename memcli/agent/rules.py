"""What a caller's keyword arguments come to: the same settings as on the command line, checked, with their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import msgspec

from memcli.errors import Usage
from memcli.making import setup, writer
from memcli.settings import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.making.writer import Writer
    from memcli.session import Triggers
    from memcli.settings import Loaded

Strategy = Literal["instant", "cached", "traditional"]
"""The three ways: a memory kept ready from what is new; the same, through the prompt cache; one call that is waited
for."""

WAYS: tuple[Strategy, ...] = get_args(Strategy)

_SHOWN: dict[Strategy, str] = {"instant": "incremental", "cached": "cached", "traditional": "traditional"}
"""What a model is shown in each way, as the settings call it."""


class Rules(NamedTuple):
    """The settings of one caller, when updates are due, and who writes them."""

    loaded: Loaded
    triggers: Triggers
    writer: Writer
    limit: int
    """Tokens at which the context is full; 0 for no limit."""

    @property
    def given(self) -> dict[str, object]:
        """Overrides for a maker of memories that is to be like these rules."""
        return {"budget": self.triggers.budget}

    @property
    def followed(self) -> Rules:
        """For a watcher of a host that compacts by itself: it writes no compacted transcript and runs no command."""
        quiet = msgspec.structs.replace(self.triggers, context_limit=0)
        return self._replace(triggers=quiet)


def rules(given: Mapping[str, object], strategy: Strategy | None = None) -> Rules:
    """The rules of these settings, spelled with underscores; what is not given is taken from where `memcli config show`
    says. Raises Usage for a setting that is none, or cannot work."""
    known(given)
    loaded = setup.load({**given, "strategy": _SHOWN[strategy]} if strategy else given, quiet=True)
    who = writer.chosen(loaded.settings)
    limit = loaded.settings.context_limit or 0
    return Rules(loaded, _scaled(loaded, setup.triggers(loaded, write=who.writes), limit), who, limit)


def known(given: Mapping[str, object]) -> Mapping[str, object]:
    """The same. Raises Usage for a setting that there is none of: a caller's mistake must not go unsaid."""
    for name in given:
        if name not in KEYS:
            raise Usage(f"there is no setting {name!r}", "memcli config show")
    return given


def checked(strategy: str) -> Strategy:
    """The way of that name. Raises Usage."""
    for way in WAYS:
        if way == strategy:
            return way
    raise Usage(f"{strategy!r} is no strategy; there are {', '.join(WAYS)}", "memcli chat --strategy instant")


def way_of(loaded: Loaded) -> Strategy:
    """The way that the settings ask for."""
    return next(way for way, shown in _SHOWN.items() if shown == loaded.settings.strategy)


def _scaled(loaded: Loaded, triggers: Triggers, limit: int) -> Triggers:
    """The same, with thresholds that a small context reaches before it is full, and a memory that leaves room in it,
    unless the user set them."""

    def at_most(name: str, tokens: int) -> int:
        value: int = getattr(triggers, name)
        return min(value, max(KEYS[name].least, tokens)) if limit and loaded.origins[name] == "default" else value

    return msgspec.structs.replace(
        triggers,
        budget=at_most("budget", limit // 4),
        init_tokens=at_most("init_tokens", limit // 2),
        update_tokens=at_most("update_tokens", limit // 4),
        min_update_tokens=at_most("min_update_tokens", limit // 8),
    )
