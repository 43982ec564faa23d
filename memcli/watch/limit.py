"""At the context limit: the compacted transcript, written beside the transcript."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memcli import swap
from memcli.errors import NoMemory
from memcli.sidecar import files
from memcli.watch import spot
from memcli.watch.follower import Follower

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.head import Head
    from memcli.watch.keeper import Keeper


def write_compacted(keeper: Keeper) -> Path:
    """Write `<stem>.compacted.jsonl` from what is committed, or from a memory made now. Raises NoMemory, OSError."""
    session = keeper.session
    if session is None or not session.messages:
        raise NoMemory(f"nothing to compact in {keeper.path}", f"memcli status {keeper.path}")
    head = keeper.head
    descriptor = os.open(keeper.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            pieces = _pieces(head, descriptor, str(keeper.place.sidecar)) if head else []
        except ValueError:
            pieces = []  # the tail holds what only a fresh look at the whole transcript can judge
        if not pieces:
            pieces = _pieces(spot.head_now(Follower(keeper.path, keeper.place, keeper.follower.triggers)), descriptor)
    finally:
        os.close(descriptor)
    files.write_atomic(keeper.place.compacted, b"".join(pieces))
    return keeper.place.compacted


def _pieces(head: Head, descriptor: int, sidecar: str = "") -> list[bytes]:
    end = swap.whole_end(descriptor, head.end, os.fstat(descriptor).st_size)
    return swap.rewritten(head, descriptor, end, None, sidecar)[0]
