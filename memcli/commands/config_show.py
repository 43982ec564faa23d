"""`memcli config show`: every setting, its value and where it comes from."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from memcli import settings


def config_show(*, as_json: bool) -> int:
    """Print a line a setting, or one JSON object. Raises Usage for a value that makes no sense."""
    loaded = settings.load({}, os.environ, settings.project_directory())
    values = asdict(loaded.settings)
    for warning in loaded.warnings:
        print(f"memcli: {warning}", file=sys.stderr)
    if as_json:
        shown = {name: {"value": value, "origin": loaded.origins[name]} for name, value in values.items()}
        print(json.dumps({"schema": "memcli.config/1", "settings": shown}))
        return 0
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name.replace('_', '-'):{width}}  {_spelled(value):12}  {loaded.origins[name]}")
    return 0


def _spelled(value: object) -> str:
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
