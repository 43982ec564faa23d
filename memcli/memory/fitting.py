"""Fitting: facts and prose in one memory, within its budget.

Prose takes its room from the lines that compete for what the facts leave (`budget`), never from the facts: whatever
fact that must stay is in the memory without prose is in the memory with it. What has no room goes item by item: each
section is sure of its part, sections are served by priority, and of a block its first item (it says what the block is
about) and then the newest stay longest. Prose that fits is not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.ledger import Ledger
from memcli.memory.document import PROSE_MARK, Document, escaped
from memcli.memory.jobs import Result
from memcli.memory.prose import canonical, items
from memcli.memory.render import render
from memcli.memory.sections import CHARS_PER_TOKEN, PROSE_SECTIONS, PROSE_SHARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.memory.budget import Room
    from memcli.memory.jobs import Job

MOST_OF_ROOM = 0.6
"""Part of the room left by the facts that prose may take: the rest is for lines that tell of names in few words."""

_FRAME = len(PROSE_MARK) + 2  # the mark and two line ends


def fitted(
    ledger: Ledger, budget: int, pins: tuple[str, ...] = (), opaque: str = "", prose: Mapping[str, str] | None = None
) -> Document:
    """The memory rendered from a ledger (see `render`) with as much of the prose as its share of `budget` holds."""
    standing: dict[str, str] = {}
    document = render(ledger, budget, pins, opaque, lambda room: standing.update(_standing(prose or {}, room, budget)))
    blocks = (msgspec.structs.replace(block, prose=standing.get(block.name, "")) for block in document.blocks)
    return msgspec.structs.replace(document, blocks=tuple(blocks))


def rendered(job: Job, prose: Mapping[str, str] | None = None) -> Result:
    """The answer to a job without a model: fresh facts, and the prose as it stands (or `prose` in its place)."""
    standing = job.prose if prose is None else prose
    document = fitted(Ledger.restore(job.ledger), job.budget, job.pins, job.opaque, standing)
    return Result(
        job.job,
        {block.name: block.ledger for block in document.blocks},
        prose={block.name: block.prose for block in document.blocks if block.prose},
    )


def shortened(prose: Mapping[str, str], room: int, words: Mapping[str, int] | None = None) -> dict[str, str]:
    """The prose in at most `room` characters with its marks, and in each section at most so many words."""
    blocks = {section.name: block for section in PROSE_SECTIONS if (block := canonical(prose.get(section.name, "")))}
    room -= _FRAME * len(blocks)
    chosen = _Chosen(blocks, words or {})
    if sum(_cost(block) for block in blocks.values()) <= room and all(map(chosen.holds, blocks)):
        return blocks
    served = sorted((section for section in PROSE_SECTIONS if section.name in blocks), key=lambda one: one.priority)
    sure = {section.name: int(room * section.prose) for section in served}
    left = room - sum(chosen.take(name, limit) for name, limit in sure.items())
    for section in served:
        left -= chosen.take(section.name, left)
    return chosen.blocks()


def _standing(prose: Mapping[str, str], room: Room, budget: int) -> dict[str, str]:
    """What of the prose stands; its characters and words are taken from the room."""
    limit = min(int(room.chars * MOST_OF_ROOM), int(budget * CHARS_PER_TOKEN * PROSE_SHARE))
    words = {section.name: room.limit - room.words.get(section.name, 0) for section in PROSE_SECTIONS}
    standing = shortened(prose, limit, words)
    for name, block in standing.items():
        room.chars -= _cost(block) + _FRAME
        room.words[name] = room.words.get(name, 0) + len(block.split())
    return standing


class _Chosen:
    """The items of each block that stand so far; `words` are those that a section has room for."""

    def __init__(self, prose: Mapping[str, str], words: Mapping[str, int]) -> None:
        self.items = {name: items(block) for name, block in prose.items()}
        self.words = {name: words[name] for name in prose if name in words}
        self.kept: dict[str, set[int]] = {name: set() for name in prose}

    def holds(self, name: str) -> bool:
        """True if the section has words enough for its whole block."""
        return name not in self.words or sum(len(item.split()) for item in self.items[name]) <= self.words[name]

    def take(self, name: str, room: int) -> int:
        """Take items of a block, as many as `room` characters hold. Returns the characters they take."""
        mine, left = self.items[name], room
        for place in [0, *range(len(mine) - 1, 0, -1)]:
            cost, words = _cost(mine[place]), len(mine[place].split())
            if place not in self.kept[name] and cost <= left and words <= self.words.get(name, words):
                self.kept[name].add(place)
                left -= cost
                if name in self.words:
                    self.words[name] -= words
        return room - left

    def blocks(self) -> dict[str, str]:
        """The blocks of the items that stand, in their order."""
        joined = {name: "".join(mine[place] for place in sorted(self.kept[name])) for name, mine in self.items.items()}
        return {name: block for name, text in joined.items() if (block := canonical(text))}


def _cost(text: str) -> int:
    """Characters in the Markdown, where a line that looks like a mark of ours gets a backslash."""
    return len(escaped(text)) + len(text) - len(text.strip("\n"))
