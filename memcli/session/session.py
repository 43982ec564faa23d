"""The deciding half of a session: when an update is due, what an answer is worth, what is published and saved."""

from __future__ import annotations

import zlib
from hashlib import blake2b
from typing import TYPE_CHECKING

from memcli.effects import (
    AnyEffect,
    ContextFull,
    Effect,
    Publication,
    Publish,
    RefreshState,
    Seen,
    StartJob,
    UpToDate,
    Warned,
)
from memcli.ledger.fold import Fold
from memcli.ledger.history import Past
from memcli.memory import message
from memcli.memory.current_state import Covered, current_state
from memcli.memory.document import Block, Document
from memcli.memory.edits import budget_left, taken_in, unstruck, with_edits
from memcli.memory.fitting import fitted
from memcli.memory.jobs import Job, Result, Source
from memcli.memory.sections import CHARS_PER_TOKEN, NAMES, PINNED, Sections
from memcli.session.conversation import Conversation
from memcli.session.marks import KEPT_PROSE, InFlight
from memcli.session.saved import STATE_VERSION, Saved, packed, unpacked
from memcli.session.triggers import NEARLY, PATIENCE, QUIET_SECONDS, Triggers
from memcli.transcript import formats
from memcli.transcript.boundary import Boundaries, Cut, tail_cut
from memcli.transcript.lines import LineBuffer
from memcli.transcript.meter import Meter
from memcli.transcript.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_PAST = Past()


