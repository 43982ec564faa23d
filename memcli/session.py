"""One transcript being remembered, as a state machine: bytes, results and ticks go in, effects come out.

    receive(bytes) ─► lines ─► entries ─► thread (what lives) ─► meter, boundaries, the fold
    tick(now)      ─► the end of a quiet file is a place to cut; a threshold crossed at a cut starts a job
    finished(...)  ─► a summarizer's answer becomes a Publication, if its base still stands

Theory of operation. The ledger always stands at the last legal cut, never further: what came after it waits in
`pending` and is folded when the next cut is certain. So a job needs nothing but the ledger's snapshot, a rewind
restores the snapshot of the turn it returns to, and folding in ten parts or in one gives the same bytes. `live` is the
small fold of the present; it is brought up to the end of what has been read when somebody asks.

A late answer can never move the boundary past messages that nobody summarised: a job carries the cut it was made for
and the epoch it belongs to; an answer of another epoch (the conversation was rewound) is thrown away.

The session performs nothing. It knows no path, no clock and no process; whoever owns those (`watch.loop`,
`commands`) carries the effects out and says what happened.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from memcli.effects import (
    AnyEffect,
    ContextFull,
    Effect,
    FindParent,
    Inheritance,
    Publication,
    Publish,
    ReadingEffect,
    RefreshState,
    Restart,
    Seen,
    StartJob,
    UpToDate,
    Warned,
)
from memcli.ledger.fold import Fold
from memcli.ledger.history import History, Past, difference, patched
from memcli.ledger.present import Present
from memcli.memory import message
from memcli.memory.current_state import Covered, current_state
from memcli.memory.document import Block, Document
from memcli.memory.edits import Edits, budget_left, taken_in, unstruck, with_edits
from memcli.memory.fitting import fitted
from memcli.memory.jobs import Job, Result, Source, Strategy
from memcli.memory.sections import CHARS_PER_TOKEN, NAMES, PINNED, Sections
from memcli.transcript import formats
from memcli.transcript.boundary import KEPT_CUTS, Boundaries, BoundaryState, Cut, tail_cut
from memcli.transcript.encode.common import NO_RESULT
from memcli.transcript.entries import (
    COMPACTED,
    HIDDEN,
    PLACED,
    SPOKEN,
    AnyPart,
    Compacted,
    Entry,
    Place,
    ToolResult,
    UserText,
)
from memcli.transcript.lines import Line, LineBuffer, whole
from memcli.transcript.meter import Meter, MeterState, Reading
from memcli.transcript.thread import State as ThreadState
from memcli.transcript.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

QUIET_SECONDS = 0.2
"""A file that has not grown for so long has been flushed by its client (seen: 30 to 170 ms after the event)."""

PATIENCE = 1.5
"""A threshold crossed inside a turn waits for the turn's end until it is exceeded this many times."""

NEARLY = 0.8
"""Of a threshold: when a summarizer is started speculatively (importing the SDK takes more than a second)."""

KEPT_PROSE = 8
"""Older prose that a rewind may fall back to; beyond it the model begins anew."""

STATE_VERSION = 4

_END = 1 << 63  # behind every offset
_NO_PAST = Past()


class Triggers(msgspec.Struct, frozen=True):
    """When an update is due. Tokens are those of the context as the meter reads it."""

    init_tokens: int = 10_000
    update_tokens: int = 5_000
    update_tool_calls: int = 3
    min_update_tokens: int = 0
    every_turn: bool = False
    context_limit: int = 0
    budget: int = 4_000
    write: bool = False
    """A model is to write prose."""
    strategy: Strategy = "incremental"
    instructions: str = ""
    """The user's own words to the model, for this project."""
    sections: dict[str, str] = {}
    """The user's part of the table of sections (`memory.sections.Sections`)."""


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A live entry after the last cut. `inherited`: the parent's ledger contains it already."""

    entry: Entry
    inherited: bool = False


class Ahead(msgspec.Struct, frozen=True):
    """The fold before it took in the end of a quiet file, and what it took in: should the file go on with another part
    of its last message, that end was no place to cut.
    """

    cut: int
    fold: bytes
    pending: list[Pending]


