"""Replaying: a transcript grows again, line by line, in a directory of its own, and is remembered as it grows.

Time is the replay's: each line comes a moment after the last one, so that hours of a session pass in seconds. What a
summarizer needs for its answers is real time, and is measured. When the session itself was there is told by the
timestamps of its lines.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.effects import StartJob
from memcli.memory.jobs import Result
from memcli.session import QUIET_SECONDS, Triggers
from memcli.sidecar.place import Place
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper, Published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memcli.memory.jobs import Call, Job
    from memcli.sidecar.generations import Generation
    from memcli.watch.keeper import Outward


class Update(NamedTuple):
    """One update of a replay: at which context size (tokens), what it took (seconds), what was asked for it, and when
    it was recorded that the session was there (Unix seconds; None where no line tells)."""

    tokens: int
    seconds: float
    calls: tuple[Call, ...]
    failure: str
    generation: Generation
    recorded: float | None = None


class Replayed(NamedTuple):
    """A transcript that has grown to its end, remembered: the copy of it, and its updates."""

    transcript: Path
    updates: tuple[Update, ...]
    messages: int
    tokens: int


def replay(
    source: Path,
    directory: Path,
    triggers: Triggers,
    answer: Callable[[Job], Result],
    *,
    finish: bool = True,
) -> Replayed:
    """Let a copy of `source` grow in an empty `directory`, updates at its breakpoints; with `finish` it is brought up
    to date at the end, as `memcli update` would. Raises what reading a transcript raises.
    """
    copy = directory / source.name
    copy.write_bytes(b"")
    keeper = Keeper(Place.of(copy), triggers)
    keeper.open("compare", time.time())
    updates: list[Update] = []
    try:
        now, recorded = 0.0, None
        for line in _lines(source):
            with copy.open("ab") as file:
                file.write(line)
            now += QUIET_SECONDS * 2
            recorded = _recorded(line) or recorded
            keeper.look(now - QUIET_SECONDS)
            done = _answered(keeper, keeper.tick(now, time.time()), answer, now)
            updates += [update._replace(recorded=recorded) for update in done]
        if keeper.session is None:
            raise keeper.follower.unrecognised()
        if finish:
            keeper.session.ask()
            done = _answered(keeper, keeper.tick(now + 1, time.time()), answer, now + 1)
            updates += [update._replace(recorded=recorded) for update in done]
        session = keeper.session
        return Replayed(copy, tuple(updates), session.messages, session.reading.tokens)
    finally:
        keeper.close()


def count_updates(source: Path, directory: Path, triggers: Triggers) -> int:
    """How many updates the rules ask for over a whole transcript; nothing is rendered."""
    copy = directory / source.name
    copy.write_bytes(b"")
    follower = Follower(str(copy), Place.of(copy), triggers)
    found, now = 0, 0.0
    for line in _lines(source):
        with copy.open("ab") as file:
            file.write(line)
        now += QUIET_SECONDS * 2
        follower.look(now - QUIET_SECONDS)
        session = follower.session
        effects = follower.resolve(session.tick(now), now) if session else []
        for effect in effects:
            if isinstance(effect, StartJob) and follower.session is not None:
                follower.session.finished(Result(effect.job.job, {"User Intent": "-"}, wrote=True))
                found += 1
    return found


def _lines(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        yield from file


def _recorded(line: bytes) -> float | None:
    """The timestamp of a line, in Unix seconds; None if it has none that can be read."""
    try:
        return dt.datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _answered(keeper: Keeper, effects: list[Outward], answer: Callable[[Job], Result], now: float) -> list[Update]:
    """Answer every job that is asked for, at once; the updates that came of it."""
    updates = []
    for job in [effect.job for effect in effects if isinstance(effect, StartJob)]:
        began = time.monotonic()
        result = answer(job)
        seconds = time.monotonic() - began
        result = msgspec.structs.replace(result, milliseconds=round(seconds * 1000))
        failure = result.error or (result.failure.sentence if result.failure else "")
        for done in keeper.answered(result, now, time.time()):
            if isinstance(done, Published):
                tokens = done.publication.reading.tokens
                updates.append(Update(tokens, seconds, result.calls, failure, done.generation))
    return updates
