"""What every verb that makes memories needs first: the settings, and what follows from them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from memcli import settings
from memcli.memory import sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.session import Triggers
    from memcli.sidecar.place import Place


def load(overrides: Mapping[str, object], *, quiet: bool = False) -> settings.Loaded:
    """The settings of this process; warnings go to stderr. Raises Usage for a value that makes no sense."""
    loaded = settings.load(overrides, os.environ, settings.project_directory())
    problem = sections.objection(loaded.settings.sections or {})
    if problem:
        raise settings.senseless("sections", problem, loaded.origins["sections"])
    for warning in () if quiet else loaded.warnings:
        print(f"memcli: {warning}", file=sys.stderr)
    return loaded


def triggers(loaded: settings.Loaded, *, write: bool = False) -> Triggers:
    """When updates are due; `write` if a model is to write.

    The embedded backend is free: no growth is too small for it unless the user says so.
    """
    from memcli.session import Triggers

    chosen = loaded.settings
    said = loaded.origins["min_update_tokens"] != "default"
    return Triggers(
        min_update_tokens=chosen.min_update_tokens if said or write else 0,
        init_tokens=chosen.init_tokens,
        update_tokens=chosen.update_tokens,
        update_tool_calls=chosen.update_tool_calls,
        every_turn=chosen.every_turn,
        context_limit=chosen.context_limit or 0,
        budget=chosen.budget,
        write=write,
        strategy=chosen.strategy,  # type: ignore[arg-type]  # one of the choices
        instructions=chosen.instructions or "",
        sections=dict(chosen.sections or {}),
    )


def announce(place: Place, *, quiet: bool = False) -> None:
    """Say once where our files go if not beside the transcript."""
    if place.announcement and not quiet:
        print(f"memcli: {place.announcement}", file=sys.stderr)
