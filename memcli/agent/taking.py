"""What a compaction takes: the memory that is ready if it holds, else one made now; and the tail behind it.

The same as `memcli compact` does for a file, but for whoever goes on in this process with what comes of it. Nothing is
written but the memory itself.
"""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING, NamedTuple

from memcli import swap
from memcli.errors import AlreadyWatched, NotWritable, TryAgain
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.commands.maker import Maker
    from memcli.head import Head

    Keep = tuple[str, int]


class Taken(NamedTuple):
    """A compacted transcript: its lines, in its own format, up to byte `end` of what it was made from; and the head
    that was taken."""

    lines: list[bytes]
    report: swap.Report
    how: str
    head: Head
    end: int


def taken(transcript: Path, maker: Maker, keep: Keep | None = None, *, fresh: bool = False) -> Taken:
    """The compacted transcript. With `fresh` the memory is made anew by `maker`, and waited for.

    Raises NotATranscript, NoMessages, TryAgain, OSError.
    """
    place = Place.of(transcript)
    ready = None if fresh else _ready(place, transcript, keep)
    if ready is not None:
        return ready
    how = "written now" if maker.asks else "refolded now without a model" if fresh else "made now"
    try:
        return _swapped(_made(place, transcript, maker, fresh=fresh), transcript, how, keep)
    except ValueError as error:
        again = f"memcli compact {shlex.quote(str(transcript))}"
        raise TryAgain(f"{transcript} is being replaced: {error}", again) from error


def taken_from(spool: Path, name: str, maker: Maker, keep: Keep | None = None) -> Taken:
    """The same for messages that are no transcript of anybody: nothing is published. `name` is for errors."""
    follower = Follower(str(spool), Place.of(spool.with_name("messages")), maker.triggers, name)
    head = spot.head_now(follower, answer=maker.answer)
    return _swapped(head, spool, "written now" if maker.asks else "made now", keep)


def bare(found: Taken, transcript: Path) -> Taken:
    """The same memory, and behind it only what it does not cover. The transcript must be the same, or longer."""
    with transcript.open("rb") as file:
        lines, report = swap.rewritten(found.head, file.fileno(), found.end, ("turns", 0))
    return found._replace(lines=lines, report=report)


def _ready(place: Place, transcript: Path, keep: Keep | None) -> Taken | None:
    """By the committed memory; None if it is of another transcript, was edited, or cannot prove the tail."""
    try:
        with transcript.open("rb") as file:
            head = swap.committed(str(place.sidecar), str(place.transcript.parent), file.fileno())
        return _swapped(head, transcript, "was ready", keep) if swap.knows(head, keep) else None
    except (OSError, ValueError):  # the tail holds what only a fresh look at the whole transcript can judge
        return None


def _made(place: Place, transcript: Path, maker: Maker, *, fresh: bool) -> Head:
    """A memory made now: published, unless a daemon owns the sidecar or nothing can be written there."""
    keeper = Keeper(place, maker.triggers)
    try:
        keeper.open("compact", time.time())
    except (AlreadyWatched, NotWritable):
        store = Store(place)
        follower = Follower(str(transcript), place, maker.triggers)
        return spot.head_now(follower, store if store.id else None, maker.answer)
    try:
        if fresh:
            keeper.forget()
        spot.publish_now(keeper, maker.answer)
        return keeper.head or spot.head_now(Follower(str(transcript), place, maker.triggers), keeper.store)
    finally:
        keeper.close()


def _swapped(head: Head, transcript: Path, how: str, keep: Keep | None = None) -> Taken:
    """Raises ValueError where what came after the head asks for a fresh one."""
    descriptor = os.open(transcript, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size if how == "was ready" else head.end
        end = swap.whole_end(descriptor, head.end, size)
        lines, report = swap.rewritten(head, descriptor, end, keep)
    finally:
        os.close(descriptor)
    return Taken(lines, report, how, head, end)
