"""At the context limit: the compacted transcript, written beside the transcript."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from memcli.errors import NoMemory
from memcli.sidecar import files
from memcli.watch.taking import taken_by

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.watch.keeper import Keeper


def write_compacted(keeper: Keeper) -> Path:
    """Write `<stem>.compacted.jsonl` from what is committed, or from a memory made now. Raises NoMemory, OSError."""
    session = keeper.session
    if session is None or not session.messages:
        raise NoMemory(f"nothing to compact in {keeper.path}", f"memcli status {shlex.quote(keeper.path)}")
    files.write_atomic(keeper.place.compacted, b"".join(taken_by(keeper).lines))
    return keeper.place.compacted