class Session(Conversation):
    """One transcript. `format` is the name of its format, `dead` ranges that a restart found to be rewound."""

    def __init__(self, format: str, triggers: Triggers, dead: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__(format, dead)
        self.triggers = triggers
        self.document: Document | None = None
        self.flight: InFlight | None = None
        self.wanted = False
        """Somebody waits for a memory that is up to date."""
        self.again = False
        """A model is to be asked once more for what none has written yet."""
        self.pins: tuple[str, ...] = ()

    # ------------------------------------------------------------------ what comes in

    def tick(self, now: float) -> list[AnyEffect]:
        """Time has passed. Call it after every batch of `receive` and again once the file has been quiet."""
        effects: list[AnyEffect] = []
        self.rests = now - self.heard >= QUIET_SECONDS
        if self.rests and self._waiting is None:
            effects += self._quiet()
        effects += self._limit()
        if self.document is not None:
            effects.append(RefreshState(self.document, self.state_text, self._seen()))
        return effects + self._start()

    def ask(self) -> None:
        """Bring the memory to the last legal place, due or not: the next ticks end in `Publish` or `UpToDate`."""
        self.wanted = True

    def retry(self) -> None:
        """Ask a model once more for what none has written yet: at the next tick, at the last legal place."""
        self.again = self.triggers.write and self.marks.owed and self.flight is None

    def finished(self, result: Result) -> list[Effect]:
        """A summarizer answered."""
        flight = self.flight
        if flight is None or result.job != flight.job.job:
            return []  # an answer to a job that was given up
        if result.error:
            return self.failed(result.job, result.error)
        self.flight = None
        if flight.epoch != self.marks.epoch:
            return []  # the conversation was rewound meanwhile: the next tick starts anew
        warnings: list[Effect] = []
        if result.failure is not None:
            warnings.append(Warned(f"no model wrote ({result.failure.sentence}); the facts of the memory are fresh"))
        self.marks.owed = flight.job.write and not result.wrote
        if result.wrote:
            self.marks.told = flight.cut.offset
            self.marks.prose = [*self.marks.prose, (flight.cut.offset, result.written or result.prose)][-KEPT_PROSE:]
        document = document_of(result) if result.blocks else self.render(flight.fold)
        return [*warnings, *self._publish(flight, document, result)]

    def failed(self, job: str, reason: str) -> list[Effect]:
        """A summarizer failed. The ledger alone makes a complete memory, so the user is never left without one."""
        flight = self.flight
        if flight is None or job != flight.job.job:
            return []
        self.flight = None
        if flight.epoch != self.marks.epoch:
            return []
        self.marks.owed = flight.job.write
        warning = Warned(f"the summarizer failed ({reason}); the memory was rendered without it")
        return [warning, *self._publish(flight, self.render(flight.fold), Result(job))]

    def edited(self, published: str, text: str) -> None:
        """The user wrote `text` over the `published` memory: the next memory honours it, and is due at once."""
        self.marks.edits = taken_in(self.marks.edits, published, text, self.sections.names)
        self.marks.published_epoch = -1

    def written(self, told: int, prose: dict[str, str]) -> None:
        """What a model wrote before, having been shown the conversation up to `told`: of a session that was lost."""
        self.marks.told, self.marks.prose = told, [(told, prose)] if prose else []
        self._unwrite(min((start for start, _ in self.thread.dead), default=told))

    def take_over(self, before: Session) -> None:
        """Go on where `before` stood, which asked for a restart: what is published and what is wanted stays so."""
        self.document, self.wanted, self.pins = before.document, before.wanted, before.pins
        self.marks.covered, self.marks.tokens = before.marks.covered, before.marks.tokens
        self.marks.full = before.marks.full
        self.marks.epoch = before.marks.epoch
        self.marks.published_epoch = before.marks.published_epoch
        self.marks.edits = before.marks.edits
        self.marks.told, self.marks.prose = before.marks.told, before.marks.prose
        self._unwrite(min((start for start, _ in self.marks.dead), default=0))

    # ------------------------------------------------------------------ what it knows

    @property
    def state_text(self) -> str:
        """Current State at the end of what has been read."""
        return current_state(
            self.live, self.triggers.budget, Covered(whole=not any(waiting.entry.role for waiting in self.pending))
        )

    @property
    def prose(self) -> dict[str, str]:
        """What a model wrote and nobody struck out, by section of the table."""
        written = self.marks.prose[-1][1] if self.marks.prose else {}
        shown = self.sections.writable
        return unstruck({name: text for name, text in written.items() if name in shown}, self.marks.edits)

    @property
    def sections(self) -> Sections:
        """The table of sections, with the user's part in it."""
        return Sections(self.triggers.sections)

    @property
    def untold(self) -> bool:
        """True if a model is to write and has not been shown all that the memory covers."""
        return self.triggers.write and self.marks.told < self.marks.covered

    @property
    def nearly_due(self) -> bool:
        """True shortly before a threshold: whoever takes long to start should start now."""
        rules, marks, tokens = self.triggers, self.marks, self.reading.tokens
        if self.document is None:
            return tokens >= rules.init_tokens * NEARLY
        return tokens - min(marks.tokens, tokens) >= rules.update_tokens * NEARLY

    @property
    def ledger_budget(self) -> int:
        """Tokens for everything but the user's own lines."""
        return budget_left(self.marks.edits, self.triggers.budget)

    @property
    def behind(self) -> bool:
        """True if the published memory does not reach the last legal cut."""
        cut = self.boundaries.last
        return cut is not None and (cut.offset > self.marks.covered or self.marks.epoch != self.marks.published_epoch)

    # ------------------------------------------------------------------ deciding

    def _limit(self) -> list[Effect]:
        limit = self.triggers.context_limit
        over = bool(limit) and self.reading.tokens >= limit
        crossed = over and not self.marks.full
        self.marks.full = over
        return [ContextFull(self.reading)] if crossed else []

    def _start(self) -> list[Effect]:
        """Start a job if one is due, at the last legal cut; answer what was asked for if there is nothing to do."""
        cut = self.boundaries.last
        if self.flight is not None or self._waiting is not None:
            return []
        if cut is None or not (self.behind or self.again or (self.wanted and self.untold)):
            satisfied, self.wanted = self.wanted and self.rests, self.wanted and not self.rests
            return [UpToDate(self.marks.covered)] if satisfied else []
        if not (self.wanted and self.rests) and not self.again and not self._due(cut):
            return []
        self.again = False
        fold = self.settled.snapshot()
        job = self.job(cut)
        self.flight = InFlight(job, cut, fold, self.marks.epoch, self.reading.tokens, self.marks.calls)
        self.marks.turn_ended = False
        return [StartJob(job)]

    def job(self, cut: Cut) -> Job:
        """What a summarizer is asked for the last legal cut. The path of its source is left to the caller."""
        rules, marks = self.triggers, self.marks
        # The traditional way asks a model where somebody waits for it, and nowhere else.
        write = rules.write and (rules.strategy != "traditional" or self.wanted or marks.full)
        start = 0 if rules.strategy == "traditional" else marks.told
        ledger = self.settled.ledger.snapshot()
        return Job(
            # With what it is about: an answer for another file that stood here is never taken for one about this file.
            f"{cut.offset}-{marks.epoch}-{zlib.crc32(ledger):08x}",
            self.ledger_budget,
            ledger,
            self.pins,
            marks.opaque,
            write=write and cut.offset > start,
            strategy=rules.strategy,
            prose=self.prose,
            source=Source("", self.format, start, cut.offset, tuple(self.thread.dead)) if write else None,
            instructions=rules.instructions if write else "",
            sections=rules.sections,
        )

    def _due(self, cut: Cut) -> bool:
        """True if a threshold was crossed and `cut` is the place to act on it."""
        rules, marks, tokens = self.triggers, self.marks, self.reading.tokens
        if self.document is None:
            return tokens >= rules.init_tokens
        if marks.epoch != marks.published_epoch:
            return True  # the published memory speaks of messages that were taken back
        marks.tokens = min(marks.tokens, tokens)  # the context was swapped: growth counts from its new size
        growth = tokens - marks.tokens
        if growth < rules.min_update_tokens:
            return False
        if rules.every_turn and marks.turn_ended:
            return True  # though a later cut, which ends none, may have been read with it
        patience = 1 if cut.turn else PATIENCE
        return growth >= rules.update_tokens * patience or marks.calls >= rules.update_tool_calls * patience

    # ------------------------------------------------------------------ publishing

    def render(self, fold: bytes) -> Document:
        """The sections of a fold, rendered here, with the prose that stands."""
        ledger, opaque = Fold(fold).ledger, self.marks.opaque
        return fitted(ledger, self.ledger_budget, self.pins, opaque, self.prose, self.sections)

    def _publish(self, flight: InFlight, document: Document, result: Result) -> list[Effect]:
        marks = self.marks
        document = with_edits(document, marks.edits, self.triggers.budget)
        publication = self.publication(flight.cut, flight.fold, document, result)
        self.document = document
        marks.covered, marks.published_epoch = flight.cut.offset, flight.epoch
        marks.tokens, marks.calls = min(flight.tokens, self.reading.tokens), max(0, marks.calls - flight.calls)
        effects: list[Effect] = [Publish(publication)]
        if self.wanted and self.rests and not self.behind:  # else the end of the file may be a better place
            self.wanted = False
            effects.append(UpToDate(marks.covered))
        return effects

    def publication(self, cut: Cut, fold: bytes, document: Document, result: Result | None = None) -> Publication:
        """A memory of everything before `cut`, with what a head must know."""
        first = Cut(self.first)
        state = self.state_text
        return Publication(
            identity=_identity(cut.offset, message.signed(document.to_markdown(state))),
            parent=self.marks.parent,
            document=document,
            state=state,
            boundary=cut,
            tail=tail_cut(self.boundaries.cuts, cut, self.meter.ratio, first=first),
            cuts=self._tails(cut),
            first=first.offset,
            end=self.marks.position,
            fold=fold,
            skip=self._skipped(),
            words=tuple(self.marks.words),
            edits=self.marks.edits,
            open_calls=len(self.thread.open_calls),
            messages=self.messages,
            chars=self.boundaries.state.chars,
            ratio=self.meter.ratio,
            reading=self.reading,
            told=cut.offset if result and result.wrote else self.marks.told,
            result=result or Result(""),
            room=self.triggers.budget * CHARS_PER_TOKEN,
        )

    def _seen(self) -> Seen | None:
        """What a head may say of all that was read; None while the published memory holds what was taken back."""
        if self.marks.epoch != self.marks.published_epoch:
            return None
        return Seen(
            end=self.marks.position,
            skip=self._skipped(),
            words=tuple(self.marks.words),
            open_calls=len(self.thread.open_calls),
            messages=self.messages,
            chars=self.boundaries.state.chars,
            ratio=self.meter.ratio,
        )

    def _tails(self, boundary: Cut) -> tuple[Cut, ...]:
        """Every place where a tail may begin; the first message is one, as long as all turns are remembered."""
        known = [cut for cut in self.boundaries.cuts if cut.offset <= boundary.offset]
        first = Cut(self.first, turn=True)
        return (first, *known) if self._oldest == first.offset < boundary.offset else tuple(known)

    # ------------------------------------------------------------------ across restarts

    def save(self) -> bytes:
        """Everything needed to go on from `marks.position`, but for the `past`: snapshots and ids are a log.

        A job in flight is not part of it: it will be due again.
        """
        saved = Saved(
            version=STATE_VERSION,
            format=self.format,
            reader=formats.save(self.reader),
            marks=self.marks,
            thread=self.thread.state,
            meter=self.meter.state,
            boundaries=self.boundaries.state,
            base=self.history.items[-1].offset if self.history.items else -1,
            sum=0,
            fold=self.settled.snapshot(),
            pending=self.pending,
            ahead=self.ahead,
            document=self.document,
        )
        return packed(saved, self.history.newest)

    @classmethod
    def restore(cls, data: bytes, triggers: Triggers, past: Past = _NO_PAST) -> Session:
        """The session that `save` wrote, with the `past` of that time or of later. Raises ValueError for anything else
        (then read the file from its start).
        """
        saved, history = unpacked(data, past)
        session = cls(saved.format, triggers)
        session.reader = formats.open_reader(saved.format, saved.reader)
        session.lines = LineBuffer(saved.marks.position)
        session.marks, session.document = saved.marks, saved.document
        session.thread, session.meter = Thread(saved.thread), Meter(saved.meter)
        session.thread.recollect(past.ids, past.known)
        session.boundaries = Boundaries(saved.boundaries)
        session.history, session.settled = history, Fold(saved.fold)
        session.pending, session.ahead = saved.pending, saved.ahead
        if not session._has_the_sections():
            session.marks.published_epoch = -1  # due at once: the user's table of sections is another than it was
        return session

    def _has_the_sections(self) -> bool:
        """True if the published memory has the headings of the user's own that are wanted now, and no other. One under
        which they wrote themselves stands in any case.
        """
        if self.document is None:
            return True
        beside = {*NAMES, PINNED, *(section for section, _ in self.marks.edits.added)}
        shown = {block.name for block in self.document.blocks}
        return shown - beside == {*self.sections.names} - beside


def document_of(result: Result) -> Document:
    """The document of a summarizer's answer."""
    return Document(tuple(Block(name, text, result.prose.get(name, "")) for name, text in result.blocks.items()))


def _identity(covered: int, text: str) -> str:
    """A name for a memory's content: 24 hexadecimal digits."""
    return blake2b(f"{covered}\n{text}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
