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
    from memcli.commands.reports import Where

    report = Where(
        transcript=str(place.transcript),
        memory=str(place.memory),
        sidecar=str(place.sidecar),
        exists=place.memory.exists(),
    )
    print(report.to_line())
    return 0
