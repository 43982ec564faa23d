"""What the user changed in the Markdown by hand, as lines, and how the next memory honours it.

A memory is rendered anew each time, so an edit is kept as what it means: lines that were added stand again, under a
label of their own at the top of their section; lines that were struck out are left out when they come back. Current
State is no place to keep anything: it is written at every append, and its lines are not taken for the user's. What
stands above all sections is taken for User Intent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.document import EMPTIES, TITLE, Block, Document, parse
from memcli.memory.sections import CHARS_PER_TOKEN, CURRENT_STATE, CURRENT_STATE_SHARE, NAMES, PINNED, USER_INTENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LABEL = "Written by the user into this memory:"
STRUCK = "struck out"
SHARE = 0.25
"""Part of the budget that hand edits may take."""

KEPT_LINES = 400
"""Lines remembered of each kind; the oldest go first. The whole text of each edit stays in the sidecar."""

_MORE = "- ({} more of your lines have no room here; they are in the sidecar's edits)"
_FRAME = 24  # characters of a heading of ours with its line ends


class Edits(msgspec.Struct, frozen=True):
    """All edits so far: (section, line) pairs that were added, and lines that were struck out."""

    added: tuple[tuple[str, str], ...] = ()
    struck: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.struck)


def taken_in(edits: Edits, published: str, edited: str, known: Iterable[str] = NAMES) -> Edits:
    """The edits with those that turned the text `published` into `edited`, which have the `known` sections. A file
    that was emptied says nothing.
    """
    if not edited.strip():
        return edits
    names = (*known, *(section for section, _ in edits.added))  # lines stand also where a section is known no more
    before, after = _lines(published, names), _lines(edited, names)
    fresh = [pair for pair in after if pair not in before]
    gone = [pair for pair in before if pair not in after]
    added = [pair for pair in edits.added if pair not in gone]
    added += [pair for pair in fresh if pair not in added]
    back = {line for _, line in fresh}
    struck = [line for line in edits.struck if line not in back]
    struck += [line for section, line in gone if (section, line) not in edits.added and line not in struck]
    return Edits(tuple(added[-KEPT_LINES:]), tuple(struck[-KEPT_LINES:]))


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
    """The budget for the ledger's lines, in tokens, when the edits stand too.

    Current State keeps its share of the whole budget, so the rest has to give way by more than the edits' own size.
    """
    # Each line may need a backslash in front, and a section without other lines its heading.
    standing = _standing(edits, budget).items()
    chars = sum(len(text) + text.count("\n") + _frame(section) for section, text in standing)
    return budget - math.ceil(chars / CHARS_PER_TOKEN / (1 - CURRENT_STATE_SHARE))


def with_edits(document: Document, edits: Edits, budget: int) -> Document:
    """The document with the user's lines, and without those the user struck out."""
    if not edits:
        return document
    standing = _standing(edits, budget)
    names = [block.name for block in document.blocks]
    blocks = [*document.blocks, *(Block(name) for name in standing if name not in names)]
    return msgspec.structs.replace(
        document, blocks=tuple(_edited(block, edits.struck, standing.get(block.name, "")) for block in blocks)
    )


def unstruck(prose: dict[str, str], edits: Edits) -> dict[str, str]:
    """The prose of each section without the lines that the user struck out."""
    if not edits.struck:
        return prose
    return {name: kept for name, text in prose.items() if (kept := _without(text, {*edits.struck}))}


def _edited(block: Block, struck: tuple[str, ...], mine: str) -> Block:
    out = {*struck, *mine.split("\n")} - {""}
    ledger = "\n".join(part for part in (mine, _without(block.ledger, out)) if part)
    return msgspec.structs.replace(block, ledger=ledger, prose=_without(block.prose, out))


def _without(text: str, out: set[str]) -> str:
    return "\n".join(line for line in text.split("\n") if line not in out)


def _standing(edits: Edits, budget: int) -> dict[str, str]:
    """The text that each section begins with. The newest lines stand; what has no room is counted, not hidden."""
    added: dict[str, list[str]] = {section: [] for section, _ in edits.added}
    frames = sum(len(LABEL) + len(_MORE) + _frame(section) for section in added)
    room = int(budget * CHARS_PER_TOKEN * SHARE) - frames
    left = dict.fromkeys(added, 0)
    for section, line in reversed(edits.added):
        if len(line) + 2 <= room:
            room -= len(line) + 2
            added[section].insert(0, line)
        else:
            left[section] += 1
    return {
        section: "\n".join([LABEL, *lines, *([_MORE.format(left[section])] if left[section] else [])])
        for section, lines in added.items()
    }


def _frame(section: str) -> int:
    """Characters that a section takes beside its lines; one of the user's own may have a longer heading."""
    return max(_FRAME, len(f"\n\n## {section}\n"))


def _lines(text: str, known: tuple[str, ...]) -> dict[tuple[str, str], None]:
    """(section, line) of everything but Current State, labels of ours and empty lines, in order."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    pairs = [(USER_INTENT, line) for line in _aside(text, known)]
    for block in parse(text, known).blocks:
        pairs += [(block.name, line) for line in f"{block.ledger}\n{block.prose}".split("\n")]
    return dict.fromkeys(pair for pair in pairs if pair[1].strip() and not _is_ours(pair[1]))


def _is_ours(line: str) -> bool:
    return line in (TITLE, LABEL, *EMPTIES) or line.endswith(_MORE.partition("{}")[2])


def _aside(text: str, known: tuple[str, ...]) -> Iterator[str]:
    """Lines above all sections, or under a heading of the user's before the first one that is kept."""
    kept = True
    for line in text.split("\n"):
        if line.startswith("## "):
            name = line[3:].strip()
            if name != CURRENT_STATE and name in (*known, PINNED):
                return
            kept = name != CURRENT_STATE
        if kept:
            yield line
