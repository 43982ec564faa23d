"""One update, without a daemon: read to the end, ask the summarizer child, publish, done."""

from __future__ import annotations

import shlex
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from memcli.effects import ContextFull, StartJob, UpToDate, Warned
from memcli.errors import SummarizerFailed
from memcli.session import QUIET_SECONDS
from memcli.transcript.recognise import no_messages
from memcli.watch.accounts import Grant
from memcli.watch.children import DEADLINE_SECONDS, Answered, ChildGone, Progressed, Summarizers
from memcli.watch.follower import Replaced
from memcli.watch.keeper import Keeper, Outward, Published
from memcli.watch.spot import read_to_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from memcli.memory.jobs import Job
    from memcli.session import Session
    from memcli.sidecar.generations import Generation
    from memcli.watch.accounts import Accounts

    Inbox: TypeAlias = SimpleQueue[Answered | Progressed | ChildGone]

GRACE_SECONDS = 30.0
"""The child has its own deadline, twice; what comes on top only ends what should never happen."""


class Updated(NamedTuple):
    """What an update did: the new generation (None if the memory was current), and what went wrong on the way."""

    generation: Generation | None
    warnings: tuple[str, ...]


def update_once(
    keeper: Keeper,
    summarizer: list[str] | None = None,
    *,
    accounts: Accounts | None = None,
    patience: float = DEADLINE_SECONDS,
    progress: Callable[[str], object] = lambda _: None,
) -> Updated:
    """Bring the memory of an opened keeper to the last legal place.

    `accounts` keep what a model costs; `patience` is how long nothing may be heard of it, in seconds; `progress` is
    told sentences.

    Raises NotATranscript, NoMessages, and SummarizerFailed if even the fallback did not answer in time.
    """
    read_to_end(keeper)
    if keeper.session is None:
        raise keeper.follower.unrecognised()
    inbox: Inbox = SimpleQueue()
    summarizers = Summarizers(inbox.put, summarizer, patience)
    try:
        limit = 2 * patience + GRACE_SECONDS
        done = _Once(keeper, summarizers, inbox, accounts, progress, limit).until_current()
    finally:
        summarizers.close()
        if accounts is not None:
            accounts.dropped(time.time())
    if not keeper.session.messages:  # known only now: a single message may lack its line end
        raise no_messages(keeper.path)
    keeper.ready(time.monotonic())
    return done


class _Once:
    """The few things that the steps of one update share."""

    def __init__(
        self,
        keeper: Keeper,
        summarizers: Summarizers,
        inbox: Inbox,
        accounts: Accounts | None,
        progress: Callable[[str], object],
        patience: float,
    ) -> None:
        self._keeper = keeper
        self._summarizers = summarizers
        self._inbox = inbox
        self._accounts = accounts
        self._progress = progress
        self._granted: dict[str, Grant] = {}
        self._patience = patience
        self._deadline = 0.0
        self._session: Session | None = None

    def until_current(self) -> Updated:
        made: Generation | None = None
        warnings: list[str] = []
        self._deadline = time.monotonic() + self._patience
        self._ask_session()
        effects = self._keeper.tick(time.monotonic(), time.time())
        while time.monotonic() < self._deadline:
            self._ask_session()
            for effect in effects:
                match effect:
                    case StartJob(job):
                        warnings += self._ask(job)
                    case Published(generation, _):
                        made = generation
                    case Warned(sentence):
                        warnings.append(sentence)
                    case UpToDate():
                        return Updated(made, tuple(warnings))
                    case Replaced() | ContextFull():
                        pass  # the new session is asked above, or the daemon would act: nothing to do for one update
            effects = self._next()
        hint = f"memcli status {shlex.quote(self._keeper.path)}"
        raise SummarizerFailed(f"no memory of {self._keeper.path} was made in {self._patience:g} s", hint)

    def _ask_session(self) -> None:
        """The one there is now: where the file was replaced it is another."""
        session = self._keeper.session
        if session is not None and session is not self._session:
            self._session = session
            session.ask()

    def _ask(self, job: Job) -> list[str]:
        grant = self._accounts.granted(job, time.time(), asked=True) if self._accounts else Grant(job)
        self._granted[job.job] = grant
        self._summarizers.ask(self._keeper.path, grant.job, time.monotonic())
        return [f"no model was asked: {grant.refused}"] if grant.refused else []

    def _next(self) -> list[Outward]:
        """Wait for the child or for the file to be quiet; the effects of what happened."""
        keeper, now = self._keeper, time.monotonic()
        try:
            message = self._inbox.get(timeout=QUIET_SECONDS / 4)
        except Empty:
            self._summarizers.tick(now)
            return [*keeper.look(now), *keeper.tick(time.monotonic(), time.time())]
        match message:
            case Answered(_, result):
                self._summarizers.answered(message, now)
                grant = self._granted.pop(result.job, None)
                if self._accounts and grant:
                    self._accounts.settled(keeper.place.sidecar, grant, result, time.time())
                return keeper.answered(result, now, time.time()) + keeper.tick(now, time.time())
            case Progressed(_, _, sentence, most):
                self._summarizers.progressed(message, now)
                self._deadline = now + self._patience
                if self._accounts and most is not None:
                    self._accounts.bounded(most, time.time())
                self._progress(sentence)
            case ChildGone():
                self._summarizers.gone(message, now)
        return []
