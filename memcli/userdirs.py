"""The user's own directories: state (keys, logs, sidecars of read-only places) and configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "memcli"


def state_dir() -> Path:
    """Where memcli keeps what is no configuration and no cache; it need not exist yet."""
    if plain := _xdg("XDG_STATE_HOME", ".local/state"):
        return plain
    from platformdirs import user_state_path

    return user_state_path(_NAME, appauthor=False)


def config_dir() -> Path:
    """Where the user's `config.toml` lies; it need not exist yet."""
    if plain := _xdg("XDG_CONFIG_HOME", ".config"):
        return plain
    from platformdirs import user_config_path

    return user_config_path(_NAME, appauthor=False)


def _xdg(variable: str, usual: str) -> Path | None:
    """The directory by the rule of freedesktop.org; None on other systems and without a home: platformdirs knows those
    too, but takes as long to import as all of our settings do.
    """
    given, home = os.environ.get(variable, ""), os.environ.get("HOME", "")
    if sys.platform == "darwin":
        return None
    if os.path.isabs(given):
        return Path(given, _NAME)
    return Path(home, usual, _NAME) if os.path.isabs(home) else None
