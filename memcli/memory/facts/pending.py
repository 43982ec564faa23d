"""Pending Tasks: what the person asked for and is under way, the to-do list, what the agent proposed or named as next.

The person's words, the list and the agent's ideas stand apart: an idea of the agent is no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import labels
from memcli.memory.budget import Line, fair_limit
from memcli.memory.facts.running import under_way
from memcli.memory.quoting import quoted, told
from memcli.memory.sections import PENDING
from memcli.memory.shown import turn_mark
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.narrative import Note
    from memcli.memory.budget import Groups

AHEAD_TURNS = 6  # turns after which what was named as next is forgotten
OFFERS_SHOWN = 3
FRAME = 11 + len("agent: ")  # characters around what is ahead: list mark, quotation marks, line end, who says it

_OFFER = pattern(
    r"(?i)\?\s*$|\b(?:next steps?|would you like|do you want|shall i|should i|remaining|still to"
    r"|(?<!so )(?<!that )(?<!before )i can"
    r"|let me know(?! if (?:you (?:hit|see|run|find|notice|have)|there|any|it)\b))\b"
)
_BOXES = {"in_progress": "[~] in progress:", "pending": "[ ]"}


def pending_tasks(ledger: Ledger, share: int) -> Groups:
    """The section's groups: what is under way, the to-do list, proposals without an answer, what was named as next."""
    return [
        (under_way(ledger, share // 3), share // 2),
        (_listed(ledger, share), share),
        (_proposed(ledger), share // 2),
        (_ahead(ledger, share // 2), share // 2),
    ]


def _listed(ledger: Ledger, share: int) -> list[Line]:
    items = ledger.state.work.todos.pending
    fair = max(70, fair_limit([len(text) + 20 for text, _ in items], share) - 20)
    return [
        Line(PENDING, labels.LISTED, f"- {_BOXES[status]} {told(text, fair)}", place)
        for place, (text, status) in enumerate(items)
    ]


def proposed(ledger: Ledger) -> list[Note]:
    """Questions and offers of the agent's last text, the last ones."""
    narrative = ledger.state.narrative
    latest = [note for note in narrative.notes if note.text == narrative.texts and not note.ahead]
    return [note for note in latest if _OFFER.search(note.words)][-OFFERS_SHOWN:]


def _proposed(ledger: Ledger) -> list[Line]:
    """What the agent proposed last. Whether the user's newer words answer it, nobody can tell."""
    narrative = ledger.state.narrative
    asked = labels.PROPOSED if narrative.before < narrative.texts else labels.ASKED_LAST
    return [
        Line(PENDING, asked, f"- agent: {quoted(note.words)}", place) for place, note in enumerate(proposed(ledger))
    ]


def _ahead(ledger: Ledger, share: int) -> list[Line]:
    """What the agent named as next or remaining, unless that was many turns ago."""
    state = ledger.state
    turn = state.turns.at(ledger.now)
    notes = [note for note in state.narrative.ahead if turn - state.turns.at(note.index) <= AHEAD_TURNS]
    marks = [turn_mark(ledger, note.index) for note in notes]
    room = share - len(labels.AHEAD) - sum(len(mark) + FRAME for mark in marks)
    fair = max(50, fair_limit([len(note.words) for note in notes], room))
    return [
        Line(PENDING, labels.AHEAD, f"- {mark}agent: {quoted(note.words, fair)}", place)
        for place, (mark, note) in enumerate(zip(marks, notes, strict=True))
    ]
