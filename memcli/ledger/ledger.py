"""The ledger: facts kept by code. `ledger = fold(entries)`, one pass, no model, no clock.

    entry ── UserText ────► requests, names
          ├─ MachineText ──► requests (commands), instructions
          ├─ AssistantText ► narrative, names
          ├─ ToolUse ──────► a deed that waits for its result
          ├─ ToolResult ───► work (to-dos, failures, checks), files, commits, actions
          └─ Place, Link ──► commits

Folding in parts, with a snapshot stored and restored between, gives the same bytes as folding in one go: the state is
one struct, nothing depends on time or chunks, and whatever is forgotten is chosen by event index alone. Bounds (texts
of the person 600, notes 900, files 600, actions 400, failures 200, names 4,000) keep a snapshot below about 1.5 MiB;
real sessions of 300,000 tokens need some 150 kB. Secrets are redacted before anything is kept.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.actions import Actions
from memcli.ledger.answers import Offer, offer_of
from memcli.ledger.clean import one_line
from memcli.ledger.commits import Commits, whole_files
from memcli.ledger.deeds import Change
from memcli.ledger.files import Files
from memcli.ledger.instructions import Instructions
from memcli.ledger.names import Names, keys_in
from memcli.ledger.narrative import Narrative
from memcli.ledger.outward import Outward
from memcli.ledger.reports import files_in
from memcli.ledger.requests import Requests
from memcli.ledger.shell import TAKES
from memcli.ledger.snapshots import restored
from memcli.ledger.tree import showed, took
from memcli.ledger.turns import Turns
from memcli.ledger.work import NOTHING, Settled, Taken, Work
from memcli.transcript.entries import (
    AssistantText,
    Entry,
    Interrupt,
    Link,
    MachineText,
    Place,
    ToolResult,
    ToolUse,
    TurnEnd,
    UserText,
)

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed
    from memcli.ledger.rounds import Outcome
    from memcli.transcript.entries import AnyPart

VERSION = 8
MAX_COMMITTED = 60  # whole files one commit may add to what is known


class State(msgspec.Struct, array_like=True):
    """Everything a ledger knows. `turn` is the event of the prompt that began the last turn; the last one before it,
    if a command without words did.
    """

    version: int = VERSION
    turn: int = 0
    refused: str = ""  # the call the person refused just now
    asked: list[str] = []  # questions put to the person
    work: Work = msgspec.field(default_factory=Work)
    requests: Requests = msgspec.field(default_factory=Requests)
    narrative: Narrative = msgspec.field(default_factory=Narrative)
    files: Files = msgspec.field(default_factory=Files)
    commits: Commits = msgspec.field(default_factory=Commits)
    actions: Actions = msgspec.field(default_factory=Actions)
    names: Names = msgspec.field(default_factory=Names)
    offer: Offer = msgspec.field(default_factory=Offer)  # what the agent's last text leaves to be answered
    outward: Outward = msgspec.field(default_factory=Outward)
    running: bool = False  # a turn has begun and its last part is no text of the agent
    turns: Turns = msgspec.field(default_factory=Turns)
    instructions: Instructions = msgspec.field(default_factory=Instructions)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)


class Ledger:
    """The fold over the live entries of a transcript, in file order."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()

    @classmethod
    def restore(cls, data: bytes) -> Ledger:
        """The ledger a snapshot was taken of. Raises msgspec.MsgspecError for foreign bytes and other versions."""
        return cls(restored(data, _DECODER, VERSION))

    def snapshot(self) -> bytes:
        """The whole state; equal content gives equal bytes."""
        return _ENCODER.encode(self.state)

    def fold(self, entry: Entry) -> None:
        """Take in one entry, at a cost that grows with its length only. Odd content never raises."""
        for part in entry.parts:
            self.take(part, entry.role)

    def take(self, part: AnyPart, role: str) -> Taken:
        """Take in one part of an entry of that role, and tell what came of it."""
        self.state.work.passed(part)
        # three of four parts; not by `match`, which asks `isinstance`: for a Struct class that is slow to say no
        if type(part) is ToolResult:
            return Taken(self._settled(self.state.work.answered(part)))
        if type(part) is ToolUse:
            return Taken(self._called(part))
        if type(part) is AssistantText:
            return self._said(part)
        match part:
            case UserText():
                self._heard(part)
            case MachineText(text=text):
                self._noticed(text, typed=role == "user")
            case Place():
                self.state.commits.placed(part.cwd, part.branch)
            case Link():
                self.state.commits.linked(part.url, part.label)
            case TurnEnd():
                self.state.narrative.turned()
                self.state.running = False
            case Interrupt():
                self.state.narrative.stopped()
            case _:
                pass
        return NOTHING

    @property
    def now(self) -> int:
        """The event index: how many words, calls and results were folded."""
        return self.state.work.clock

    def _heard(self, part: UserText) -> None:
        state = self.state
        about = state.refused if part.via == "rejection" or (part.via == "prompt" and part.steering) else ""
        state.refused = ""
        if part.via == "answer" and state.asked:
            about = state.asked.pop(0)
        if part.via in ("prompt", "command"):
            self._turned(self.now)
            state.instructions.command = ""
        answers = [] if about else state.offer.answered(part.text[:2000])
        text = state.requests.heard(part, self.now, about, answers)
        state.offer = Offer()
        state.names.person(text, self.now)

    def _noticed(self, text: str, *, typed: bool) -> None:
        """Text of the harness: a command the person ran, its rules, or news of what runs in the background."""
        if typed:
            self._machine_told(text)
        for settled in self.state.work.noticed(text):
            self._settled(settled)

    def _machine_told(self, text: str) -> None:
        """The harness wrote in the user's role: a command without words is a request all the same.

        Such a text is no event, so the turn begins with the next one: the one before it ended the turn before.
        """
        state, following = self.state, self.now + 1
        name = state.requests.command(text, self.now)
        if not name:
            state.instructions.told(text, max(self.now, *state.turns.starts[-1:], 0))
        elif state.requests.ran[-1:] == [(following, name)]:
            self._turned(following)
        if name:
            state.instructions.began(name)

    def _turned(self, first: int) -> None:
        """The person asked for something: a turn begins with the event `first`."""
        state = self.state
        state.narrative.asked()
        state.work.turned()
        state.turn = self.now
        state.turns.began(first)
        state.running = True

    def _said(self, part: AssistantText) -> Taken:
        self.state.instructions.awaited = self.state.refused = ""
        text = self.state.narrative.said(part.text, self.now, part.final)
        self.state.names.agent(text, self.now)
        self.state.work.said(text)
        self.state.requests.replied(text)
        self.state.offer = offer_of(text)
        self.state.running = part.commentary and bool(self.state.turns.starts)  # else: unless a call follows
        return Taken(text=text, offer=self.state.offer)

    def _called(self, part: ToolUse) -> Settled | None:
        state = self.state
        deed, settled = state.work.called(part)
        state.instructions.awaited = state.refused = ""
        state.running = bool(state.turns.starts)
        written = (name for change in deed.changes for name in change.names)
        state.names.called(deed.names, self.now)
        state.names.written(list(dict.fromkeys(written)), self.now)
        if deed.kind == "plan":
            state.narrative.planned(deed.remarks, self.now)
        if deed.kind == "question":
            state.asked = list(deed.items)
        return self._settled(settled)

    def _settled(self, settled: Settled | None) -> Settled | None:
        """A call and its result are both known (or not yet)."""
        if settled is not None and settled.outcome.rejected:
            self.state.refused = one_line(f"{settled.deed.tool} {settled.deed.brief}", 120)
            self.state.requests.refused(self.state.refused, self.now)
        elif settled is not None:
            self._done(settled)
        return settled

    def _done(self, settled: Settled) -> None:
        """A call came back."""
        state, deed, outcome = self.state, settled.deed, settled.outcome
        if not outcome.failed:
            self._changed(deed, outcome)
            if deed.kind in ("shell", "stdin"):
                output = outcome.text[:20_000]
                subjects = [] if settled.running else deed.subjects  # known when the command has ended
                state.commits.printed(output, deed, subjects)
                if deed.git and len(outcome.text) == len(output):
                    showed(state.files, output, deed, state.commits)
                if not settled.running:
                    state.outward.happened(deed.outward, output, deed.index)
                if subjects:
                    self._committed(deed, output)
        if deed.kind in ("shell", "look", "agent", "other") and deed.brief and not settled.running:
            report = state.actions.happened(deed, outcome.failed, outcome.text)
            state.names.written(keys_in(report), self.now)
            if deed.kind == "agent" and not outcome.failed and not deed.looks:
                for became, path in files_in(outcome.text):
                    state.files.told(Change(path, became), deed.index, state.commits.cwd, by="subagent")

    def _committed(self, deed: Deed, output: str) -> None:
        """Whole files git says were created, renamed or deleted, if nothing else told of them (subagents' work)."""
        files, root = self.state.files, self.state.commits.root if self.state.commits.cwd else ""
        known = {posixpath.basename(path) for path in files.written}
        for state, path, source in whole_files(output)[:MAX_COMMITTED]:
            before = files.known.get(files.at(path, root))
            theirs = before is not None and before.reads > 0 and state == "created"  # it was there, git did not know it
            if posixpath.basename(path) not in known and not theirs:
                files.told(Change(path, state, source=source), deed.index, root)

    def _changed(self, deed: Deed, outcome: Outcome) -> None:
        cwd = self.state.commits.cwd
        for change in deed.changes:
            if change.state in TAKES:
                if not deed.subjects:  # else it is not known what stood there when
                    took(self.state.files, change, deed.index, self.state.commits)
                continue
            if change.writes:
                self.state.commits.base.wrote(change.path)
            self.state.files.changed(change, deed, cwd, outcome.created)
        for path in deed.reads:
            self.state.files.read(path, deed, cwd, outcome.text if len(deed.reads) == 1 else "")
        if deed.kind in ("shell", "look"):
            self.state.files.found(outcome.text, deed, cwd)