class InFlight(msgspec.Struct, frozen=True):
    """The job that was started, with what its answer will be published against."""

    job: Job
    cut: Cut
    fold: bytes
    epoch: int
    tokens: int
    """Reading when it was started: growth counts from there, however long the answer takes."""
    calls: int
    """Tool calls that it answers."""


class Marks(msgspec.Struct):
    """The plain values of a session that outlive the process."""

    position: int = 0
    first: int = -1
    """Offset of the first conversation message, a memory that was inherited not counted."""
    begin: int = 0
    """The end of the memory that was inherited; 0 without one."""
    floor: int = 0
    """Where the parent's fold ends: nothing before it can be folded otherwise."""
    inherited: int = 0
    opaque: str = ""
    parent: str = ""
    """The generation this transcript inherited from."""
    covered: int = 0
    """Boundary of the published memory."""
    epoch: int = 0
    published_epoch: int = 0
    tokens: int = 0
    """Reading at the last published memory."""
    calls: int = 0
    """Tool calls since then."""
    turn_ended: bool = False
    full: bool = False
    copies: list[tuple[int, int]] = []
    """Records that repeat earlier ones, as byte ranges."""
    words: list[tuple[int, str]] = []
    """Offset and text of the user's words that hide in records which are no message."""
    dead: list[tuple[int, int]] = []
    edits: Edits = Edits()
    owed: bool = False
    """A model was wanted for the published memory and did not write."""
    told: int = 0
    """Offset up to which a model has been shown the conversation."""
    prose: list[tuple[int, dict[str, str]]] = []
    """What a model wrote, each with the offset it reaches to: the newest last, a few older ones for rewinds."""


class Saved(msgspec.Struct, frozen=True):
    """A session on disk. It holds the entries that are not folded yet, so that nothing has to be read twice.

    `fold` is the difference to the newest snapshot, which was taken at `base` (-1: there is none) and has the checksum
    `sum`; so is that of `ahead`. Snapshots and the ids of the thread are a log of their own.
    """

    version: int
    format: str
    reader: bytes
    marks: Marks
    thread: ThreadState
    meter: MeterState
    boundaries: BoundaryState
    base: int
    sum: int
    fold: bytes
    pending: list[Pending]
    ahead: Ahead | None
    document: Document | None


