"""The keeper of one transcript: a follower whose session is committed to a sidecar.

What touches the disk for one transcript meets here: its lock, its store, its generations. What needs other processes
(jobs, commands to run) is handed up: `look`, `tick` and `answered` return the effects they leave to the caller.

What happens if we die: the sidecar's order of commit (`sidecar.store`) keeps the old memory or the new one; the saved
session is checked against the transcript when it is loaded and thrown away if it does not match, which costs reading
the file again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from memcli import head as heads
from memcli.effects import AnyEffect, ContextFull, Publication, Publish, RefreshState, StartJob, UpToDate, Warned
from memcli.memory import message
from memcli.memory.edits import Edits, from_record
from memcli.session import Session, Triggers
from memcli.sidecar import lineage, publisher
from memcli.sidecar.generations import split_id
from memcli.sidecar.lock import Lock
from memcli.sidecar.store import Store
from memcli.watch import rested
from memcli.watch.follower import Follower, Replaced
from memcli.watch.prepared import prepared
from memcli.watch.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.memory.jobs import Result
    from memcli.sidecar.generations import Generation
    from memcli.sidecar.kept_edits import Edit
    from memcli.sidecar.place import Place
    from memcli.sidecar.presence import Presence

REFRESH_SECONDS = 1.0
"""session-memory.md follows Current State no more often than this; `now` follows at once."""

READY_SECONDS = 1.0
"""The prepared tail follows the transcript no more often: a client that pauses after each record would have it
rewritten at each."""

REREAD_BYTES = 64 * 1024
"""So much is read again rather than saved, where no memory was made of it."""

_EDITED_GENERATIONS = 8


class Published(NamedTuple):
    """A generation was committed."""

    generation: Generation
    publication: Publication


class _SavedState(msgspec.Struct, frozen=True):
    """The session's bytes, and which transcript they belong to."""

    position: int
    fingerprint: str
    session: bytes


Outward: TypeAlias = StartJob | Published | Replaced | ContextFull | UpToDate | Warned


