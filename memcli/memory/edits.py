"""What the user changed in the Markdown by hand, as lines, and how the next memory honours it.

A memory is rendered anew each time, so an edit is kept as what it means: lines that were added stand again, under a
label of their own at the top of their section; lines that were struck out are left out when they come back. Current
State is no place to keep anything: it is written at every append, and its lines are not taken for the user's.
"""

from __future__ import annotations

import msgspec

from memcli.memory.document import EMPTY, Block, Document, parse
from memcli.memory.sections import CHARS_PER_TOKEN

LABEL = "Written by the user into this memory:"
STRUCK = "struck out"
SHARE = 0.25
"""Part of the budget that hand edits may take."""

KEPT_LINES = 400
"""Lines remembered of each kind; the oldest go first. The whole text of each edit stays in the sidecar."""


class Edits(msgspec.Struct, frozen=True):
    """All edits so far: (section, line) pairs that were added, and lines that were struck out."""

    added: tuple[tuple[str, str], ...] = ()
    struck: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.struck)


def taken_in(edits: Edits, published: str, edited: str) -> Edits:
    """The edits with those that turned the text `published` into `edited`."""
    before, after = _lines(parse(published)), _lines(parse(edited))
    old, new = set(before), set(after)
    struck = [line for section, line in before if (section, line) not in new]
    added = [pair for pair in edits.added if pair[1] not in struck]
    added += [pair for pair in after if pair not in old and pair not in added]
    removed = [line for line in edits.struck if line not in {line for _, line in after}]
    removed += [line for line in struck if line not in removed and not any(line == mine for _, mine in edits.added)]
    return Edits(tuple(added[-KEPT_LINES:]), tuple(removed[-KEPT_LINES:]))


def to_record(edits: Edits) -> dict[str, str]:
    """The edits as a generation keeps them: the lines of each section, and those struck out under `STRUCK`."""
    sections = dict.fromkeys(section for section, _ in edits.added)
    record = {name: "\n".join(line for section, line in edits.added if section == name) for name in sections}
    return {**record, STRUCK: "\n".join(edits.struck)} if edits.struck else record


def from_record(record: dict[str, str]) -> Edits:
    """The edits that `to_record` wrote."""
    added = [(name, line) for name, text in record.items() if name != STRUCK for line in text.split("\n")]
    return Edits(tuple(added), tuple(record.get(STRUCK, "").split("\n")) if STRUCK in record else ())


def budget_left(edits: Edits, budget: int) -> int:
    """The budget for the ledger's lines, in tokens, when the edits stand too."""
    chars = sum(len(line) + 1 for line in _standing(edits, budget).values())
    return budget - -(-chars // CHARS_PER_TOKEN)


def with_edits(document: Document, edits: Edits, budget: int) -> Document:
    """The document with the user's lines, and without those the user struck out."""
    if not edits:
        return document
    standing = _standing(edits, budget)
    return msgspec.structs.replace(
        document, blocks=tuple(_edited(block, edits.struck, standing.get(block.name, "")) for block in document.blocks)
    )


def _edited(block: Block, struck: tuple[str, ...], mine: str) -> Block:
    kept = "\n".join(line for line in block.ledger.split("\n") if line not in struck)
    return msgspec.structs.replace(block, ledger="\n".join(part for part in (mine, kept) if part))


def _standing(edits: Edits, budget: int) -> dict[str, str]:
    """The text that each section begins with. The newest lines stand; what has no room is counted, not hidden."""
    room = int(budget * CHARS_PER_TOKEN * SHARE)
    fits: list[tuple[str, str]] = []
    for section, line in reversed(edits.added):
        cost = len(line) + 1 + (0 if any(section == known for known, _ in fits) else len(LABEL) + 80)
        if cost <= room:
            room -= cost
            fits.insert(0, (section, line))
    texts: dict[str, str] = {}
    for section in dict.fromkeys(section for section, _ in edits.added):
        mine = [line for known, line in fits if known == section]
        left = sum(known == section for known, _ in edits.added) - len(mine)
        more = [f"- ({left} more of your lines have no room here; they are in the sidecar's edits)"] if left else []
        if mine:
            texts[section] = "\n".join([LABEL, *mine, *more])
    return texts


def _lines(document: Document) -> list[tuple[str, str]]:
    """(section, line) of everything but Current State, labels of ours and empty lines."""
    pairs = [(block.name, line) for block in document.blocks for line in f"{block.ledger}\n{block.prose}".split("\n")]
    return [(name, line) for name, line in pairs if line.strip() and line not in (LABEL, EMPTY)]
