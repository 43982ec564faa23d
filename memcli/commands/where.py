"""`memcli where`: print where the memory of a transcript lies, or would lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path


def where(path: Path | None, *, as_json: bool) -> int:
    """Print the path of session-memory.md; with `as_json` also those of transcript and sidecar."""
    place = Place.of(target(path, "where"))
    if not as_json:
        print(place.memory)
        return 0
    import json

    paths = {"transcript": str(place.transcript), "memory": str(place.memory), "sidecar": str(place.sidecar)}
    print(json.dumps({"schema": "memcli.where/1", **paths, "exists": place.memory.exists()}))
    return 0
