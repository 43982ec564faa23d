"""Where a transcript may be cut.

Rules, all of them about what is known so far:

1. A cut never parts a call from its result, the pieces of one message, or an entry from a parent that stands later in
   the file. `Thread.closed` tells when nothing of that kind is pending.
2. A cut stands *before* something new: before a prompt (a turn cut) or before the first piece of another message of
   the agent when its last calls are answered (a round cut). Such a cut is certain at once, for the file itself shows
   that what stood before is complete.
3. The end of the file is a cut only when nothing is pending *and* the file has been quiet longer than the client's
   flush: the caller says so by asking `at_end`. It is a turn cut when the agent spoke last, a round cut when results
   stand last; a prompt that has no answer yet stays behind the cut, for it is what the agent is working on.

Rejected: cutting at any message boundary (a request may not begin with results), and cutting at turns only (a turn
can run for hours). Cuts are named by byte offsets: everything before the offset is covered.
"""

from __future__ import annotations

import msgspec

from memcli.transcript.entries import COMPACTED, TURN_END, Entry

KEPT_CUTS = 64
"""So many turn cuts and so many round cuts are remembered, for `--keep-turns`, `--keep-tokens` and the default tail."""


class Cut(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place where the transcript may be cut.

    `chars` and `messages` are running totals of the live conversation before the offset, so that the difference of
    two cuts is what lies between them.
    """

    offset: int
    turn: bool = False
    chars: int = 0
    messages: int = 0


class BoundaryState(msgspec.Struct):
    """What is remembered between entries."""

    turns: list[Cut] = []
    rounds: list[Cut] = []
    chars: int = 0
    messages: int = 0
    standing: str = ""
    """What stands last in the conversation: "" nothing, "prompt", "words" (steering), "calls", "results", "said"."""
    message_id: str = ""
    stop: str = ""


class Boundaries:
    """Finds the legal cuts of a conversation, entry by entry."""

    def __init__(self, state: BoundaryState | None = None) -> None:
        self.state = state or BoundaryState()
        self.reach = self._reach()
        """Offset of the last cut, -1 without one: most of what comes is tied to nothing before it."""

    def before(self, entry: Entry, closed: bool) -> Cut | None:
        """The cut that `entry` proves to stand right before it, if any. `closed`: nothing was pending before it."""
        state = self.state
        if not closed or not state.messages:
            return None
        if entry.prompts:
            return self._remember(entry.offset, turn=True)
        if entry.signs & COMPACTED:
            return self._remember(entry.offset, turn=False)
        if (
            entry.role == "assistant"
            and state.standing in ("results", "said")
            and (not entry.message_id or entry.message_id != state.message_id)
        ):
            return self._remember(entry.offset, turn=False)
        return None

    def add(self, entry: Entry) -> None:
        """Take note of a live entry."""
        state, role = self.state, entry.role
        if role in ("", "system"):
            if entry.signs & TURN_END and state.standing == "said":
                state.stop = "end_turn"
            return
        state.chars += entry.chars
        state.messages += 1
        if entry.prompts:
            state.standing = "prompt"
        elif entry.calls:
            state.standing = "calls"
        elif entry.results:
            state.standing = "results"
        elif role != "tool":
            state.standing = "said" if role == "assistant" else "words"
        if role == "assistant":
            state.message_id, state.stop = entry.message_id, entry.stop

    def at_end(self, end: int, closed: bool) -> Cut | None:
        """The cut at the end of a quiet file, if it is legal. `end`: offset after the last whole line."""
        if not closed or self.state.standing not in ("results", "said"):
            return None
        if self.state.standing == "said" and self.state.stop == "tool_use":
            return None  # the call that this message announces has not been written yet
        return self._remember(end, turn=self.state.standing == "said")

    def inherited(self, offset: int) -> Cut:
        """The cut up to which the memory at the start of a swapped transcript covers it: it was legal when it was
        made, whatever follows it here.
        """
        return self._remember(offset, turn=False)

    def rewind(self, offset: int) -> None:
        """Forget everything from `offset` on: the conversation went back to the turn that began there. The cut before
        that turn stays.
        """
        cut = next((cut for cut in reversed(self.state.turns) if cut.offset == offset), Cut(offset))
        self.tear(offset)
        self.state.chars, self.state.messages = cut.chars, cut.messages
        self.state.standing, self.state.message_id, self.state.stop = "said", "", ""

    def tear(self, offset: int) -> None:
        """Forget the cuts after `offset`: an entry came that belongs to the one standing there."""
        for cuts in (self.state.turns, self.state.rounds):
            while cuts and cuts[-1].offset > offset:
                cuts.pop()
        self.reach = self._reach()

    def _reach(self) -> int:
        return self.last.offset if self.last else -1

    @property
    def last(self) -> Cut | None:
        """The last legal cut found so far."""
        found = self.state.turns[-1:] + self.state.rounds[-1:]
        return max(found, key=lambda cut: cut.offset, default=None)

    @property
    def oldest(self) -> Cut | None:
        """The first of the remembered cuts."""
        found = self.state.turns[:1] + self.state.rounds[:1]
        return min(found, key=lambda cut: cut.offset, default=None)

    @property
    def cuts(self) -> list[Cut]:
        """The remembered cuts in the order of the file."""
        return sorted(self.state.turns + self.state.rounds, key=lambda cut: cut.offset)

    def _remember(self, offset: int, *, turn: bool) -> Cut:
        """Note a cut. Between two cuts stands at least one message: a later one replaces an equal earlier one."""
        cut = Cut(offset, turn, self.state.chars, self.state.messages)
        for cuts in (self.state.turns, self.state.rounds):
            while cuts and cuts[-1].messages == cut.messages:
                cuts.pop()
        cuts = self.state.turns if turn else self.state.rounds
        cuts.append(cut)
        self.reach = offset
        if len(cuts) > KEPT_CUTS:
            del cuts[0]
        return cut


def tail_cut(
    cuts: list[Cut], boundary: Cut, ratio: float, *, first: Cut, turns: int | None = 1, tokens: int | None = 4_000
) -> Cut:
    """Where the tail of a compaction begins: the covered part that is kept verbatim although the memory covers it.

    The last `turns` turns are kept (None: any number) if what is covered of them fits `tokens` (estimated with
    `ratio` characters a token; None: any number), else the earliest legal cut that does. `turns=0` is the bare swap:
    the boundary itself. `first` is where the conversation begins: nothing before it can be kept.
    """
    if turns == 0:
        return boundary
    known = [first, *(cut for cut in cuts if first.offset < cut.offset < boundary.offset)]
    starts = [first, *(cut for cut in known[1:] if cut.turn)]
    start = starts[-turns] if turns is not None and turns <= len(starts) else first
    room = tokens * ratio if tokens is not None else float("inf")
    kept = [cut for cut in known if cut.offset >= start.offset and boundary.chars - cut.chars <= room]
    return kept[0] if kept else boundary