class Keeper:
    """One transcript, from `open` to `close`. `now` is always the caller's steady clock, `wall` Unix seconds."""

    def __init__(self, place: Place, triggers: Triggers, path: str = "") -> None:
        """`path`: what to read, if it is not the transcript itself."""
        self.path = path or str(place.transcript)
        self.place = place
        self.follower = Follower(self.path, place, triggers)
        self.store = Store(place)
        self.head: heads.Head | None = None
        self._lock: Lock | None = None
        self.log = self.store.snapshots()
        self._refreshed = 0.0
        self._shown = ""
        self._reached = ("", -1)
        self._unnoted: RefreshState | None = None
        self._unshown: RefreshState | None = None
        self._dirty = False
        self._unready = False
        """The tail that is prepared, if one is, belongs to an earlier `head`."""
        self._readied = -READY_SECONDS
        self._heard: list[Edit] = []
        self._edits = Edits()
        """Hand edits of a generation whose session was lost."""
        self._written: tuple[int, dict[str, str]] | None = None
        """The same of what a model wrote, and how far it was told: it was paid for."""

    @property
    def session(self) -> Session | None:
        """The session, once the file tells its format."""
        return self.follower.session

    @property
    def position(self) -> int:
        """Offset of the next byte to read."""
        return self.follower.tail.position

    @property
    def behind(self) -> bool:
        """True if the last look ended before the end of the file."""
        return self.follower.behind

    # ------------------------------------------------------------------ life

    def open(self, command: str, wall: float, presence: Presence | None = None) -> None:
        """Take the lock and go on from where an earlier process, or keeper, stood. Raises AlreadyWatched, NotWritable.

        With the `presence` of a daemon the lock is held without a descriptor, and outlives a keeper that rests.
        """
        self.place.make()
        self._lock = Lock.acquire(self.place.lock, command, wall, presence)
        rested.forget(self.place.sidecar)
        self.store.prepare()
        self.head = self.store.head()
        self._restore()

    def forget(self) -> None:
        """Begin anew: nothing that was committed or saved counts any more. Generations and the user's lines stay."""
        self._hear_edits()
        if self.session is not None:
            self._edits = self.session.marks.edits
            self._written = (self.session.marks.told, self.session.prose)
        self.store.forget()
        self.follower.read_anew()
        self.head, self.log = None, self.store.snapshots()

    def close(self) -> None:
        """Save the session and give the lock back, which also happens if saving fails. Raises OSError."""
        if self._lock is not None:
            try:
                self.save()
            finally:
                self._lock.release()
                self._lock = None

    def rest(self) -> None:
        """Save what is worth it and keep the lock: this keeper may be dropped, another one opened. Raises OSError.

        A beginning that nothing was made of is not worth a file: it is read once more.
        """
        if self._worth_keeping:
            self.save()

    @property
    def _worth_keeping(self) -> bool:
        session = self.session
        if session is None:
            return False
        kept = self.head is not None or session.marks.full or bool(session.marks.parent)
        return kept or session.marks.position > REREAD_BYTES

    def save(self) -> None:
        """Save the session, so that nothing has to be read twice."""
        session = self.session
        if session is None or not self._dirty or self._lock is None:
            return
        with open(self.path, "rb") as transcript:
            position = session.marks.position
            number = publisher.fingerprint(transcript, position, position)
        if not self.follower.tail.stands():
            return  # another file stands there: what was read of the old one must not go by the number of the new one
        # first the log: a state that knows less than the log can be gone on from, one that knows more cannot
        self.log.follow(session.history.items, session.thread, session.thread.state.seen)
        self.store.save_state(msgspec.msgpack.encode(_SavedState(position, str(number), session.save())))
        self._dirty = False

    # ------------------------------------------------------------------ what happens

    def look(self, now: float, most: int | None = None) -> list[Replaced]:
        """Read what the file has grown by, at `most` so many bytes. Raises NotATranscript for a file that is none."""
        return self._read(self.follower.look(now, most))

    def catch_up(self, now: float) -> list[Replaced]:
        """Read to the end of the file."""
        return self._read(self.follower.catch_up(now))

    def tick(self, now: float, wall: float) -> list[Outward]:
        """Let the session decide, and show its Current State."""
        effects = self.decide(now, wall)
        self.note()
        self.show(now)
        return effects

    def decide(self, now: float, wall: float) -> list[Outward]:
        """Let the session decide. Its Current State is left to `note` and `show`: a job should not wait for them."""
        self._hear_edits()
        return self._perform(self.session.tick(now), now, wall) if self.session else []

    def note(self) -> None:
        """Write Current State, and how far the transcript was seen, to `now`, if that is more than stands there."""
        effect, self._unnoted = self._unnoted, None
        if effect is None or self.head is None:
            return
        reached = effect.state, effect.seen.end if effect.seen else -1
        if reached != self._reached:
            head = self._renewed(self.head, effect)
            if not self.follower.tail.stands():
                return
            self._reached, self.head = reached, head
            self.store.save_now(heads.build_now(head))
            self._unready = True

    @property
    def ready_at(self) -> float | None:
        """When `ready` has something to do, by the steady clock; None while the file is written to, or nothing new
        was seen of it."""
        rests = self.session is not None and self.session.rests
        return self._readied + READY_SECONDS if self._unready and rests and self.head is not None else None

    def ready(self, now: float) -> None:
        """Rewrite the tail for the swap, once the file rests: at every append it would cost more than it saves.

        What happens if we die before it is written: the tail of an earlier head lies there, which no swap takes.
        """
        if self.head is None or self.ready_at is None or now < self.ready_at:
            return
        self._unready, self._readied = False, now
        with suppress(FileNotFoundError):  # a transcript that is gone has its sidecar with it, or will be missed
            self.store.save_tail(prepared(self.head, self.path))

    @property
    def show_at(self) -> float | None:
        """When `show` has something to do, by the steady clock; None if Markdown and session agree."""
        return self._refreshed + REFRESH_SECONDS if self._unshown else None

    def show(self, now: float) -> None:
        """Let session-memory.md follow Current State, once a second at most: unlike `now` it costs several fsyncs."""
        effect = self._unshown
        if effect is None or self.head is None or now - self._refreshed < REFRESH_SECONDS:
            return
        self._unshown, self._refreshed, self._shown = None, now, effect.state
        memory = effect.document.to_markdown(effect.state).encode("utf-8", "surrogatepass")
        if heads.number(memory) != self.head.memory_number:
            self.store.publish(self.head, memory)

    def answered(self, result: Result, now: float, wall: float) -> list[Outward]:
        """A summarizer answered a job of this transcript."""
        return self._perform(self.session.finished(result), now, wall) if self.session else []

    def _read(self, effects: list[Replaced]) -> list[Replaced]:
        self._dirty = self._dirty or self.session is not None
        if self.session is not None and self._edits:
            self.session.marks.edits, self._edits = self._edits, Edits()
        if self.session is not None and self._written and not effects:
            self.session.written(*self._written)
            self._written = None
        if effects:
            self._written = None
            # Nothing that was committed holds for the file that stands there now.
            self.store.forget()
            self.head, self.log = None, self.store.snapshots()
        return effects

    # ------------------------------------------------------------------ publishing

    def _hear_edits(self) -> None:
        """Give the session what the user wrote into the Markdown. Not while a job is out: its answer comes first."""
        session, head = self.session, self.head
        if session is None or head is None or session.flight is not None:
            return
        heard = {edit.name for edit in self._heard}
        for edit in self.store.edits() if self.store.edited(head) else []:
            if edit.name not in heard and (base := self._written_over(edit)) is not None:
                session.edited(base.memory, edit.text)
                self._heard.append(edit)

    def _written_over(self, edit: Edit) -> Generation | None:
        """The generation that the user edited: the one of the last few that differs from the edit in the fewest lines.

        A newer one may have been published between the edit and now; what it added was not struck out by the user.
        """
        numbers = self.store.generations.numbers()[-_EDITED_GENERATIONS:]
        recent = [found for n in reversed(numbers) if (found := self.store.generations.get(n))]
        lines = _signed_lines(edit.text)
        return min(recent, key=lambda one: len(lines ^ _signed_lines(one.memory)), default=None)

    def _perform(self, effects: Sequence[AnyEffect], now: float, wall: float) -> list[Outward]:
        outward: list[Outward] = []
        for effect in self.follower.resolve(effects, now):
            match effect:
                case Publish(publication):
                    made = self._publish(publication, wall)
                    if made is None:
                        return [*outward, *self._begin_anew()]
                    outward.append(Published(made, publication))
                case RefreshState(state=state):
                    self._unnoted = effect
                    self._unshown = effect if self.head is not None and state != self._shown else None
                case StartJob(job) if job.source is not None:
                    source = msgspec.structs.replace(job.source, path=self.path)
                    outward.append(StartJob(msgspec.structs.replace(job, source=source)))
                case _:
                    outward.append(effect)
        return outward

    def _begin_anew(self) -> list[Replaced]:
        """Another file stands there than was read: the next look reads it."""
        self.follower.read_anew()
        return self._read([Replaced()])

    def _publish(self, publication: Publication, wall: float) -> Generation | None:
        """The generation that was committed; None if another file stands there than the one it is about."""
        assert self.session is not None
        self.place = self.follower.place = self.store.place = self.place.claim()
        edits, self._heard = self._heard, []
        parent = self.head.generation if self.head else ""
        made = record(publication, self.session.format, self.path, self.store, wall, parent)
        if not self.follower.tail.stands():
            return None
        memory = publication.markdown.encode("utf-8", "surrogatepass")
        if made.known:
            self.store.publish(made.head, memory, edits)
        else:
            self.store.commit(made.generation, publication.fold, made.head, memory, edits)
            lineage.register(self.store.id, self.place.sidecar)
        self.head, self._shown = made.head, publication.state
        self._reached = publication.state, publication.end
        self._unshown = self._unnoted = None
        self._dirty = self._unready = True
        self.save()
        return made.generation

    def _renewed(self, head: heads.Head, effect: RefreshState) -> heads.Head:
        """The head of the same memory, with the new Current State, and what was seen of the transcript since."""
        state = publisher.state_bytes(message.split(effect.document.to_markdown(effect.state)).state)
        fresh = None
        if effect.seen is not None:
            with suppress(FileNotFoundError), open(self.path, "rb") as transcript:
                fresh = publisher.renewed(head, effect.seen, state, transcript)
        return fresh or heads.renewed(head, state=state)

    # ------------------------------------------------------------------ across restarts

    def _restore(self) -> None:
        newest = self.store.generations.newest()
        self._edits = from_record(newest.edits) if newest else Edits()
        self._written = self._paid_for()
        data = self.store.state()
        if data is None:
            return
        try:
            saved = msgspec.msgpack.decode(data, type=_SavedState)
            with open(self.path, "rb") as transcript:
                if str(publisher.fingerprint(transcript, saved.position, saved.position)) != saved.fingerprint:
                    self.store.forget()
                    self.head, self._written = None, None
                    return
                transcript.seek(max(0, saved.position - 1024))
                before = transcript.read(min(1024, saved.position))
            session = Session.restore(saved.session, self.follower.triggers, self.log.read())
        except (msgspec.MsgspecError, ValueError, OSError):
            self.log = self.store.snapshots()
            return  # a state we cannot read is a cache that is lost: the file is read from its start
        if self.head is None:
            session.marks.published_epoch = -1  # what was published cannot be read any more: due at once
        self.follower.tail.resume(saved.position, before)
        self.follower.session = session
        self._edits, self._written = Edits(), None

    def _paid_for(self) -> tuple[int, dict[str, str]] | None:
        """What a model wrote for the generation that is published, if the transcript is still the one it is about."""
        head = self.head
        named = split_id(head.generation) if head else None
        made = self.store.generations.get(named[1]) if named else None
        if head is None or made is None or not made.prose:
            return None
        try:
            with open(self.path, "rb") as transcript:
                if publisher.fingerprint(transcript, head.covered, head.end) != head.fingerprint:
                    return None
        except OSError:
            return None
        return made.told, made.prose


def _signed_lines(memory: str) -> set[str]:
    """The lines of a memory but for its Current State, which is written anew at every append."""
    return set(message.signed(memory).split("\n"))
