"""One update, without a daemon: read to the end, ask the summarizer child, publish, done."""

from __future__ import annotations

import os
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from memcli.effects import ContextFull, StartJob, UpToDate, Warned
from memcli.errors import SummarizerFailed
from memcli.session import QUIET_SECONDS
from memcli.transcript.recognise import no_messages
from memcli.watch.children import Answered, ChildGone, Summarizers
from memcli.watch.follower import Replaced
from memcli.watch.keeper import Keeper, Outward, Published

if TYPE_CHECKING:
    from memcli.sidecar.generations import Generation

PATIENCE_SECONDS = 150.0
"""The child has its own deadline, twice; this only ends what should never happen."""


class Updated(NamedTuple):
    """What an update did: the new generation (None if the memory was current), and what went wrong on the way."""

    generation: Generation | None
    warnings: tuple[str, ...]


def update_once(keeper: Keeper, summarizer: list[str] | None = None) -> Updated:
    """Bring the memory of an opened keeper to the last legal place.

    Raises NotATranscript, NoMessages, and SummarizerFailed if even the fallback did not answer in time.
    """
    read_to_end(keeper)
    if keeper.session is None:
        raise keeper.follower.unrecognised()
    keeper.session.ask()
    inbox: SimpleQueue[Answered | ChildGone] = SimpleQueue()
    summarizers = Summarizers(inbox.put, summarizer)
    try:
        done = _until_current(keeper, summarizers, inbox)
    finally:
        summarizers.close()
    if not keeper.session.messages:  # known only now: a single message may lack its line end
        raise no_messages(keeper.path)
    return done


def read_to_end(keeper: Keeper) -> None:
    """Read all there is. A file that has rested for long counts as quiet at once."""
    try:
        age = max(0.0, time.time() - os.stat(keeper.path).st_mtime)
    except OSError:
        age = 0.0
    keeper.catch_up(time.monotonic() - min(age, 2 * QUIET_SECONDS))


def _until_current(keeper: Keeper, summarizers: Summarizers, inbox: SimpleQueue[Answered | ChildGone]) -> Updated:
    made: Generation | None = None
    warnings: list[str] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    effects = keeper.tick(time.monotonic(), time.time())
    while time.monotonic() < deadline:
        for effect in effects:
            match effect:
                case StartJob(job):
                    summarizers.ask(keeper.path, job, time.monotonic())
                case Published(generation, _):
                    made = generation
                case Warned(sentence):
                    warnings.append(sentence)
                case UpToDate():
                    return Updated(made, tuple(warnings))
                case Replaced() | ContextFull():
                    pass  # the session began anew, or the daemon would act: nothing to do for one update
        effects = _next(keeper, summarizers, inbox)
    raise SummarizerFailed(f"no memory of {keeper.path} was made in {PATIENCE_SECONDS:g} s", "memcli doctor")


def _next(keeper: Keeper, summarizers: Summarizers, inbox: SimpleQueue[Answered | ChildGone]) -> list[Outward]:
    """Wait for the child or for the file to be quiet; the effects of what happened."""
    now = time.monotonic()
    try:
        message = inbox.get(timeout=QUIET_SECONDS / 4)
    except Empty:
        summarizers.tick(now)
        return [*keeper.look(now), *keeper.tick(time.monotonic(), time.time())]
    match message:
        case Answered(_, result):
            summarizers.answered(message, now)
            return keeper.answered(result, now, time.time()) + keeper.tick(now, time.time())
        case ChildGone():
            summarizers.gone(message, now)
    return []
