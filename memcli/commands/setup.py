"""What every verb that makes memories needs first: the settings, and what follows from them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from memcli import settings
from memcli.session import Triggers

if TYPE_CHECKING:
    from collections.abc import Mapping


def load(overrides: Mapping[str, object], *, quiet: bool = False) -> settings.Settings:
    """The settings of this process; warnings go to stderr. Raises Usage for a value that makes no sense."""
    loaded = settings.load(overrides, os.environ, settings.project_directory())
    for warning in () if quiet else loaded.warnings:
        print(f"memcli: {warning}", file=sys.stderr)
    return loaded.settings


def triggers(chosen: settings.Settings) -> Triggers:
    """When updates are due. The embedded backend costs nothing, so no growth is too small for it."""
    return Triggers(
        init_tokens=chosen.init_tokens,
        update_tokens=chosen.update_tokens,
        update_tool_calls=chosen.update_tool_calls,
        every_turn=chosen.every_turn,
        context_limit=chosen.context_limit or 0,
        budget=chosen.budget,
    )
