"""The daemon's loop: one inbox, one thread that acts, effects carried out in order.

    events ──┐
    signals ─┼─► inbox ─► lookout ─► order ─► a slice is read ─► session ─► jobs to the child, memories to the
    child ───┘            which also looks by itself: events only make it faster      sidecar, lines to `report`

Threads only ever put messages into the inbox (events, the child's pipes); signal handlers set a flag and wake it. All
state is touched by the loop alone. Time comes from one steady clock and is handed down.

A turn is short, whatever there is to do: reading goes in slices, what can wait is written within a budget, and between
turns the inbox is looked at. With nothing to do the loop sleeps until the next moment something is due.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from memcli.effects import ContextFull, StartJob, UpToDate, Warned
from memcli.errors import MemcliError
from memcli.session import QUIET_SECONDS, Triggers
from memcli.sidecar.presence import Presence
from memcli.watch import ask
from memcli.watch.children import DEADLINE_SECONDS, Answered, ChildGone, Progressed, Summarizers
from memcli.watch.crew import Awake, Crew
from memcli.watch.crossing import Crossing
from memcli.watch.events import Changed, Deaf
from memcli.watch.flights import Flights
from memcli.watch.follower import Replaced
from memcli.watch.grounds import Grounds
from memcli.watch.keeper import Keeper, Outward, Published
from memcli.watch.lookout import Lookout
from memcli.watch.metrics import Counts
from memcli.watch.notify import Notifier
from memcli.watch.order import Next, Order
from memcli.watch.pulse import Pulse
from memcli.watch.roster import Roster
from memcli.watch.tail import CHUNK_BYTES, identity
from memcli.watch.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memcli.hosts.source import Source
    from memcli.watch.accounts import Accounts
    from memcli.watch.roster import Known

TURN_SECONDS = 0.05
"""Reading, and writing what can wait, take so long at a time."""

IDLE_SECONDS = 30.0
"""Who was not appended to for so long rests."""

DEADLINES_SECONDS = 1.0
"""So often is looked which jobs took too long and which commands have ended, while there are any."""

STOP_SECONDS = 3.0
"""A job in flight at the end may take this long before it is dropped."""


class Woken:
    """Inbox: a signal came."""


Message: TypeAlias = Changed | Deaf | Answered | Progressed | ChildGone | Woken


class Loop:
    """Watches transcripts until it is stopped. `report` is told what happens, as events with fields.

    `idle`: seconds after which a transcript rests that is not appended to; `source`: sessions that come and go;
    `alone`: seconds without a live one of them after which the loop ends by itself (0: never); `says`: what others may
    read of us while it runs.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        triggers: Triggers,
        report: Callable[[Told], None],
        *,
        jobs: int = 4,
        on_limit: str = "",
        summarizer: Sequence[str] | None = None,
        patience: float = DEADLINE_SECONDS,
        accounts: Accounts | None = None,
        idle: float = IDLE_SECONDS,
        source: Source | None = None,
        alone: float = 0.0,
        pulse: Pulse | None = None,
        says: str = "",
    ) -> None:
        self._pulse = pulse or Pulse(Notifier({}))
        self._says = says
        self._source = source
        self._alone = alone
        self._lived = time.monotonic()
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._report = report
        self._crossing = Crossing(on_limit, report)
        self._idle = idle
        self._summarizers = Summarizers(self._inbox.put, summarizer, patience)
        self._accounts = accounts
        self._flights = Flights(self._summarizers, accounts, jobs, report)
        paths = [path.resolve() for path in paths]
        self._grounds = Grounds(
            [str(path) for path in paths if path.is_dir()], [str(path) for path in paths if not path.is_dir()], source
        )
        self._roster = Roster()
        self._order = Order()
        self._crew = Crew(triggers, report, jobs)
        self._lookout = Lookout(self._roster, self._grounds, self._inbox.put)
        self._asked: set[str] = set()
        self._crowded = False
        """Nobody more can be awake just now."""
        self._stopping = 0
        self._usr1 = False

    @property
    def keepers(self) -> dict[str, Keeper]:
        """The transcripts that are awake, by path."""
        return {awake.known.path: awake.keeper for awake in self._crew}

    @property
    def paths(self) -> list[str]:
        """The transcripts that are followed, awake or not."""
        return [known.path for known in self._roster if known.told and not known.refused]

    # ------------------------------------------------------------------ life

    def run(self) -> int:
        """Watch until SIGINT or SIGTERM; the exit code (130 or 143), 0 after `alone` seconds without a live session.

        Raises AlreadyWatched for a named transcript, and for a source that another process watches.
        """
        self._handle_signals()
        lock = self._source.acquire(time.time()) if self._source is not None else None
        presence = Presence.start(self._says)
        try:
            self._begin(presence)
            while not self._stopping and not self._left_alone:
                self._notice(self._receive(self._patience()))
                self._turn()
                self._pulse.beat(time.monotonic(), self._counts)
            self._finish()
        finally:
            self._pulse.end()
            self._lookout.close()
            self._summarizers.close()
            self._crew.close()
            presence.end()
            if lock is not None:
                lock.release()
        return 128 + self._stopping if self._stopping else 0

    @property
    def _left_alone(self) -> bool:
        """True if no session of the source has lived for too long."""
        if self._grounds.live or not self._alone:
            self._lived = time.monotonic()
        return time.monotonic() - self._lived > self._alone > 0

    def _begin(self, presence: Presence) -> None:
        """Take what was named, or raise; what else there is comes in its turn."""
        self._crew.presence = presence
        for path in sorted(self._grounds.files):
            known = self._roster.add(path)
            if os.path.isfile(path) and self._crew.room(lambda _: True):
                known.seen = identity(path)
                self._crew.wake(known, time.monotonic(), strict=True)
                self._order.backlog([path])

    def _counts(self) -> Counts:
        return Counts(len(self.paths), len(self._flights), self._flights.waiting, self._summarizers.deaths)

    def _handle_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGUSR1, self._wake)

    def _stop(self, number: int, _frame: object) -> None:
        self._stopping = self._stopping or number
        self._inbox.put(Woken())  # SimpleQueue.put is reentrant: made for handlers

    def _wake(self, _number: int, _frame: object) -> None:
        self._usr1 = True
        self._inbox.put(Woken())

    @property
    def _reading(self) -> bool:
        """True if there is more to read, and room for who is to read it."""
        return bool(self._order) and not self._crowded

    def _patience(self) -> float:
        """Seconds until the loop must act again without a message."""
        now = time.monotonic()
        if self._reading:
            return 0.0
        moments = [self._lookout.due, self._pulse.due, *(self._moment(awake, now) for awake in self._crew)]
        if self._flights or self._crossing:
            moments.append(now + DEADLINES_SECONDS)
        return max(0.0, min(moments) - now)

    def _moment(self, awake: Awake, now: float) -> float:
        """When there is something to do for a transcript that is awake."""
        rests = awake.active + self._idle
        moments = [rests if rests > now else now + DEADLINES_SECONDS]  # who has not rested by now waits for an answer
        if awake.due is not None and not awake.keeper.behind:
            moments.append(awake.due)
        moments += [at for at in (awake.keeper.show_at, awake.keeper.ready_at) if at is not None]
        return min(moments)

    def _receive(self, seconds: float) -> set[str]:
        """Take all messages there are, waiting for the first; the paths that may have changed."""
        changed: set[str] = set()
        try:
            message = self._inbox.get(timeout=seconds)
            while True:
                match message:
                    case Changed(paths):
                        changed |= paths
                    case Deaf():
                        self._lookout.deaf()
                    case Answered():
                        self._take_answer(message)
                    case Progressed():
                        self._flights.progressed(message, time.monotonic())
                    case ChildGone():
                        self._summarizers.gone(message, time.monotonic())
                    case Woken():
                        pass  # the flags that the handler set are looked at next
                message = self._inbox.get_nowait()
        except Empty:
            return changed

    # ------------------------------------------------------------------ a turn

    def _notice(self, paths: Iterable[str]) -> None:
        """Something may have happened to these paths; besides, look by ourselves where that is due."""
        now = time.monotonic()
        self._news(self._lookout.hinted(paths), now)
        if now >= self._lookout.due:
            noticed = self._lookout.look(now)
            self._news(noticed.changed, now)
            self._order.backlog([known.path for known in noticed.old])
            self._ask_again(now)

    def _news(self, changed: Iterable[Known], now: float) -> None:
        for known in changed:
            self._order.news(known.path, now)
            self._report(Told(known.path, "noticed", {}))

    def _turn(self) -> None:
        """Read for a while, let sessions decide, start jobs; then what can wait."""
        if self._usr1:
            self._usr1 = False
            self._hear_questions()
        self._read()
        self._decide()
        self._flights.start(time.monotonic(), self._asked)
        for awake in self._crew:
            self._with(awake, Keeper.note)
        self._show()
        self._ready()
        self._rest()
        self._crowded = self._crowded and not self._crew.room(self._may_rest)
        self._summarizers.tick(time.monotonic())
        self._crossing.reap()

    def _read(self) -> None:
        """Read slices for a while. Where nobody more can be awake those that are come first, so that they may rest."""
        until = time.monotonic() + TURN_SECONDS
        self._crowded = False
        while not self._stopping and time.monotonic() < until and (turn := self._order.next()) is not None:
            if not self._slice(turn):
                self._crowded = True
                break
        for awake in self._crew if self._crowded else ():
            if (turn := self._order.take(awake.known.path)) is not None:
                self._slice(turn)

    def _slice(self, turn: Next) -> bool:
        """Read a slice of a transcript. False if nobody more can be awake: then it has its turn later."""
        path, now = turn.path, time.monotonic()
        known = self._roster.get(path)
        if known is None:
            return True
        awake = self._crew.get(path)
        if awake is None:
            if not os.path.isfile(path):
                known.seen = None
                return True
            if not known.told and self._crew.pass_by(known):
                self._order.finished(path)
                return True
            if not self._crew.room(self._may_rest):
                self._order.postponed(turn)
                return False
            seen = known.seen if known.told else None
            awake = self._crew.wake(known, now)
            if awake is None:
                self._order.finished(path)
                return True
            if seen is not None and not awake.keeper.position and not known.continues(seen):
                self._report(Told(path, "replaced", {}))
        awake.known = known  # another record than before, if its file was gone for long
        self._look(awake, now, now - _age(path) if turn.heard is None else turn.heard)
        return True

    def _look(self, awake: Awake, now: float, heard: float) -> None:
        keeper, path = awake.keeper, awake.known.path
        before = keeper.position
        try:
            effects = keeper.look(heard, CHUNK_BYTES)
        except MemcliError as error:
            self._flights.drop(path)
            self._crew.refuse(awake.known, error)
            return
        except OSError as error:
            self._let_go(path, error)
            return
        awake.known.seen = keeper.follower.tail.identity
        if keeper.position != before or effects:
            self._crew.touch(path, now)
            awake.due = now
        self._perform(path, effects)
        if not keeper.behind:
            self._order.finished(path)
        elif not self._order.unfinished(path) and self._may_rest(awake, reading=True):
            self._crew.rest(path)

    def _decide(self) -> None:
        """Let every session decide that has something to decide on."""
        for path in list(self._asked):
            self._remind(path)
        for awake in self._crew:
            now = time.monotonic()
            if awake.due is None or awake.due > now or awake.keeper.behind or self._stopping:
                continue
            awake.due = None
            self._with(awake, lambda keeper, now=now: keeper.decide(now, time.time()))  # type: ignore[misc]
            self._report(Told(awake.known.path, "current", {}))
            session = awake.keeper.session
            if session is not None and not session.rests:
                awake.due = session.heard + QUIET_SECONDS
            if session is not None and self._accounts is not None and session.nearly_due:
                self._summarizers.warm(now)  # that it cannot start is said when it is needed

    def _show(self) -> None:
        """Let memories on the screen follow, within a budget; who finds no time now does so in the next turn."""
        until = time.monotonic() + TURN_SECONDS
        for awake in self._crew:
            now = time.monotonic()
            at = awake.keeper.show_at
            if now < until and at is not None and at <= now:
                self._with(awake, lambda keeper, now=now: keeper.show(now))  # type: ignore[misc]

    def _ready(self) -> None:
        """Let one tail be prepared for the swap, if there is nothing to read: the others have the next turns. Nobody
        stays awake for it: without it the swap is slower, that is all."""
        if self._reading:
            return
        now = time.monotonic()
        for awake in self._crew:
            at = awake.keeper.ready_at
            if at is not None and at <= now:
                self._with(awake, lambda keeper: keeper.ready(now))
                return

    def _rest(self) -> None:
        now, before = time.monotonic(), len(self._crew)
        for awake in self._crew:
            if now - awake.active >= self._idle and self._may_rest(awake):
                self._crew.rest(awake.known.path)
        if before and not self._crew:
            from memcli.watch.heap import give_back

            give_back()

    def _may_rest(self, awake: Awake, *, reading: bool = False) -> bool:
        """True if nothing is awaited of a transcript; `reading`: there is more to read, but others come first."""
        path = awake.known.path
        quiet = awake.due is None and awake.keeper.show_at is None and path not in self._order
        return (quiet or reading) and not self._flights.has(path) and path not in self._asked

    def _with(self, awake: Awake, step: Callable[[Keeper], Sequence[Outward] | None]) -> None:
        """Take a step of a keeper that may write, and perform what it asks for."""
        try:
            effects = step(awake.keeper)
        except OSError as error:
            self._let_go(awake.known.path, error)
        else:
            self._perform(awake.known.path, effects or ())

    def _let_go(self, path: str, error: OSError) -> None:
        self._flights.drop(path)
        self._crew.let_go(path, error)

    # ------------------------------------------------------------------ effects

    def _perform(self, path: str, effects: Sequence[Outward]) -> None:
        for effect in effects:
            match effect:
                case StartJob(job):
                    if (awake := self._crew.get(path)) is not None:
                        self._flights.add(path, job, awake.keeper.place.sidecar)
                case Published(generation, publication):
                    self._crew.worked(path)
                    fields = {"generation": generation.n, "tokens": publication.reading.tokens}
                    self._report(Told(path, "updated", {**fields, "covered": publication.boundary.messages}))
                case UpToDate():
                    self._reply(path)
                case Warned(sentence):
                    self._report(Told(path, "warning", {"reason": sentence}))
                case Replaced():
                    self._report(Told(path, "replaced", {}))
                    self._order.news(path, time.monotonic())
                case ContextFull(reading):
                    self._report(Told(path, "limit", {"tokens": reading.tokens}))
                    if (awake := self._crew.get(path)) is not None:
                        self._crossing.reached(path, awake.keeper)

    def _take_answer(self, message: Answered) -> None:
        now = time.monotonic()
        awake = self._crew.get(message.owner)
        self._flights.landed(message, awake.keeper.place.sidecar if awake else None, now)
        if awake is not None:
            self._crew.touch(message.owner, now)
            awake.due = now
            self._with(awake, lambda keeper: keeper.answered(message.result, now, time.time()))

    def _ask_again(self, now: float) -> None:
        """Ask a model again where one was wanted and did not write, once its summarizer may be asked about it again.

        One at a time: the first answer tells whether the others should be tried.
        """
        wall, accounts = time.time(), self._accounts
        if accounts is None or accounts.retry_at(wall) > wall:
            return
        for awake in self._crew:
            session = awake.keeper.session
            if session is None or not session.marks.owed or self._flights.has(awake.known.path):
                continue
            if accounts.retry_at(wall, awake.keeper.place.sidecar) <= wall:
                session.retry()
                awake.due = now
                return
        for known in self._roster:
            if known.owed is None or known.owed > wall:
                continue
            known.owed = accounts.retry_at(wall, Path(known.sidecar))
            if known.owed <= wall:
                self._wake_to_ask(known, now)
                return

    def _wake_to_ask(self, known: Known, now: float) -> None:
        if not self._crew.room(self._may_rest):
            return
        known.owed = None
        awake = self._crew.wake(known, now) if os.path.isfile(known.path) else None
        if awake is not None and awake.keeper.session is not None:
            awake.keeper.session.retry()
            self._order.news(known.path, now)  # it may have changed since

    def _hear_questions(self) -> None:
        """Somebody runs `memcli update` beside us."""
        for known in self._roster:
            if known.told and ask.asked(known.sidecar):
                self._asked.add(known.path)
                self._order.news(known.path, time.monotonic())

    def _remind(self, path: str) -> None:
        """Whoever asks wants the memory of the session that is there now, also if it began anew meanwhile."""
        awake = self._crew.get(path)
        if awake is None or awake.keeper.behind or path in self._order:
            return
        session = awake.keeper.session
        if session is None:
            self._reply(path)
        elif not session.wanted:
            session.ask()
            awake.due = time.monotonic()

    def _reply(self, path: str) -> None:
        awake = self._crew.get(path)
        if path in self._asked and awake is not None:
            self._asked.discard(path)
            head = awake.keeper.head
            sentence = f"covers {head.messages - head.tail_messages} messages" if head else "nothing to remember yet"
            ask.answer(awake.keeper.place.sidecar, sentence)

    # ------------------------------------------------------------------ the end

    def _finish(self) -> None:
        """Take the answers that are still on their way, for a moment; what comes later is dropped."""
        deadline = time.monotonic() + STOP_SECONDS
        self._flights.drop()
        while self._flights and time.monotonic() < deadline:
            self._receive(0.1)
        self._flights.given_up()


def _age(path: str) -> float:
    """Seconds since a file was written to, but no more than tell that it is quiet."""
    try:
        return min(max(0.0, time.time() - os.stat(path).st_mtime), 2 * QUIET_SECONDS)
    except OSError:
        return 0.0
