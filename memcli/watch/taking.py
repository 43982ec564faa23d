"""What a compaction takes: the memory that is ready if it holds, else one made now; and the tail behind it.

    a committed head that holds    the swap
    none, or in doubt              a memory made now: published, unless somebody else owns the sidecar or nothing can be
                                   written there; then it is made for this once
    messages in a spool            the memory is made in one pass, nothing is published

All that is slower than the instant route comes this way: the verb, the daemon at its limit, programs. Nothing is
written here but the memory itself.
"""

from __future__ import annotations

import os
import shlex
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from memcli import swap
from memcli.errors import AlreadyWatched, MemcliError, NotWritable, TryAgain
from memcli.memory.fitting import rendered
from memcli.sidecar.lock import freed
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memcli.head import Head
    from memcli.session import Triggers
    from memcli.watch.spot import Answer

    Keep = tuple[str, int]

READY = "was ready"
MADE = "made now"


class Maker(NamedTuple):
    """The rules of a memory that is made now, and who answers its job; `asks` if that is a model, and waited for."""

    triggers: Triggers
    answer: Answer = rendered
    asks: bool = False


class Taken(NamedTuple):
    """A compacted transcript: its lines, in its own format, up to byte `end` of what it was made from, which then had
    `size` bytes (fewer if not all of them are in it); the head that was taken, and how that came about (for people)."""

    lines: list[bytes]
    report: swap.Report
    how: str
    head: Head
    end: int
    size: int


def taken(
    transcript: Path,
    maker: Maker,
    keep: Keep | None = None,
    *,
    fresh: bool = False,
    anew: bool = False,
    wait: float = 0.0,
    say: Callable[[str], object] = lambda _: None,
) -> Taken:
    """The compacted transcript. `keep` is the tail that is asked for, None for that of the head.

    With `fresh` the maker is asked for a memory of everything, whatever is ready; with `anew` it is folded from
    everything, as for another budget. `wait`: seconds for an update of somebody else's that is in flight. `say` is told
    sentences.

    Raises NotATranscript, NoMessages, OSError; TryAgain for a file that is replaced again and again.
    """
    place = Place.of(transcript)
    ready = None if fresh or anew else _ready(place, keep)
    if ready is not None:
        return ready
    if place.announcement:
        say(place.announcement)
    how = "written now" if maker.asks else "refolded now without a model" if fresh else MADE
    keeper = Keeper(place, maker.triggers)
    try:
        keeper.open("compact", time.time())
    except AlreadyWatched as owner:
        return _awaited(place, owner, wait, keep, say) or _beside(place, maker, keep, f"{how} beside the daemon")
    except NotWritable:
        return _beside(place, maker, keep, how)
    try:
        if fresh or anew:
            keeper.forget()
        spot.publish_now(keeper, maker.answer)
        head = keeper.head or _head_now(place, maker, keeper.store)  # nothing was to be published: there is no cut yet
    finally:
        keeper.close()
    return _made(place, head, how, keep, maker)


def taken_from(spool: Path, place: Place, name: str, maker: Maker, keep: Keep | None = None) -> Taken:
    """The same for messages that are no transcript of anybody: nothing is published. `place` is where one would lie,
    `name` is for errors."""
    try:
        head = spot.head_now(Follower(str(spool), place, maker.triggers, name), answer=maker.answer)
    except MemcliError as error:
        error.hint = "memcli compact --help"  # what helps a file has no name to work on
        raise
    return _known(str(spool), head, "written now" if maker.asks else MADE, keep)


def taken_by(keeper: Keeper) -> Taken:
    """The same for the owner of a sidecar, who publishes at other times: by what is committed, or made for this once.

    Raises NoMessages, TryAgain, OSError.
    """
    ready = _by(keeper.head, keeper.path, keeper.place, None)
    if ready is not None:
        return ready
    head = spot.head_now(Follower(keeper.path, keeper.place, keeper.follower.triggers))
    return _known(keeper.path, head, MADE, None)


