"""Present: the small fold at the end of a transcript, from which Current State is written.

It knows only now: the last words of both sides, calls under way, what fails, what is in progress. It is folded beyond
the last legal boundary, so it must be cheap to copy and bounded by constants. Where a ledger takes in the same entries
at the same time (`fold`), both share one `Work`, and the present only follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.answers import Offer, offer_of
from memcli.ledger.clean import bounded, clean, clip, identity, one_line
from memcli.ledger.commits import branch_in
from memcli.ledger.pasted import without_logs
from memcli.ledger.requests import command_in
from memcli.ledger.root import Root
from memcli.ledger.snapshots import restored
from memcli.ledger.work import NOTHING, Settled, Taken, Work
from memcli.transcript.entries import (
    AssistantText,
    Entry,
    Interrupt,
    MachineText,
    Place,
    ToolResult,
    ToolUse,
    TurnEnd,
    UserText,
)

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed
    from memcli.transcript.entries import AnyPart

VERSION = 5
LATEST = 6
BRANCH_SCAN = 20_000  # characters of an output in which git may name a branch
EARLIER = 2  # jobs of earlier turns
STALE = 8  # turns after which a job of which nobody spoke is taken for ended
ADDED, ADDED_LIMIT = 2, 400  # words of the person that add to the request, and characters of each

_ENDED = {"read": "read", "edit": "changed", "patch": "changed", "write": "written", "agent": "answered"}


class Call(msgspec.Struct, array_like=True):
    """A call that came back, in one line; `ended` says how it went."""

    brief: str
    why: str
    ended: str


class Now(msgspec.Struct, array_like=True):
    """Everything `Present` knows. `turn` is the event with which the last turn began, as the ledger counts it, `before`
    that of the turn before.
    """

    version: int = VERSION
    turn: int = 0
    before: int = 0
    request: str = ""
    said: str = ""
    branch: str = ""
    base: Root = msgspec.field(default_factory=Root)
    interrupted: bool = False
    latest: list[Call] = []
    work: Work = msgspec.field(default_factory=Work)
    offer: Offer = msgspec.field(default_factory=Offer)  # what the agent's last text leaves to be answered
    answers: list[str] = []  # what the last request answers
    command: str = ""  # the slash command with which the last request was made
    worded: bool = False  # it had words
    over: bool = False  # the turn has ended: the agent had the last word
    added: list[str] = []  # what the person said in the turn after the request


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Now)


class Present:
    """The fold over the live entries of a transcript up to its end."""

    def __init__(self, state: Now | None = None) -> None:
        self.state = state or Now()

    @classmethod
    def restore(cls, data: bytes, work: Work | None = None) -> Present:
        """The fold a snapshot was taken of; `work` is that of a bare one. Raises msgspec.MsgspecError for foreign bytes
        and other versions.
        """
        state = restored(data, _DECODER, VERSION)
        state.work = work or state.work
        return cls(state)

    def snapshot(self, *, bare: bool = False) -> bytes:
        """The whole state; equal content gives equal bytes. `bare`: without the work, which then is kept elsewhere."""
        return _ENCODER.encode(msgspec.structs.replace(self.state, work=Work()) if bare else self.state)

    def fold(self, entry: Entry) -> None:
        """Take in one entry. Odd content never raises."""
        for part in entry.parts:
            self.state.work.passed(part)
            match part:
                case AssistantText():
                    text = clean(part.text, head=9000, tail=3000)
                    self.state.work.said(text)
                    self.follow(part, entry.role, Taken(text=text, offer=offer_of(text)))
                case ToolUse():
                    self.follow(part, entry.role, Taken(self.state.work.called(part)[1]))
                case ToolResult():
                    self.follow(part, entry.role, Taken(self.state.work.answered(part)))
                case _:
                    if self.follow(part, entry.role):
                        self.state.work.turned()
                    if isinstance(part, MachineText):
                        self.state.work.noticed(part.text)

    def follow(self, part: AnyPart, role: str, taken: Taken = NOTHING) -> bool:
        """Take in a part of which the work is known already. True if a turn begins with it."""
        if type(part) is ToolUse or type(part) is ToolResult:
            self.state.over = False
            self._settled(taken.settled)
            return False
        match part:
            case AssistantText():
                self.state.said = one_line(bounded(taken.text, 1200, 800))
                self.state.offer = taken.offer
                self.state.over = not part.commentary
            case TurnEnd():
                self.state.over = True
            case UserText():
                return self._heard(part)
            case MachineText():
                return self._ran(command_in(part.text) if role == "user" else "")
            case Interrupt():
                self.state.interrupted = True
            case Place():
                self.state.branch = identity(clean(part.branch)) or self.state.branch
                self.state.base.stands(part.cwd)
            case _:
                pass
        return False

    def _heard(self, part: UserText) -> bool:
        """New words of the person; a prompt begins a turn, all others add to it."""
        words = one_line(without_logs(clean(part.text, head=1500, tail=700)))
        answers, self.state.offer = self.state.offer.answered(part.text[:2000]), Offer()
        if part.via not in ("prompt", "command") and (self.state.request or self.state.command):
            self.state.added = [*self.state.added, *([one_line(words, ADDED_LIMIT)] if words else [])][-ADDED:]
            return False
        self.state.answers, self.state.request = answers, words
        self.state.command, self.state.worded = "", part.via == "command" and bool(self.state.request)
        return part.via in ("prompt", "command") and self._turned()

    def _ran(self, name: str) -> bool:
        """The person ran a command: without words, which were heard just before, it is a request of its own."""
        alone = bool(name) and not (self.state.worded and self.state.turn == self.state.work.clock)
        if alone:
            self.state.request, self.state.worded, self.state.answers = "", False, []
            self._turned()
        self.state.command = name or self.state.command
        return alone

    def _turned(self) -> bool:
        self.state.before, self.state.turn = self.state.turn, self.state.work.clock
        self.state.interrupted = self.state.over = False
        self.state.latest, self.state.added = [], []
        return True

    def _settled(self, settled: Settled | None) -> None:
        if settled and not (settled.outcome.rejected or settled.running or settled.deed.kind == "todo"):
            deed, outcome = settled.deed, settled.outcome
            if not outcome.failed:
                self._worked(deed, outcome.text)
            self.state.latest.append(
                Call(one_line(deed.brief, 160) or deed.tool, clip(deed.why, 120), _ended(deed, outcome.failed))
            )
            del self.state.latest[:-LATEST]

    def _worked(self, deed: Deed, output: str) -> None:
        """A call succeeded: it may tell where the work is."""
        for change in deed.changes:
            if change.writes:
                self.state.base.wrote(change.path)
        if deed.kind == "shell":
            self.state.branch = branch_in(output[:BRANCH_SCAN], deed.git) or self.state.branch

    @property
    def root(self) -> str:
        """The project's root, "" if it is not known."""
        return self.state.base.path

    @property
    def running(self) -> dict[str, Deed]:
        """What runs in the background, by id, newest first: all of this turn, a few of earlier ones.

        A job whose end is told only to who asks, and for which nobody asked for two turns, is taken for ended; so is
        any other after `STALE` turns.
        """
        shown: dict[str, Deed] = {}
        earlier = 0
        for name, job in reversed(self.state.work.background.running.items()):
            of_turn = job.deed.index >= self.state.turn
            if self.state.work.now.turns - job.turn > STALE:
                continue
            earlier += not of_turn
            if of_turn or (earlier <= EARLIER and (job.deed.index >= self.state.before or not job.silent)):
                shown[name] = job.deed
        return shown

    @property
    def open(self) -> list[Deed]:
        """Calls of this turn without a result, oldest first; older ones were given up."""
        return [deed for deed in self.state.work.rounds.open.values() if deed.index >= self.state.turn]


def _ended(deed: Deed, failed: bool) -> str:
    """How a call went: a look-up without a find is no failure."""
    if failed:
        return "found nothing" if deed.kind == "look" or (deed.kind == "shell" and deed.looks) else "failed"
    return _ENDED.get(deed.kind, "worked")
