"""`memcli schema`: the JSON Schema of what a verb prints with `--json`."""

from __future__ import annotations

import json

from memcli.commands.reports import SHAPES
from memcli.commands.reports import schema as schema_of
from memcli.errors import Usage


def schema(name: str) -> int:
    """Print the schema of a report, or without a name which there are. Raises Usage for a name that is none."""
    if not name:
        for tag, shape in SHAPES.items():
            print(f"{tag:22}  {(shape.__doc__ or '').split('.')[0].replace('`', '')}")
        return 0
    try:
        print(json.dumps(schema_of(name), indent=2))
    except KeyError:
        raise Usage(f"there is no report {name}", "memcli schema") from None
    return 0
