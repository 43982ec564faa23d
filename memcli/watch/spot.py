"""A memory made on the spot: the whole transcript in one pass, rendered here, nothing waited for.

Used where no summarizer child is worth starting (`compact` without a memory) and where nothing may be written (a
stream, a directory that a daemon owns, a read-only disk).
"""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING

import msgspec

from memcli.effects import StartJob, UpToDate
from memcli.errors import TryAgain
from memcli.ledger.fold import Fold
from memcli.memory.edits import from_record, with_edits
from memcli.memory.fitting import rendered
from memcli.session import QUIET_SECONDS, Session, document_of
from memcli.sidecar import files, publisher
from memcli.sidecar.generations import split_id
from memcli.transcript.boundary import Cut
from memcli.transcript.recognise import no_messages
from memcli.watch.record import record, sign

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from memcli.effects import Publication
    from memcli.head import Head
    from memcli.memory.document import Document
    from memcli.memory.jobs import Job, Result
    from memcli.sidecar.store import Store
    from memcli.watch.follower import Follower
    from memcli.watch.keeper import Keeper, Outward

    Answer: TypeAlias = Callable[[Job], Result]

PATIENCE_SECONDS = 1.0
"""A transcript that is written to without a pause is waited for so long, and then taken as it is."""

_TRIES = 3


def publish_now(keeper: Keeper, answer: Answer = rendered) -> None:
    """Bring the memory of an opened keeper to the last legal place; `answer` is who makes it, by default this process.

    A file that is written to without a pause has no such place at its end: then what could be covered so far counts.
    """
    read_to_end(keeper)
    session = keeper.session
    if session is None:
        raise keeper.follower.unrecognised()
    session.ask()
    effects: list[Outward] = []
    deadline, late = time.monotonic() + PATIENCE_SECONDS, False
    while not any(isinstance(effect, UpToDate) for effect in effects) and not late:
        late = time.monotonic() >= deadline  # looked at before the file is: whoever slept long may find it quiet
        if keeper.session not in (None, session):  # the file was replaced
            session = keeper.session
            session.ask()
        effects = keeper.tick(time.monotonic(), time.time())
        for job in [effect.job for effect in effects if isinstance(effect, StartJob)]:
            effects += keeper.answered(_timed(answer, job), time.monotonic(), time.time())
        if not effects or not any(isinstance(effect, UpToDate) for effect in effects):
            time.sleep(QUIET_SECONDS / 8)  # the file was written to just now: its client may not be done
            keeper.look(time.monotonic())
    if session.empty:  # known only now: a single message may lack its line end
        raise no_messages(keeper.path)
    keeper.ready(time.monotonic())


def read_to_end(keeper: Keeper) -> None:
    """Read all there is. A file that has rested for long counts as quiet at once."""
    try:
        age = max(0.0, time.time() - os.stat(keeper.path).st_mtime)
    except OSError:
        age = 0.0
    keeper.catch_up(time.monotonic() - min(age, 2 * QUIET_SECONDS))


def _timed(answer: Answer, job: Job) -> Result:
    started = time.monotonic()
    result = answer(job)
    return msgspec.structs.replace(result, milliseconds=round((time.monotonic() - started) * 1000))


def head_now(follower: Follower, store: Store | None = None, answer: Answer = rendered) -> Head:
    """A head for everything the follower reads; nothing that is committed changes.

    With a `store` (a daemon's, whose lock is not ours) the generation is added to it, so that the successor of the
    transcript finds where it comes from, and the user's lines stand in it as in the one before; without one it has a
    name made of its content and lives in its mark alone. Raises NoMessages for a transcript without any, TryAgain for
    one that is replaced again and again.
    """
    for _ in range(_TRIES):
        head = _head_of(follower, store, answer)
        if follower.tail.stands():
            return head
        follower.read_anew()
    raise TryAgain(f"{follower.name} is being replaced", f"memcli compact {shlex.quote(follower.name)}")


def _head_of(follower: Follower, store: Store | None, answer: Answer) -> Head:
    """A head that says what was read, with the fingerprint of what stands there now."""
    follower.catch_up(time.monotonic() - 2 * QUIET_SECONDS)
    if store is not None and follower.session is not None:
        _hear_edits(follower.session, store)
    publication = publication_now(follower, answer)
    session = follower.session
    assert session is not None
    if store is not None:
        return _recorded(publication, session.format, follower.path, store)
    signed = sign(follower.place, publication.identity, publication)
    with open(follower.path, "rb") as transcript:
        return publisher.make_head(publication, session.format, signed, transcript, time.time())


def _hear_edits(session: Session, store: Store) -> None:
    """Take over the edits that the newest generation has, and one that the daemon has not seen yet.

    The user wrote over the generation that is published, which need not be the newest.
    """
    memory = files.read(store.place.memory)  # before the head: what is published in between is no edit of what was
    head, newest = store.head(), store.generations.newest()
    if newest is None:
        return
    session.marks.edits = from_record(newest.edits)
    if head is None or memory is None or store.unedited(head):
        return
    named = split_id(head.generation)
    published = store.generations.get(named[1]) if named else None
    session.edited((published or newest).memory, memory.decode("utf-8", "replace"))


def _recorded(publication: Publication, format: str, path: str, store: Store) -> Head:
    while True:
        made = record(publication, format, path, store, time.time())
        if made.known:
            return made.head
        try:
            store.generations.add(made.generation, publication.fold)
        except FileExistsError:
            continue  # the daemon took this number just now
        return made.head


def publication_now(follower: Follower, answer: Answer = rendered) -> Publication:
    """The memory at the last legal place; of nothing at all if there is none yet. Raises NoMessages."""
    session = follower.session
    if session is None:
        raise follower.unrecognised()
    follower.resolve(session.tick(time.monotonic()), time.monotonic())
    session = follower.session
    assert session is not None
    if session.empty:
        raise no_messages(follower.name)
    cut = session.boundaries.last
    if cut is None:
        fold = session.origin or Fold().snapshot()
        return session.publication(Cut(session.first), fold, _edited(session, session.render(fold)))
    session.ask()
    job = session.job(cut)
    if job.source is not None:
        job = msgspec.structs.replace(job, source=msgspec.structs.replace(job.source, path=follower.path))
    result = _timed(answer, job)
    return session.publication(cut, session.settled.snapshot(), _edited(session, document_of(result)), result)


def _edited(session: Session, document: Document) -> Document:
    return with_edits(document, session.marks.edits, session.triggers.budget)
