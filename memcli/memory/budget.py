"""Budget: which lines a memory of a given size holds.

Two rounds. *Facts that must stay* come first, section by section in the order of priority, each up to its share. Then
*telling lines* compete for what is left: the line that adds most weight of names not yet explained, for its
length, is taken until nothing fits (lazy greedy on a submodular gain, Lin and Bilmes 2010); a line much like a chosen
one is passed over. A line can extend another: it is then appended to that line instead of standing alone.
"""

from __future__ import annotations

import heapq
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import ELISION
from memcli.ledger.names import keys_in, words_in
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ALIKE = 0.6  # share of common words from which a line repeats another
NAMED = 0.6  # part of a name's weight that is earned by naming it, the rest by explaining it
WORTH = 0.5  # what a line's own worth weighs against names
UNUSED = 0.15  # weight of a name that only outputs hold
SMALLEST = 40  # characters too few for any line
KNOWN = 2048
"""Lines that are remembered with what stands in them: those of some renderings at a time. A line may have kilobytes."""

BEGINNING = 40  # characters from which on a sentence is known again
_LEADING = pattern(r"^- (?:\[t\d+\] )?(?:\[x\] )?(?:found: |agent: )?\"?")

MIN_CONTEXT = 4  # ordinary words that make a line explain the names on it


class Line(msgspec.Struct, eq=False):
    """One candidate: where it belongs, its text, its place in the order, what it is worth besides its names."""

    section: str
    group: str
    text: str
    order: float
    worth: float = 0.0
    extends: Line | None = None
    spill: tuple[str, str] | None = None  # section and group to stand in when its own section is full
    parts: list[str] = []

    @property
    def full(self) -> str:
        """The line with what was appended to it."""
        return self.text + "".join(self.parts)


Groups = list[tuple[list[Line], int]]
"""Groups of lines in the order in which they should be served, each with the characters it may take."""


class Room:
    """Characters and words that are left, in all and in each section."""

    def __init__(self, chars: int, words_per_section: int) -> None:
        self.chars = chars
        self.limit = words_per_section
        self.words: dict[str, int] = {}
        self.groups: set[tuple[str, str]] = set()
        self.caps: dict[str, int] = {}  # characters left to groups that may not take more

    def cost(self, line: Line) -> int:
        """Characters a line would take: its line end, and the label of its group if it is the first there."""
        if line.extends:
            return len(line.text)
        return len(line.text) + 1 + (0 if (line.section, line.group) in self.groups else len(line.group) + 2)

    def take(self, line: Line, chars: int | None = None) -> bool:
        """Take a line if it fits in the room (and in `chars`, if given)."""
        words = len(line.text.split())
        if line.spill and self._words(line, words) > self.limit:
            line.section, line.group = line.spill
        cost, used = self.cost(line), self._words(line, words)
        room = min(self.chars, self.caps.get(line.group, self.chars), self.chars if chars is None else chars)
        if cost > room or used > self.limit:
            return False
        self.chars -= cost
        if line.group in self.caps:
            self.caps[line.group] -= cost
        self.words[line.section] = used
        self.groups.add((line.section, line.group))
        if line.extends:
            line.extends.parts.append(line.text)
        return True

    def _words(self, line: Line, words: int) -> int:
        """Words of the line's section once it holds the line too."""
        label = 0 if line.extends or (line.section, line.group) in self.groups else len(line.group.split())
        return self.words.get(line.section, 0) + label + words


def take_all(room: Room, lines: Iterable[Line], share: int) -> list[Line]:
    """The lines that fit in a share of the room, in the order given; what is too long is passed over."""
    start = room.chars
    return [line for line in lines if room.take(line, share - (start - room.chars))]


def fair_limit(lengths: Sequence[int], room: int) -> int:
    """The longest length to which all may be cut so that together they fit: short ones stay whole."""
    left = room
    for done, length in enumerate(sorted(lengths)):
        rest = len(lengths) - done
        if length * rest > left:
            return max(0, left // rest)
        left -= length
    return max(lengths, default=0)


class Coverage:
    """What the chosen lines already say about names: named at all, and explained."""

    def __init__(self, weights: Mapping[str, float], chosen: Iterable[Line]) -> None:
        self.weights = weights
        self.named: set[str] = set()
        self.explained: set[str] = set()
        for line in chosen:
            self.add(line.full)

    def add(self, text: str) -> None:
        """A line with this text was chosen."""
        self.named.update(_keys(text))
        if explains(text):
            self.explained.update(_keys(text))

    def gain(self, line: Line) -> float:
        """What a line would add for each character it takes."""
        text = line.extends.full + line.text if line.extends else line.text
        telling = explains(text)
        value = WORTH * line.worth if telling else 0.0
        for key in _keys(text):
            weight = self.weights.get(key, UNUSED)
            value += weight * NAMED * (key not in self.named)
            value += weight * (1 - NAMED) * (telling and key not in self.explained)
        return value / (len(line.text) + 12)


class Told:
    """Sentences that stand, by which the same one is known again: cut or whole, quoted or not."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.known: dict[str, list[str]] = {}
        for text in texts:
            self.new(text)

    def new(self, text: str) -> bool:
        """True if a line tells no sentence that stands already; it stands from now on."""
        words = _LEADING.sub("", text).split(ELISION, 1)[0].strip(' ".:')
        alike = self.known.setdefault(words[:BEGINNING], [])
        if any(words.startswith(other) or other.startswith(words) for other in alike):
            return False
        alike.append(words)
        return True


def take_telling(room: Room, pool: Iterable[Line], weights: Mapping[str, float], chosen: list[Line]) -> list[Line]:
    """The lines of the pool that tell most for their length; `chosen` is what stands already.

    Lines that repeat a chosen one come last, if there is room for them at all; the same sentence, cut or whole, never.
    """
    coverage = Coverage(weights, chosen)
    heap = [(-coverage.gain(line), number, line) for number, line in enumerate(pool)]
    heapq.heapify(heap)
    taken: list[Line] = []
    repeating: list[Line] = []
    words = [_word_set(line.text) for line in chosen]
    while heap and room.chars > SMALLEST:
        before, number, line = heapq.heappop(heap)
        gain = coverage.gain(line)
        if gain < -before and heap and gain < -heap[0][0]:
            heapq.heappush(heap, (-gain, number, line))  # others tell more by now
            continue
        mine = _word_set(line.text)
        if gain <= 0 or (not line.extends and any(_alike(mine, other) for other in words)):
            repeating.append(line)
        elif room.take(line):
            coverage.add(line.extends.full if line.extends else line.text)
            words.append(mine)
            taken.append(line)
    told = Told(line.text for line in (*chosen, *taken) if not line.extends)
    return taken + take_all(
        room, [line for line in repeating if explains(line.text) and told.new(line.text)], room.chars
    )


def explains(text: str) -> bool:
    """True if a line says something about the names on it."""
    names = len(_keys(text))
    return len(_words(text)) >= max(MIN_CONTEXT, names) and names <= 6


@lru_cache(maxsize=KNOWN)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(keys_in(text))


@lru_cache(maxsize=KNOWN)
def _words(text: str) -> tuple[str, ...]:
    return tuple(words_in(text))


@lru_cache(maxsize=KNOWN)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    common = len(one & other)
    return common > ALIKE * min(len(one), len(other)) and len(one) > 3 and len(other) > 3