class Session:
    """One transcript. `format` is the name of its format, `dead` ranges that a restart found to be rewound."""

    def __init__(self, format: str, triggers: Triggers, dead: Iterable[tuple[int, int]] = ()) -> None:
        self.format = format
        self.triggers = triggers
        self.reader = formats.open_reader(format)
        self.lines = LineBuffer()
        self.thread = Thread(ThreadState(tree=format == "pi", dead=list(dead)))
        self.meter = Meter()
        self.boundaries = Boundaries()
        self.settled = Fold()
        self.pending: list[Pending] = []
        self._live: Present | None = None
        self._lived = 0
        """So many of the pending entries are folded into it."""
        self.ahead: Ahead | None = None
        self.history = History()
        self.origin = b""
        """The fold that was inherited: what a memory of none of the messages here has to say."""
        self.marks = Marks(dead=sorted(dead))
        self.document: Document | None = None
        self.flight: InFlight | None = None
        self.wanted = False
        self.again = False
        self.heard = 0.0
        self.rests = False
        """The file was quiet at the last tick, and nothing came since."""
        self.pins: tuple[str, ...] = ()
        self._waiting: list[Entry] | None = None
        self._held: list[Line] = []
        self._heard = formats.heard(self.reader)

    # ------------------------------------------------------------------ what comes in

    def receive(self, chunk: bytes, now: float) -> list[ReadingEffect]:
        """New bytes of the transcript, in order; `now` in seconds of any steady clock."""
        self.heard, self.rests = now, False
        effects: list[ReadingEffect] = []
        for line in self.lines.feed(chunk):
            effects += self._read(line)
        return effects

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

    def inherit(self, inheritance: Inheritance) -> list[ReadingEffect]:
        """The memory message at the start is ours: go on from the parent's fold."""
        waiting, self._waiting = self._waiting or [], None
        if inheritance.fold:
            self.origin = inheritance.fold
            self.settled = Fold(inheritance.fold)
            if self.settled.heard:  # the parent knows the prologue before the message, and what came after it
                self.pending.clear()
                if not inheritance.covered:
                    self.marks.floor = self.boundaries.inherited(waiting[0].end).offset
            self._live = None
            self.marks.inherited = inheritance.covered
            self._go_on()
        self.marks.opaque = inheritance.opaque
        self.marks.parent = inheritance.generation
        self.marks.begin = waiting[0].end
        # What a session that is read again has taken over is newer than what the parent knew.
        self.marks.edits = self.marks.edits or inheritance.edits
        if not self.marks.prose:
            self.marks.told = self.marks.begin
            self.marks.prose = [(self.marks.begin, inheritance.prose)] if inheritance.prose else []
        self.thread.place(waiting[0])  # what follows hangs on it
        self.meter.add(waiting[0])
        return self._replay(waiting[1:])

    def _go_on(self) -> None:
        """The reader stands where the parent's fold ends: from here on it reads as the parent's would have done."""
        if not self.marks.inherited and self.settled.heard:
            formats.go_on(self.reader, self.settled.heard)

    def written(self, told: int, prose: dict[str, str]) -> None:
        """What a model wrote before, having been shown the conversation up to `told`: of a session that was lost."""
        self.marks.told, self.marks.prose = told, [(told, prose)] if prose else []
        self._unwrite(min((start for start, _ in self.thread.dead), default=told))

    def disown(self) -> list[ReadingEffect]:
        """The memory message at the start is not ours: it is what it says it is, text of a message."""
        waiting, self._waiting = self._waiting or [], None
        return self._replay(waiting)

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
    def reading(self) -> Reading:
        """The context size now."""
        return self.meter.reading

    @property
    def live(self) -> Present:
        """The small fold of the present, up to the end of what has been read; folded when somebody asks."""
        if self._live is None:
            self._live, self._lived = Present.restore(self.settled.present.snapshot()), 0
        for waiting in self.pending[self._lived :]:
            if not waiting.inherited:
                self._live.fold(waiting.entry)
        self._lived = len(self.pending)
        return self._live

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
    def first(self) -> int:
        """Offset where the conversation begins, behind the memory that was inherited: no tail begins before it."""
        return self.marks.begin or max(self.marks.first, 0)

    @property
    def empty(self) -> bool:
        """True if there is nothing to compact: neither a message nor a memory of some."""
        return not self.messages and not self.marks.parent

    @property
    def messages(self) -> int:
        """Live conversation messages read so far."""
        return self.boundaries.state.messages

    @property
    def behind(self) -> bool:
        """True if the published memory does not reach the last legal cut."""
        cut = self.boundaries.last
        return cut is not None and (cut.offset > self.marks.covered or self.marks.epoch != self.marks.published_epoch)

    # ------------------------------------------------------------------ reading

    def _read(self, line: Line) -> Sequence[ReadingEffect]:
        if self._waiting is not None:  # how it is read hangs on the parent
            self._held.append(line)
            return ()
        effects: Sequence[ReadingEffect] = ()
        reader = self.reader
        self._heard = reader.heard or formats.heard(reader)
        for entry in reader.read(line):
            if self._waiting is not None:
                self._waiting.append(entry)
            elif not (entry.parts or entry.role or entry.id or self.marks.dead):
                self.thread.pass_by()
            elif found := self._place(entry, may_be_memory=True):
                effects = [*effects, *found]
        self.marks.position = line.end
        return effects

    def _replay(self, entries: list[Entry]) -> list[ReadingEffect]:
        """What waited for the parent: the entries of the memory's own line, then the lines after it."""
        held, self._held = self._held, []
        effects: list[ReadingEffect] = [effect for entry in entries for effect in self._place(entry)]
        return effects + [effect for line in held for effect in self._read(line)]

    def _place(self, entry: Entry, *, may_be_memory: bool = False) -> Sequence[ReadingEffect]:
        """Decide whether an entry lives, and account for it."""
        marks, boundaries = self.marks, self.boundaries
        if marks.dead and _within(marks.dead, entry.offset):
            self._pass_over(entry)
            return ()
        if marks.first < 0 and may_be_memory and not marks.parent:
            text = _first_text(entry.parts)
            if mark := message.read_mark(text):
                self._waiting = [entry]
                return [FindParent(mark, text)]
        thread = self.thread
        closed = thread.closed
        verdict = thread.place(entry)
        if not verdict.live:
            _add_span(marks.copies, (entry.offset, entry.end))
            self._move(entry)
            return ()
        if verdict.rewind >= 0 and not self._rewind(verdict.rewind, entry.offset):
            return [Restart(thread.dead)]
        if verdict.tied < entry.offset:
            self._tear(verdict.tied)
        if entry.role == "assistant" or entry.prompts or entry.signs & COMPACTED:  # nothing else begins anything
            closed = closed or (bool(verdict.abandoned or verdict.rewind >= 0) and thread.closed)
            if cut := boundaries.before(entry, closed):
                self._settle(cut, self._heard)
        self._account(entry)
        return ()

    def _pass_over(self, entry: Entry) -> None:
        """An entry that is known to be dead."""
        self.thread.recall(entry)
        self._known(entry)
        self._move(entry)
        if not any(waiting.entry.role for waiting in self.pending):
            self._listen()

    def _move(self, entry: Entry) -> None:
        """A record that is no part of the conversation may still be the one that says where the agent works now."""
        if entry.signs & PLACED:
            places = tuple(part for part in entry.parts if isinstance(part, Place))
            self._account(Entry(entry.offset, entry.end, parts=places))

    def _account(self, entry: Entry) -> None:
        """Take in an entry that lives; it waits until the next cut is certain."""
        marks = self.marks
        if marks.first < 0 and entry.role and entry.signs & SPOKEN:
            marks.first = entry.offset
        self.meter.add(entry)
        self.boundaries.add(entry)
        if marks.inherited:
            self._account_known(entry)
        elif entry.role or entry.parts:
            self.pending.append(Pending(_without_stand_ins(entry) if entry.results else entry))
            if entry.calls:
                marks.calls += len(entry.calls)
        if entry.signs & HIDDEN:
            marks.words += [(entry.offset, text) for text in _hidden_words(entry, self.format)]

    def _account_known(self, entry: Entry) -> None:
        """The same of an entry that the parent's fold contains."""
        marks = self.marks
        self._known(entry)
        marks.told = max(marks.told, entry.end)  # the parent's prose knows it
        self.pending.append(Pending(_without_stand_ins(entry), inherited=True))
        marks.calls += len(entry.calls)
        if not marks.inherited:
            # where the parent's memory ended is a place to cut, and no cut before it fits the fold that we have
            marks.floor = entry.end
            self._settle(self.boundaries.inherited(entry.end), formats.heard(self.reader))

    def _tear(self, tied: int) -> None:
        """An entry belongs to the one at `tied`: there is no cut between them, and the fold stands at none."""
        self.boundaries.tear(max(tied, self.marks.floor))
        if self.ahead is not None and tied < self.ahead.cut and self.marks.floor < self.ahead.cut:
            self.settled = Fold(self.ahead.fold)
            self.pending = self.ahead.pending + self.pending
            self._lived += len(self.ahead.pending)
            self.history.cut(self.ahead.cut)
            self.ahead = None

    def _known(self, entry: Entry) -> bool:
        """True for what the parent's fold contains already: so many messages, and the records before the last."""
        known = self.marks.inherited > 0
        if known and entry.role in ("user", "assistant", "tool"):
            self.marks.inherited -= 1
            self._go_on()
        return known

    def _settle(self, cut: Cut, heard: bytes) -> None:
        """Fold what stands before a cut. Whatever follows it in the file is not here yet."""
        if self._lived < len(self.pending):
            self._live = None
        self._lived = 0
        for waiting in self.pending:
            if not waiting.inherited:
                self.settled.fold(waiting.entry)
        self.pending.clear()
        self.ahead = None
        if not self.marks.inherited:
            self.settled.heard = heard
        self.marks.turn_ended = self.marks.turn_ended or cut.turn
        if cut.turn and (not self.history.items or self.history.items[-1].offset < cut.offset):
            self.history.add(cut.offset, self.settled.snapshot())
            self._prune()

    def _listen(self) -> None:
        """What lives ends at the cut, but the reader went on: what it heard of the dead counts for what comes next."""
        if not self.marks.inherited:
            self.settled.heard = formats.heard(self.reader)

    @property
    def _oldest(self) -> int:
        """Where the longest tail can begin: at the first message while every turn is remembered."""
        every = len(self.boundaries.state.turns) < KEPT_CUTS
        oldest = None if every else self.boundaries.oldest
        return self.first if oldest is None else oldest.offset

    def _prune(self) -> None:
        """Ranges and lines before the oldest place a tail can begin at are of no use any more."""
        oldest = self._oldest
        copies, words = self.marks.copies, self.marks.words
        if copies and copies[0][1] <= oldest:
            self.marks.copies = [span for span in copies if span[1] > oldest]
        if words and words[0][0] < oldest:
            self.marks.words = [one for one in words if one[0] >= oldest]

    def _rewind(self, start: int, here: int) -> bool:
        """Go back to where the conversation turned, if a snapshot was taken just there and nothing after it lives.

        False: the file must be read again from its start, with the dead ranges known.
        """
        self.marks.epoch += 1
        self._unwrite(start)
        found = self.history.at(start)
        bare = any(dead_start <= start and here <= dead_end for dead_start, dead_end in self.thread.dead)
        if not bare or (found is None and (self.marks.parent or start > self.marks.first)):
            return False
        self.settled = Fold(found or b"")
        before = self.settled.heard
        self._listen()
        self._live = None
        self.pending.clear()
        self.ahead = None
        self.history.cut(start)
        self.boundaries.rewind(start)
        self.marks.words = [words for words in self.marks.words if words[0] < start]
        if place := formats.moved(self.reader, before):
            self._account(Entry(here, here, parts=(place,)))  # said among what died, and still so
        return True

    def _unwrite(self, start: int) -> None:
        """Prose that speaks of what was taken back from `start` on does not stand any more."""
        self.marks.prose = [(reach, prose) for reach, prose in self.marks.prose if reach <= start]
        if self.marks.told > start:
            self.marks.told = self.marks.prose[-1][0] if self.marks.prose else 0

    def _quiet(self) -> list[ReadingEffect]:
        """The file rests: a last line without a line end is whole if it parses, and its end may be a cut."""
        effects: list[ReadingEffect] = []
        rest = self.lines.rest
        if rest is not None and whole(rest):
            self.lines.take_rest()
            effects = self._read(rest)
        cut = self.boundaries.at_end(self.marks.position, self.thread.closed) if self._waiting is None else None
        if cut:
            ahead = Ahead(cut.offset, self.settled.snapshot(), self.pending[:]) if self.pending else self.ahead
            self._settle(cut, formats.heard(self.reader))
            self.ahead = ahead
        return effects

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
        if cut.turn and rules.every_turn and marks.turn_ended:
            return True
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

    def _skipped(self) -> tuple[tuple[int, int], ...]:
        """Byte ranges that no tail may hold: copies and dead branches."""
        oldest = self._oldest
        spans = {*self.marks.copies, *self.marks.dead, *self.thread.dead}
        return tuple(sorted(span for span in spans if span[1] > oldest))

    # ------------------------------------------------------------------ across restarts

    def save(self) -> bytes:
        """Everything needed to go on from `marks.position`, but for the snapshots and ids: those are a log.

        A job in flight is not part of it: it will be due again.
        """
        newest, ahead = self.history.newest, self.ahead
        saved = Saved(
            version=STATE_VERSION,
            format=self.format,
            reader=formats.save(self.reader),
            marks=self.marks,
            thread=msgspec.structs.replace(self.thread.state, nodes={}),
            meter=self.meter.state,
            boundaries=self.boundaries.state,
            base=self.history.items[-1].offset if self.history.items else -1,
            sum=zlib.crc32(newest),
            fold=difference(newest, self.settled.snapshot()),
            pending=self.pending,
            ahead=ahead and msgspec.structs.replace(ahead, fold=difference(newest, ahead.fold)),
            document=self.document,
        )
        return zlib.compress(msgspec.msgpack.encode(saved), 1)

    @property
    def past(self) -> Past:
        """What a log must hold for `restore`."""
        seen = self.thread.state.seen
        return Past(self.history.items, [self.thread.remembered(0)] if seen else [], seen)

    @classmethod
    def restore(cls, data: bytes, triggers: Triggers, past: Past = _NO_PAST) -> Session:
        """The session that `save` wrote, with the `past` of that time or of later. Raises ValueError for anything else
        (then read the file from its start).
        """
        try:
            saved = msgspec.msgpack.decode(zlib.decompress(data), type=Saved)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(str(error)) from error
        if saved.version != STATE_VERSION:
            raise ValueError(f"state of version {saved.version}")
        history = History([one for one in past.snapshots if one.offset <= saved.base])
        newest = history.newest
        if zlib.crc32(newest) != saved.sum:
            raise ValueError("the snapshot is gone that was saved last")
        session = cls(saved.format, triggers)
        session.reader = formats.open_reader(saved.format, saved.reader)
        session.lines = LineBuffer(saved.marks.position)
        session.marks, session.document = saved.marks, saved.document
        session.thread, session.meter = Thread(saved.thread), Meter(saved.meter)
        session.thread.recollect(past.ids, past.known)
        session.boundaries = Boundaries(saved.boundaries)
        session.history, session.settled = history, Fold(patched(newest, saved.fold))
        session.pending, session.ahead = saved.pending, saved.ahead
        if saved.ahead is not None:
            session.ahead = msgspec.structs.replace(saved.ahead, fold=patched(newest, saved.ahead.fold))
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


