"""Which entries of a file are the conversation, and what is still open in it.

A transcript is a log, not the conversation: records are appended again (same id, other time), prompts are edited or
resent (two prompts with one parent), whole turns are rolled back, a tree switches its branch. `Thread.place` takes
the entries in file order and says of each whether it lives, and from where on the file must be read anew because
something before it died or lives again. Links between siblings of parallel calls are no branches: every line stays.

The thread also knows what is unfinished (calls without result, results without call, parents named but not seen), so
that a cut can be made where nothing is torn: `closed`, and `Verdict.tied` for cuts that were made earlier.

    place(entry) ── copy of a seen id ─────────────► not live
                 ├─ prompt with a live sibling ────► live; older sibling to here is dead   (Claude Code)
                 ├─ turns rolled back ─────────────► live; start of those turns to here is dead   (Codex)
                 ├─ parent is not the last leaf ───► live; all that is not on its path is dead   (pi v3)
                 └─ else ──────────────────────────► live

When the file was read before and its dead ranges are known, the entries in them go to `recall` instead.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from memcli.transcript.entries import ROLLED_BACK, RolledBack
from memcli.transcript.formats.records import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memcli.transcript.entries import Entry

Range: TypeAlias = tuple[int, int]
K = TypeVar("K")
V = TypeVar("V")

_IDS = 200_000  # ids remembered; a copy of a record that is older than that is taken for a new record
_TURNS = 1_024  # turn starts and sibling prompts remembered; a rewind beyond them drops no more than these
_OPEN = 4_096  # unanswered calls, waiting results, awaited parents
_MESSAGES = 64  # API messages whose parts may still come; parts stand a few records apart
_PATIENCE = 32  # entries after which a parent that was named and never came is given up
_LONG = 64  # characters; the ids of all clients seen are shorter
_REDACTED = "REDACTED"  # redaction tools put it in the place of ids, so it can name several records
_NO_OFFSET = -1


class Node(msgspec.Struct, array_like=True, gc=False):
    """A seen entry of a tree: its span and the key of its parent."""

    offset: int
    end: int
    parent: str


_SEEN = Node(0, 0, "")


class State(msgspec.Struct):
    """Everything the thread remembers; bounded. `tree`: the last line decides which branch lives (pi)."""

    tree: bool = False
    entries: int = 0
    seen: int = 0
    """Ids ever remembered in `nodes`."""
    nodes: dict[str, Node] = {}
    leaf: str = ""
    dead: list[Range] = []
    turns: list[int] = []
    siblings: dict[str, int] = {}
    open: dict[str, int] = {}
    early: dict[str, tuple[int, int]] = {}
    awaited: dict[str, tuple[int, int]] = {}
    messages: dict[str, int] = {}
    problems: dict[str, int] = {}


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What an entry means for the conversation.

    `live` is False for a copy. `rewind` is the byte offset from which on the conversation is another one than before
    (the entry itself is not counted), or -1: fold again from there, without the ranges in `Thread.dead`.
    `tied` is the offset of the first entry that this one belongs to (the call of a result, the first part of its API
    message, a line that named it as its parent before it came); a cut between the two tears them apart.
    `abandoned` are calls that are given up by this entry.
    """

    live: bool = True
    rewind: int = _NO_OFFSET
    tied: int = 0
    abandoned: tuple[str, ...] = ()