def bare(found: Taken, transcript: Path) -> Taken:
    """The same memory, and behind it only what it does not cover. The transcript must be the same, or longer."""
    return _swapped(str(transcript), found.head, found.how, ("turns", 0), found.end)


def _ready(place: Place, keep: Keep | None) -> Taken | None:
    """By the committed memory; None if there is none, or it is of another transcript, or cannot prove the tail."""
    transcript = str(place.transcript)
    with open(transcript, "rb") as file:
        try:
            head = swap.committed(str(place.sidecar), os.path.dirname(transcript), file.fileno())
        except (OSError, ValueError):
            return None
    return _by(head, transcript, place, keep)


def _awaited(
    place: Place, owner: AlreadyWatched, wait: float, keep: Keep | None, say: Callable[[str], object]
) -> Taken | None:
    """By what a daemon, or another verb, commits within so many seconds; None if it does not."""
    if not wait or not owner.pid:
        return None
    say("waiting for the update in flight")
    if owner.daemon:
        from memcli.watch import ask

        with suppress(TryAgain):  # the user's patience is over: answer with what can be made now
            ask.ask(place.sidecar, owner.pid, wait, place.transcript)
    else:
        freed(place.lock, wait)
    return _ready(place, keep)


def _beside(place: Place, maker: Maker, keep: Keep | None, how: str) -> Taken:
    """By a memory that is not published. Its generation is noted where there are some, for its successor to find."""
    return _made(place, _head_now(place, maker), how, keep, maker)


def _made(place: Place, head: Head, how: str, keep: Keep | None, maker: Maker) -> Taken:
    """By a head of just now, with what came since. Where that asks for another reading, the file as that finds it."""
    transcript = str(place.transcript)
    found = _by(head, transcript, place, keep, how)
    if found is not None:
        return found
    again = _head_now(place, maker._replace(answer=rendered))  # no model is asked twice
    return _known(transcript, again, how, keep)


def _known(transcript: str, head: Head, how: str, keep: Keep | None) -> Taken:
    """By a head that has read all there is, up to where it has. Raises TryAgain if another file stands there by now."""
    try:
        return _swapped(transcript, head, how, keep, head.end)
    except ValueError as error:
        again = f"memcli compact {shlex.quote(transcript)}"
        raise TryAgain(f"{transcript} is being replaced: {error}", again) from error


def _head_now(place: Place, maker: Maker, ours: Store | None = None) -> Head:
    """A head made for this once. Its generation is noted in a sidecar that is `ours`, or where there is one already,
    so that the successor finds where it comes from."""
    there = Store(place)
    store = ours or (there if there.id else None)
    return spot.head_now(Follower(str(place.transcript), place, maker.triggers), store, maker.answer)


def _by(head: Head | None, transcript: str, place: Place, keep: Keep | None, how: str = READY) -> Taken | None:
    """By this head of a sidecar, with all that stands behind it; None where that asks for another reading."""
    if head is None:
        return None
    try:
        return _swapped(transcript, head, how, keep, sidecar=str(place.sidecar))
    except ValueError:
        return None


def _swapped(
    transcript: str, head: Head, how: str, keep: Keep | None, end: int | None = None, sidecar: str = ""
) -> Taken:
    """The swap, up to `end` or the last whole line; in `sidecar` a prepared tail may lie. Raises ValueError where lines
    behind the head ask for the whole transcript to be read again, or another one stands there by now."""
    descriptor = os.open(transcript, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        whole = swap.whole_end(descriptor, head.end, size)
        end = whole if end is None else end
        ready = swap.prepare(head, descriptor, end, keep, sidecar)
        lines = ready.lines(descriptor)
        if os.fstat(descriptor).st_size < end or not swap.is_same(head, descriptor):
            raise ValueError("another one stands there than was read")
        return Taken(lines, ready.report, how, head, end, size if end == whole else end)
    finally:
        os.close(descriptor)
