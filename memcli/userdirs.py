"""The user's own directories: state (keys, logs, sidecars of read-only places) and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def state_dir() -> Path:
    """Where memcli keeps what is no configuration and no cache; it need not exist yet."""
    from platformdirs import user_state_path

    return user_state_path("memcli", appauthor=False)


def config_dir() -> Path:
    """Where the user's `config.toml` lies; it need not exist yet."""
    from platformdirs import user_config_path

    return user_config_path("memcli", appauthor=False)
