"""The reading half of a session: bytes go in, the folds stand at the last legal cut.

The ledger never stands further than that: what came after the cut waits in `pending` and is folded when the next cut is
certain. `live` is the small fold of the present; it is brought up to the end of what was read when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from memcli.effects import (
    FindParent,
    Inheritance,
    ReadingEffect,
    Restart,
)
from memcli.ledger.fold import Fold
from memcli.ledger.history import History, Past
from memcli.ledger.present import Present
from memcli.memory import message
from memcli.session.marks import Ahead, Marks, Pending
from memcli.transcript import encode, formats
from memcli.transcript.boundary import KEPT_CUTS, Boundaries, Cut
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
from memcli.transcript.meter import Meter, Reading
from memcli.transcript.thread import State as ThreadState
from memcli.transcript.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_END = 1 << 63  # behind every offset
_NO_RESULT = len(NO_RESULT)


class Conversation:
    """What is read of one transcript. `format` is the name of its format, `dead` ranges known to be rewound."""

    def __init__(self, format: str, dead: Iterable[tuple[int, int]] = ()) -> None:
        self.format = format
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
        self.heard = 0.0
        self.rests = False
        """The file was quiet at the last tick, and nothing came since."""
        self._waiting: list[Entry] | None = None
        """Not None while it is not known whether the first message is a memory of ours."""
        self._held: list[Line] = []
        self._heard = formats.heard(self.reader)

    def receive(self, chunk: bytes, now: float) -> list[ReadingEffect]:
        """New bytes of the transcript, in order; `now` in seconds of any steady clock."""
        self.heard, self.rests = now, False
        effects: list[ReadingEffect] = []
        for line in self.lines.feed(chunk):
            effects += self._read(line)
        return effects

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
        if encode.module(self.format).COPIES:  # other encoders leave no usage in a tail
            self.meter.swapped(inheritance.tokens)
        self.meter.add(waiting[0])
        return self._replay(waiting[1:])

    def disown(self) -> list[ReadingEffect]:
        """The memory message at the start is not ours: it is what it says it is, text of a message."""
        waiting, self._waiting = self._waiting or [], None
        return self._replay(waiting)

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

    def _go_on(self) -> None:
        """The reader stands where the parent's fold ends: from here on it reads as the parent's would have done."""
        if not self.marks.inherited and self.settled.heard:
            formats.go_on(self.reader, self.settled.heard)

    def _read(self, line: Line) -> Sequence[ReadingEffect]:
        waiting = self._waiting
        if waiting is not None:  # how it is read hangs on the parent
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
        begins = entry.role == "assistant" or entry.prompts or entry.signs & COMPACTED  # nothing else begins anything
        closed = begins and thread.closed
        verdict = thread.place(entry)
        if not verdict.live:
            _add_span(marks.copies, (entry.offset, entry.end))
            self._move(entry)
            return ()
        if verdict.rewind >= 0 and not self._rewind(verdict.rewind, entry.offset):
            return [Restart(thread.dead)]
        if verdict.tied < boundaries.reach:
            self._tear(verdict.tied)
        if begins and not closed:
            closed = bool(verdict.abandoned or verdict.rewind >= 0) and thread.closed
        if closed and (cut := boundaries.before(entry, closed)):
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
        settled, marks = self.settled, self.marks
        for waiting in self.pending:
            if not waiting.inherited:
                settled.fold(waiting.entry)
        self.pending.clear()
        self.ahead = None
        if not marks.inherited:
            settled.heard = heard
        if not cut.turn:
            return
        marks.turn_ended = True
        if self.history.last < cut.offset:
            self.history.add(cut.offset, settled.snapshot())
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
        copies, words = self.marks.copies, self.marks.words
        if not copies and not words:
            return
        oldest = self._oldest
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
            effects += self._read(rest)
        cut = self.boundaries.at_end(self.marks.position, self.thread.closed) if self._waiting is None else None
        if cut:
            ahead = Ahead(cut.offset, self.settled.snapshot(), self.pending[:]) if self.pending else self.ahead
            self._settle(cut, formats.heard(self.reader))
            self.ahead = ahead
        return effects

    def _skipped(self) -> tuple[tuple[int, int], ...]:
        """Byte ranges that no tail may hold: copies and dead branches."""
        oldest = self._oldest
        spans = {*self.marks.copies, *self.marks.dead, *self.thread.dead}
        return tuple(sorted(span for span in spans if span[1] > oldest))

    @property
    def past(self) -> Past:
        """What a log must hold for `restore`."""
        seen = self.thread.state.seen
        return Past(self.history.items, [self.thread.remembered(0)] if seen else [], seen)


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
    if len(entry.parts) == 1 and entry.chars != _NO_RESULT:  # the size is known without decoding the text
        return entry
    if not any(map(_is_stand_in, entry.parts)):
        return entry
    return msgspec.structs.replace(entry, parts=tuple(part for part in entry.parts if not _is_stand_in(part)), signs=0)


def _is_stand_in(part: AnyPart) -> bool:
    return type(part) is ToolResult and part.size == _NO_RESULT and part.text == NO_RESULT


def _hidden_words(entry: Entry, format: str) -> list[str]:
    """Words of the user that stand where an API message would not show them."""
    hidden = ("queued", "rejection") if format == "claude-code" else ("rejection",)  # others queue by plain messages
    return [part.text for part in entry.parts if isinstance(part, UserText) and part.via in hidden]