class Thread:
    """Follows one transcript. `state` may be saved after any entry and given to a new thread."""

    def __init__(self, state: State | None = None, tree: bool = False) -> None:
        self.state = state or State(tree=tree)

    @property
    def closed(self) -> bool:
        """True if no call waits for its result, no result for its call, no entry for its parent."""
        return not (self.state.open or self.state.early or self.state.awaited)

    @property
    def open_calls(self) -> tuple[str, ...]:
        """Ids of the calls without a result, oldest first."""
        return tuple(self.state.open)

    @property
    def dead(self) -> tuple[Range, ...]:
        """Byte ranges (half-open, ascending) whose entries are not part of the conversation."""
        return tuple(self.state.dead)

    @property
    def problems(self) -> dict[str, int]:
        """How often the file was no plain conversation, by name."""
        return self.state.problems

    def place(self, entry: Entry) -> Verdict:
        """Takes the next entry of the file."""
        state, offset, key, parent = self.state, entry.offset, entry.id, entry.parent
        nodes = state.nodes
        if key:
            if len(key) > _LONG or _REDACTED in key:
                key = _key(key)
            if key in nodes:
                count(self.problems, "copies")
                return Verdict(live=False, tied=offset)
        if parent and parent != state.leaf:
            parent = _key(parent)
        state.entries += 1
        prompts, rewind = entry.prompts, _NO_OFFSET
        if state.tree or entry.signs & ROLLED_BACK or (prompts and parent):
            rewind = self._rewind(entry, key, parent)
        tied = self._arrive(entry, key) if state.awaited else offset
        if (message := entry.message_id) and (first := self._continue(message, offset)) < tied:
            tied = first
        if (calls := entry.calls) and (first := self._call(calls, offset)) < tied:
            tied = first
        if (results := entry.results) and (first := self._answer(results, offset)) < tied:
            tied = first
        abandoned = self._turn(entry, parent) if prompts else ()
        if state.awaited or state.early or (parent and parent not in nodes):
            self._expect(entry, parent)
        if key:
            self._see(entry, key, parent)
            state.leaf = key
        return Verdict(True, rewind, tied, abandoned)

    def remembered(self, after: int) -> bytes:
        """The ids that came after the first `after` ones, for a log that is only appended to (`recollect`)."""
        nodes = self.state.nodes
        fresh = list(islice(reversed(nodes.items()), max(0, self.state.seen - after)))[::-1]
        if not self.state.tree:
            return msgspec.msgpack.encode([key for key, _ in fresh])
        return msgspec.msgpack.encode([(key, node.offset, node.end, node.parent) for key, node in fresh])

    def recollect(self, parts: Iterable[bytes], known: int) -> None:
        """Take back the ids that were `remembered`, part by part, `known` in all: those of this state, and maybe later
        ones. Raises ValueError if some are missing.
        """
        nodes: dict[str, Node] = {}
        for part in parts:
            if self.state.tree:
                told = msgspec.msgpack.decode(part, type=list[tuple[str, int, int, str]])
                nodes.update((key, Node(offset, end, parent)) for key, offset, end, parent in told)
            else:
                nodes.update((key, _SEEN) for key in msgspec.msgpack.decode(part, type=list[str]))
        later = known - self.state.seen
        if later < 0 or len(nodes) < min(self.state.seen, _IDS) + later:
            raise ValueError("ids are missing")
        for _ in range(later):
            nodes.popitem()
        _limit(nodes, _IDS)
        self.state.nodes = nodes

    def pass_by(self) -> None:
        """Takes the next entry of the file, which has no id and says nothing."""
        self.state.entries += 1
        if self.state.early or self.state.awaited:
            self._give_up_all()

    def recall(self, entry: Entry) -> None:
        """Takes the next entry of the file, of which is known that it is dead: one that was in `State.dead` at first.

        It is remembered by its id only, so that its copies are known and a tree can return to its branch.
        """
        key = _key(entry.id)
        if key and key not in self.state.nodes:
            self._see(entry, key, _key(entry.parent))

    def _see(self, entry: Entry, key: str, parent: str) -> None:
        # only a tree needs more of a seen entry than that it was seen
        nodes = self.state.nodes
        nodes[key] = Node(entry.offset, entry.end, parent) if self.state.tree else _SEEN
        self.state.seen += 1
        if len(nodes) > _IDS:
            _limit(nodes, _IDS)

    def _rewind(self, entry: Entry, key: str, parent: str) -> int:
        start = self._turned(entry, key, parent)
        if start != _NO_OFFSET:
            count(self.problems, "rewinds")
        return start

    def _turned(self, entry: Entry, key: str, parent: str) -> int:
        for part in entry.parts:
            if isinstance(part, RolledBack):
                return self._roll_back(part.turns, entry.offset)
        if self.state.tree:
            return self._switch(entry, parent) if key and parent != self.state.leaf else _NO_OFFSET
        older = self.state.siblings.get(parent, _NO_OFFSET)
        return self._kill(older, entry.offset) if older != _NO_OFFSET else _NO_OFFSET

    def _roll_back(self, turns: int, here: int) -> int:
        # a thread that was given its dead ranges in advance has not seen the turns of this one
        if turns < 1 or not self.state.turns or any(end == here for _, end in self.state.dead):
            return _NO_OFFSET
        return self._kill(self.state.turns[-turns:][0], here)

    def _switch(self, entry: Entry, parent: str) -> int:
        """A tree goes on elsewhere than at its last leaf."""
        node = self.state.nodes.get(parent)
        if parent and node is None:
            return _NO_OFFSET  # the beginning of the file is missing
        start = node.end if node else self._first()
        if node and self._is_dead(node.offset):
            return self._revive(entry, parent)
        return self._kill(start, entry.offset) if start < entry.offset else _NO_OFFSET

    def _revive(self, entry: Entry, parent: str) -> int:
        """A tree goes back to a branch it had left: what lives is the path from the root, all else is dead."""
        before, self.state.dead = self.state.dead, []
        position = self._first()
        for node in [*self._path(parent), Node(entry.offset, entry.end, "")]:
            if position < node.offset:
                self.state.dead.append((position, node.offset))
            position = node.end
        start = min(edge for pair in set(before) ^ set(self.state.dead) for edge in pair)
        self._forget(start)
        return start

    def _path(self, key: str) -> list[Node]:
        path: list[Node] = []
        while node := self.state.nodes.get(key):
            if path and node.offset >= path[-1].offset:
                break  # a parent stands before its child; anything else would walk in circles
            path.append(node)
            key = node.parent
        return path[::-1]

    def _first(self) -> int:
        return next(iter(self.state.nodes.values())).offset if self.state.nodes else 0

    def _is_dead(self, offset: int) -> bool:
        index = bisect_right(self.state.dead, offset, key=lambda pair: pair[0]) - 1
        return index >= 0 and offset < self.state.dead[index][1]

    def _kill(self, start: int, end: int) -> int:
        first, last, apart = start, end, []
        for other in self.state.dead:
            if other[1] < start or other[0] > end:
                apart.append(other)
            else:
                first, last = min(first, other[0]), max(last, other[1])
        self.state.dead = sorted([*apart, (first, last)])
        self._forget(start)
        return start

    def _forget(self, start: int) -> None:
        """What began at `start` or later is not awaited any more."""
        state = self.state
        state.turns = [offset for offset in state.turns if offset < start]
        state.siblings = {key: offset for key, offset in state.siblings.items() if offset < start}
        state.open = {call: offset for call, offset in state.open.items() if offset < start}
        state.early = {call: seen for call, seen in state.early.items() if seen[0] < start}
        state.awaited = {key: seen for key, seen in state.awaited.items() if seen[0] < start}
        state.messages = {name: offset for name, offset in state.messages.items() if offset < start}

    def _arrive(self, entry: Entry, key: str) -> int:
        """Offset of the first line that named this entry before it came, else its own."""
        offset, _ = self.state.awaited.pop(key, (entry.offset, 0))
        return min(offset, entry.offset)

    def _expect(self, entry: Entry, parent: str) -> None:
        state = self.state
        if parent and parent not in state.nodes and entry.role in ("user", "assistant"):
            state.awaited.setdefault(parent, (entry.offset, state.entries))
        self._give_up_all()

    def _give_up_all(self) -> None:
        self._give_up(self.state.awaited, "missing parents")
        self._give_up(self.state.early, "results without a call")

    def _give_up(self, waiting: dict[K, tuple[int, int]], problem: str) -> None:
        for key in [key for key, (_, since) in waiting.items() if self.state.entries - since > _PATIENCE]:
            del waiting[key]
            count(self.problems, problem)

    def _continue(self, message: str, offset: int) -> int:
        """Offset of the first part of an API message of which a part stands at `offset`."""
        messages = self.state.messages
        first = messages.setdefault(message, offset)
        if len(messages) > _MESSAGES:
            del messages[next(iter(messages))]
        return first

    def _call(self, calls: tuple[str, ...], offset: int) -> int:
        """Offset of the earliest result of the calls at `offset` that came before them, else their own."""
        state, tied = self.state, offset
        for call in calls:
            if call in state.early:
                tied = min(tied, state.early.pop(call)[0])
            elif call and _REDACTED not in call:
                state.open[call] = offset
        if len(state.open) > _OPEN:
            _limit(state.open, _OPEN)
        return tied

    def _answer(self, results: tuple[str, ...], offset: int) -> int:
        """Offset of the earliest call that is answered at `offset`, else that itself."""
        state, tied = self.state, offset
        for call in results:
            if (asked := state.open.pop(call, _NO_OFFSET)) != _NO_OFFSET:
                tied = min(tied, asked)
            elif call and _REDACTED not in call:
                state.early[call] = (offset, state.entries)
        if len(state.early) > _OPEN:
            _limit(state.early, _OPEN)
        return tied

    def _turn(self, entry: Entry, parent: str) -> tuple[str, ...]:
        """A prompt begins a turn; calls still open are given up and returned."""
        state = self.state
        abandoned = tuple(call for call, offset in state.open.items() if offset != entry.offset)
        for call in abandoned:
            del state.open[call]
            count(self.problems, "abandoned calls")
        state.turns.append(entry.offset)
        if len(state.turns) > _TURNS:
            del state.turns[0]
        if parent and not state.tree:
            state.siblings[parent] = entry.offset
            _limit(state.siblings, _TURNS)
        return abandoned


def _key(identity: str) -> str:
    """What is remembered of an id: itself, 16 digits for a long one, nothing for a missing or redacted one."""
    if _REDACTED in identity:
        return ""
    if len(identity) > _LONG:
        return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return identity


def _limit(known: dict[K, V], limit: int) -> None:
    while len(known) > limit:
        del known[next(iter(known))]