def _first_text(parts: tuple[AnyPart, ...]) -> str:
    """Where a memory message has its text: a user's words, or a client's compaction summary."""
    for part in parts:
        match part:
            case UserText(text=text) | Compacted(summary=text) if text:
                return text
    return ""


def _within(spans: list[tuple[int, int]], offset: int) -> bool:
    """True if one of the spans, ascending and apart, holds the offset."""
    index = bisect_right(spans, (offset, _END)) - 1
    return index >= 0 and offset < spans[index][1]


def _add_span(spans: list[tuple[int, int]], span: tuple[int, int]) -> None:
    """Add a span behind the others; one that begins where the last one ends makes it longer."""
    if spans and spans[-1][1] == span[0]:
        span = (spans.pop()[0], span[1])
    spans.append(span)


def _without_stand_ins(entry: Entry) -> Entry:
    """Without the results that a swap puts where a call was given up: a request needs them, but nothing came back."""
    if entry.chars < len(NO_RESULT) or not any(map(_is_stand_in, entry.parts)):
        return entry
    return msgspec.structs.replace(entry, parts=tuple(part for part in entry.parts if not _is_stand_in(part)), signs=0)


def _is_stand_in(part: AnyPart) -> bool:
    # the size is known without decoding the text
    return isinstance(part, ToolResult) and part.size == len(NO_RESULT) and part.text == NO_RESULT


def _hidden_words(entry: Entry, format: str) -> list[str]:
    """Words of the user that stand where an API message would not show them."""
    hidden = ("queued", "rejection") if format == "claude-code" else ("rejection",)  # others queue by plain messages
    return [part.text for part in entry.parts if isinstance(part, UserText) and part.via in hidden]


def document_of(result: Result) -> Document:
    """The document of a summarizer's answer."""
    return Document(tuple(Block(name, text, result.prose.get(name, "")) for name, text in result.blocks.items()))


def _identity(covered: int, text: str) -> str:
    """A name for a memory's content: 24 hexadecimal digits."""
    return blake2b(f"{covered}\n{text}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
