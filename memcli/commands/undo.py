"""`memcli undo`: bring back the transcript as it was before the last `compact --in-place`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.sidecar import backups
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def undo(path: Path | None, *, as_json: bool = False, quiet: bool) -> int:
    """Exit code 0. Raises NothingThere if nothing was compacted in place, AlreadyWatched beside a daemon."""
    transcript = target(path, "undo", quiet=quiet)
    place = Place.of(transcript).claim()
    with Lock.acquire(place.lock, "undo", time.time()):
        restored = backups.restore(place)
        Store(place).forget()
    if as_json:
        from memcli.commands.reports import Undo

        print(Undo(transcript=str(transcript), kept=str(restored.kept), added_bytes=restored.added).to_line())
    elif not quiet:
        print(f"memcli: {transcript} is what it was; the compacted one is kept as {restored.kept}", file=sys.stderr)
        if restored.added:
            print(f"memcli: it had grown by {restored.added:,} bytes since, which are only there", file=sys.stderr)
    return 0
