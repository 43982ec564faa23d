"""The daemon's loop: one inbox, one thread that acts, effects carried out in order.

    events ──┐
    signals ─┼─► inbox ─► look at the file ─► session ─► jobs to the child, memories to the sidecar, lines to `report`
    child ───┘            and a sweep over all of them, which is the truth; events only make it faster

Threads only ever put messages into the inbox (events, the child's pipes); signal handlers set a flag and wake it. All
state is touched by the loop alone. Time comes from one steady clock and is handed down.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from memcli.effects import ContextFull, StartJob, UpToDate, Warned
from memcli.errors import AlreadyWatched, MemcliError
from memcli.session import QUIET_SECONDS, Triggers
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place, is_ours
from memcli.watch import ask
from memcli.watch.accounts import Grant
from memcli.watch.children import DEADLINE_SECONDS, Answered, ChildGone, Progressed, Summarizers
from memcli.watch.events import Changed, Events
from memcli.watch.follower import Replaced
from memcli.watch.keeper import Keeper, Outward, Published
from memcli.watch.tail import Identity, identity
from memcli.watch.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memcli.hosts.source import Source
    from memcli.memory.jobs import Job
    from memcli.watch.accounts import Accounts

SWEEP_SECONDS = 1.0
"""Every known path is looked at this often, however many events came or were lost."""

SCAN_SECONDS = 5.0
"""Watched directories are searched for new transcripts this often."""

STOP_SECONDS = 3.0
"""A job in flight at the end may take this long before it is dropped."""


class Woken(NamedTuple):
    """Inbox: a signal came."""


class Refused(NamedTuple):
    """A file that is not followed: why, and what it was then (None: another process has it)."""

    reason: str
    file: Identity | None


Message: TypeAlias = Changed | Answered | Progressed | ChildGone | Woken


class Loop:
    """Watches transcripts until it is stopped. `report` is told what happens, as events with fields."""

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
        source: Source | None = None,
        rest: float = 0.0,
    ) -> None:
        self._source = source
        self._rest = rest
        self._lived = time.monotonic()
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._triggers = triggers
        self._report = report
        self._jobs = jobs
        self._on_limit = on_limit
        self._summarizers = Summarizers(self._inbox.put, summarizer, patience)
        self._accounts = accounts
        self._keepers: dict[str, Keeper] = {}
        self._refused: dict[str, Refused] = {}
        self._troubles: dict[str, str] = {}
        self._waiting: list[tuple[str, StartJob]] = []
        self._in_flight: dict[tuple[str, str], Grant] = {}
        self._asked: set[str] = set()
        self._commands: list[subprocess.Popen[bytes]] = []
        self._active: dict[str, float] = {}
        self._stopping = 0
        self._usr1 = False
        paths = [path.resolve() for path in paths]
        self._trees = [path for path in paths if path.is_dir()]
        self._files = [path for path in paths if not path.is_dir()]

    @property
    def keepers(self) -> dict[str, Keeper]:
        """The transcripts that are followed, by path."""
        return self._keepers

    # ------------------------------------------------------------------ life

    def run(self) -> int:
        """Watch until SIGINT or SIGTERM; the exit code (130 or 143), 0 after `rest` seconds without a live session.

        Raises AlreadyWatched for a named transcript, and for a source that another process watches.
        """
        self._handle_signals()
        lock = self._source.acquire(time.time()) if self._source is not None else None
        events: Events | None = None
        try:
            for path in self._files:
                self._follow(path, strict=True)
            self._scan()
            flat, trees = {path.parent for path in self._files}, set(self._trees)
            if self._source is not None:
                flat, trees = flat | set(self._source.flat), trees | set(self._source.trees)
            events = Events(self._inbox.put, map(str, flat), map(str, trees))
            self._turn(sweep=True)
            self._work()
            self._finish()
        finally:
            if events is not None:
                events.close()
            self._close()
            if lock is not None:
                lock.release()
        return 128 + self._stopping if self._stopping else 0

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

    def _work(self) -> None:
        """Until stopped: wait for messages or the next moment something is due."""
        swept = scanned = time.monotonic()
        while not self._stopping:
            changed = self._receive(self._patience())
            now = time.monotonic()
            if self._rest and now - self._lived > self._rest:
                return
            sweep = now - swept >= SWEEP_SECONDS
            swept = now if sweep else swept
            if now - scanned >= SCAN_SECONDS or any(path not in self._keepers for path in changed):
                self._scan()
                scanned = now
            self._turn(changed, sweep=sweep)

    def _patience(self) -> float:
        """Seconds until the loop must act again without a message."""
        return QUIET_SECONDS / 4 if self._active or self._asked else SWEEP_SECONDS / 2

    def _receive(self, seconds: float) -> set[str]:
        """Take all messages there are, waiting for the first; the paths that changed."""
        changed: set[str] = set()
        try:
            message = self._inbox.get(timeout=seconds)
            while True:
                match message:
                    case Changed(paths):
                        changed |= paths
                    case Answered():
                        self._take_answer(message)
                    case Progressed(owner, _, sentence, most):
                        self._summarizers.progressed(message, time.monotonic())
                        if self._accounts is not None and most is not None:
                            self._accounts.bounded(most, time.time())
                        self._report(Told(owner, "progress", {"what": sentence}))
                    case ChildGone():
                        self._summarizers.gone(message, time.monotonic())
                    case Woken():
                        pass  # the flags that the handler set are looked at next
                message = self._inbox.get_nowait()
        except Empty:
            return changed

    # ------------------------------------------------------------------ transcripts

    def _scan(self) -> None:
        """Find transcripts in the watched directories, and named ones that were not there yet."""
        for path in self._files:
            self._follow(path, strict=False)
        for path in self._source.paths() if self._source is not None else ():
            self._lived = time.monotonic()
            self._follow(path, strict=False)
        for tree in self._trees:
            for directory, subdirectories, names in os.walk(tree):
                subdirectories[:] = [name for name in subdirectories if not name.startswith(".")]
                for name in names:
                    if name.endswith(".jsonl") and not is_ours(Path(directory, name)):
                        self._follow(Path(directory, name), strict=False)

    def _follow(self, path: Path, *, strict: bool) -> None:
        name = str(path)
        if name in self._keepers or not path.is_file() or self._still_refused(path):
            return
        place = Place.of(path)
        keeper = Keeper(place, self._triggers)
        try:
            keeper.open("watch", time.time())
        except MemcliError as error:
            if strict:
                raise
            self._give_up(name, error)
            return
        except OSError as error:
            keeper.close()
            if strict:
                raise
            self._complain(name, error)
            return
        self._refused.pop(name, None)
        self._keepers[name] = keeper
        self._active[name] = time.monotonic()
        if place.announcement:
            self._report(Told(name, "warning", {"reason": place.announcement}))
        self._report(Told(name, "following", {"memory": str(keeper.place.memory)}))

    def _still_refused(self, path: Path) -> bool:
        """True while what was refused is the same file, longer at most, or another process still has it."""
        refused = self._refused.get(str(path))
        if refused is None:
            return False
        if refused.file is None:
            return holder(Place.of(path).lock) is not None
        now = identity(str(path))
        return now is None or (now[:2] == refused.file[:2] and now.size >= refused.file.size)

    def _give_up(self, name: str, error: MemcliError) -> None:
        """Not a transcript, or somebody else's: said once."""
        before = self._refused.get(name)
        self._refused[name] = Refused(error.sentence, None if isinstance(error, AlreadyWatched) else identity(name))
        if before is None or before.reason != error.sentence:
            self._report(Told(name, "ignored", {"reason": error.sentence}))

    def _complain(self, name: str, error: OSError) -> None:
        """The disk failed us: said once, until a memory could be written again."""
        reason = error.strerror or str(error)
        if self._troubles.get(name) != reason:
            self._troubles[name] = reason
            self._report(Told(name, "warning", {"reason": f"its files cannot be read or written: {reason}"}))

    def _let_go(self, name: str, error: OSError) -> None:
        """A disk is full, or somebody deleted the sidecar: the others are kept all the same, and this one is taken up
        again by a later scan, or at once if it only lost its files."""
        keeper = self._keepers.pop(name)
        self._active.pop(name, None)
        self._waiting = [waiting for waiting in self._waiting if waiting[0] != name]
        self._complain(name, error)
        with contextlib.suppress(OSError):
            keeper.close()
        if not keeper.place.sidecar.exists():
            self._follow(Path(name), strict=False)

    def _turn(self, changed: Iterable[str] = (), *, sweep: bool) -> None:
        """Look at what may have changed, let every active session decide, start jobs."""
        now = time.monotonic()
        if self._usr1:
            self._usr1 = False
            self._hear_questions()
        for name in list(self._keepers) if sweep else [name for name in changed if name in self._keepers]:
            if self._stopping:  # many long transcripts take a while to read; the next start reads on
                return
            self._look(name, now)
        for name in list(self._asked):
            self._remind(name)
        if sweep:
            self._catch_up_on_writing(now)
        for name in list(self._active):
            if name in self._keepers:
                self._with(name, lambda keeper: keeper.tick(now, time.time()))
            if name in self._keepers:
                self._warm_up(self._keepers[name], now)
            if name in self._active and now - self._active[name] > QUIET_SECONDS * 2 and not self._awaits(name):
                self._active.pop(name, None)
        self._start_jobs(now)
        self._summarizers.tick(now)
        self._commands = [command for command in self._commands if command.poll() is None]

    def _warm_up(self, keeper: Keeper, now: float) -> None:
        """Start the child a little before it is needed. That it cannot start is said when it is needed."""
        if self._accounts is not None and keeper.session is not None and keeper.session.nearly_due:
            self._summarizers.warm(now)

    def _look(self, name: str, now: float) -> None:
        keeper = self._keepers[name]
        before = keeper.position
        try:
            effects = keeper.look(now)
        except MemcliError as error:
            keeper.close()
            del self._keepers[name]
            self._give_up(name, error)
            return
        except OSError as error:
            self._let_go(name, error)
            return
        if keeper.position != before or effects:
            self._active[name] = now
        self._perform(name, effects)

    def _with(self, name: str, step: Callable[[Keeper], Sequence[Outward]]) -> None:
        """Take a step of a keeper that may write, and perform what it asks for."""
        try:
            effects = step(self._keepers[name])
        except OSError as error:
            self._let_go(name, error)
        else:
            self._perform(name, effects)

    # ------------------------------------------------------------------ effects

    def _perform(self, name: str, effects: Sequence[Outward]) -> None:
        for effect in effects:
            match effect:
                case StartJob():
                    self._waiting.append((name, effect))
                case Published(generation, publication):
                    self._troubles.pop(name, None)
                    fields = {"generation": generation.n, "tokens": publication.reading.tokens}
                    self._report(Told(name, "updated", {**fields, "covered": publication.boundary.messages}))
                case UpToDate():
                    self._reply(name)
                case Warned(sentence):
                    self._report(Told(name, "warning", {"reason": sentence}))
                case Replaced():
                    self._report(Told(name, "replaced", {}))
                case ContextFull(reading):
                    self._report(Told(name, "limit", {"tokens": reading.tokens}))
                    self._limit_reached(name)

    def _start_jobs(self, now: float) -> None:
        """Start waiting jobs, at most so many at a time over all transcripts; first come, first served."""
        held = []
        while self._waiting and len(self._in_flight) < self._jobs:
            name, start = self._waiting.pop(0)
            if self._must_wait(start.job):
                held.append((name, start))
                continue
            grant = Grant(start.job)
            if self._accounts is not None:
                grant = self._accounts.granted(start.job, time.time(), asked=name in self._asked)
            if grant.refused:
                self._report(Told(name, "progress", {"what": f"no model was asked: {grant.refused}"}))
            self._in_flight[name, grant.job.job] = grant
            self._summarizers.ask(name, grant.job, now)
        self._waiting = held + self._waiting

    def _must_wait(self, job: Job) -> bool:
        """True if a paid job must wait for the one in flight, to know what it may spend."""
        serial = self._accounts is not None and self._accounts.serial
        return serial and job.write and self._paying

    @property
    def _paying(self) -> bool:
        """True while a model may be at work for us."""
        return any(grant.job.write for grant in self._in_flight.values())

    def _awaits(self, name: str) -> bool:
        """True while a job of this transcript is in flight; of a file that was replaced meanwhile there may be two."""
        return any(owner == name for owner, _ in self._in_flight)

    def _take_answer(self, message: Answered) -> None:
        now = time.monotonic()
        self._summarizers.answered(message, now)
        grant = self._in_flight.pop((message.owner, message.result.job), None)
        keeper = self._keepers.get(message.owner)
        if self._accounts is not None and grant is not None:  # paid for, whoever may still want it
            self._accounts.settled(keeper.place.sidecar if keeper else None, grant, message.result, time.time())
        if keeper is None:
            return
        self._active[message.owner] = now
        self._with(message.owner, lambda keeper: keeper.answered(message.result, now, time.time()))

    def _catch_up_on_writing(self, now: float) -> None:
        """Ask a model again where one was wanted and did not write, once its summarizer may be asked again."""
        if self._accounts is None or self._accounts.retry_at(time.time()) > time.time():
            return
        for name, keeper in self._keepers.items():
            if keeper.session is not None and keeper.session.marks.owed and not self._awaits(name):
                keeper.session.retry()
                self._active[name] = now
                return  # one at a time: the first answer tells whether the others should be tried

    def _hear_questions(self) -> None:
        """Somebody runs `memcli update` beside us."""
        for name in list(self._keepers):
            if ask.asked(self._keepers[name].place.sidecar):
                now = time.monotonic()
                self._asked.add(name)
                self._active[name] = now
                self._look(name, now)

    def _remind(self, name: str) -> None:
        """Whoever asks wants the memory of the session that is there now, also if it began anew meanwhile."""
        keeper = self._keepers.get(name)
        if keeper is None:
            return
        if keeper.session is None:
            self._reply(name)
        else:
            keeper.session.ask()

    def _reply(self, name: str) -> None:
        if name in self._asked:
            self._asked.discard(name)
            head = self._keepers[name].head
            sentence = f"covers {head.messages - head.tail_messages} messages" if head else "nothing to remember yet"
            ask.answer(self._keepers[name].place.sidecar, sentence)

    def _limit_reached(self, name: str) -> None:
        """Write the compacted transcript beside the transcript, then run the user's command (not waited for)."""
        from memcli.watch.limit import write_compacted

        keeper = self._keepers[name]
        try:
            compacted = write_compacted(keeper)
        except (MemcliError, OSError) as error:
            self._report(Told(name, "warning", {"reason": f"no compacted transcript was written: {error}"}))
            return
        self._report(Told(name, "compacted", {"file": str(compacted)}))
        if self._on_limit:
            environment = {**os.environ, "MEMCLI_TRANSCRIPT": name, "MEMCLI_COMPACTED": str(compacted)}
            self._commands.append(
                subprocess.Popen(  # noqa: S602 - the user's own words, from the command line or their own file
                    self._on_limit, shell=True, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
                )
            )

    # ------------------------------------------------------------------ the end

    def _finish(self) -> None:
        """Take the answers that are still on their way, for a moment; what comes later is dropped."""
        deadline = time.monotonic() + STOP_SECONDS
        self._waiting.clear()
        while self._in_flight and time.monotonic() < deadline:
            self._receive(0.1)
        if self._accounts is not None and self._paying:
            self._accounts.dropped(time.time())

    def _close(self) -> None:
        self._summarizers.close()
        for name, keeper in self._keepers.items():
            try:
                keeper.close()
            except OSError as error:
                self._complain(name, error)
