"""Rendering: the memory at a boundary, from the ledger alone.

`render` is pure: the same ledger and budget give the same document. Facts that must stay are laid out first, then lines
that explain most about what the session names fill the rest (see `budget`). Nothing rendered is ever read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import facts, labels, pool
from memcli.memory.budget import Line, Room, take_all, take_telling
from memcli.memory.document import NONE_KNOWN, TITLE, Block, Document
from memcli.memory.quoting import quoted
from memcli.memory.sections import (
    CHARS_PER_TOKEN,
    COMPLETED,
    DEFAULT,
    PINNED,
    PINNED_SHARE,
    SECTIONS,
    Sections,
    current_state_limit,
    words_allowed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memcli.ledger.ledger import Ledger

OPAQUE_SHARE = 0.12
NAMES_SHARE = 0.17  # lists of names tell little: they may not take more than this


def render(
    ledger: Ledger,
    budget: int,
    pins: tuple[str, ...] = (),
    opaque: str = "",
    beside: Callable[[Room], None] | None = None,
    sections: Sections = DEFAULT,
) -> Document:
    """Every section but Current State, within `budget` tokens (4 characters each) less Current State's part.

    `pins` are texts of the user that always stand (up to a quarter of the budget); `opaque` is an older memory whose
    ledger is lost: carried quoted, as of lower trust, and cut to a small part. `beside` may take of the room that the
    facts have left, before other lines compete for it.
    """
    room = Room(_chars(budget, bool(pins), sections), words_allowed(budget))
    total = room.chars
    taken = _pinned(room, pins, budget) + _carried(room, opaque, total)
    completed = int(total * next(one.share for one in SECTIONS if one.name == COMPLETED))
    taken += take_all(room, facts.earlier_commits(ledger, completed), completed)
    for section in sorted(SECTIONS[1:], key=lambda one: one.priority):
        for group, share in facts.groups(section.name, ledger, int(total * section.share)):
            taken += take_all(room, group, share)
    if beside:
        beside(room)
    room.caps[labels.NAMES_LEFT] = int(total * NAMES_SHARE)
    weights = ledger.state.names.weights(ledger.now)
    taken += take_telling(room, pool.lines(ledger, taken, weights), weights, taken)
    names = [*sections.names[1:], *([PINNED] if pins else [])]
    return Document(tuple(Block(name, _laid_out(name, taken)) for name in names))


def _chars(budget: int, pinned: bool, sections: Sections = DEFAULT) -> int:
    """Characters for lines: the budget less Current State, title, headings, blank lines and remarks on emptiness."""
    names = [*sections.names, *([PINNED] if pinned else [])]
    frame = len(TITLE) + 2 + sum(len(f"## {name}\n\n\n") + len(NONE_KNOWN) for name in names)
    return budget * CHARS_PER_TOKEN - current_state_limit(budget) - frame


def _pinned(room: Room, pins: tuple[str, ...], budget: int) -> list[Line]:
    lines = [Line(PINNED, "", f"- {quoted(pin)}", order) for order, pin in enumerate(pins)]
    return take_all(room, lines, int(budget * CHARS_PER_TOKEN * PINNED_SHARE))


def _carried(room: Room, opaque: str, total: int) -> list[Line]:
    """An older memory without a ledger: its lines, quoted one by one, as many as a small share holds."""
    texts = [line.strip("-* ") for line in opaque.split("\n") if len(line) > 12 and not line.startswith("#")]
    label = "From an older memory whose source is gone (unverified):"
    lines = [Line(COMPLETED, label, f"- {quoted(text, 300)}", order) for order, text in enumerate(texts)]
    return take_all(room, lines, int(total * OPAQUE_SHARE))


def _laid_out(name: str, taken: Iterable[Line]) -> str:
    """The block of a section: its groups in the order of `labels.ORDER`, each under its label."""
    groups: dict[str, list[Line]] = {}
    for line in sorted((one for one in taken if one.section == name and not one.extends), key=lambda one: one.order):
        groups.setdefault(line.group, []).append(line)
    pieces = []
    for label in sorted(groups, key=labels.rank):  # stable: groups of one rank in the order of their first lines
        pieces += [label] if label else []
        pieces += [line.full for line in groups[label] if line.full]
    return "\n".join(pieces)
