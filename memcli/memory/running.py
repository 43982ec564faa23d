"""Running: the turn that has not ended: what was said in it, in order, and the request it works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.clean import clip
from memcli.ledger.narrative import passing
from memcli.memory.budget import Line, fair_limit
from memcli.memory.quoting import quoted, spelled
from memcli.memory.sections import ACTIVE_WORK, PENDING

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger

SAID = "Said in the running turn, in order:"
UNDER_WAY = "Asked for by the user and under way:"
SHARE = 0.7  # of Active Work's share: what does not fit competes with all other notes
UNDER_WAY_LIMIT = 160  # characters: the words stand in full in User Intent and Current State


def said_so_far(ledger: Ledger, share: int) -> list[Line]:
    """All that the agent said in the running turn, newest served first and longest; nothing between turns."""
    state = ledger.state
    if not state.running:
        return []
    said = [note for note in state.narrative.notes if note.index > state.turn and not note.plan]
    notes = [note for note in said[:-3] if not passing(note.words)] + said[-3:]  # what was awaited has come since
    room = int(share * SHARE) - len(SAID)
    recent = notes[-3:]
    fair = max(60, fair_limit([len(note.words) + 12 for note in notes[:-3]], room // 2))
    lines = [Line(ACTIVE_WORK, SAID, f"- agent: {quoted(note.words)}", note.index + 0.01) for note in recent]
    lines = lines[::-1] + [
        Line(ACTIVE_WORK, SAID, f"- agent: {quoted(clip(note.words, fair))}", note.index) for note in notes[-4::-1]
    ]
    for place, line in enumerate(reversed(lines)):
        line.order = place
    return lines


def under_way(ledger: Ledger, limit: int) -> list[Line]:
    """The request of the running turn, and what the user added to it since: never "none" in the middle of a turn."""
    state = ledger.state
    if not state.running:
        return []
    since = [one for one in state.requests.said if one.index == state.turn]
    ran = [name for index, name in state.requests.ran if index == state.turn]
    since += [one for one in state.requests.said if one.index > state.turn and one.via == "queued"][-2:]
    fair = min(UNDER_WAY_LIMIT, limit // max(1, len(since)))
    lines = [Line(PENDING, UNDER_WAY, f"- in progress, the command {spelled(name)}", state.turn) for name in ran]
    return lines + [
        Line(PENDING, UNDER_WAY, f"- in progress, user: {quoted(one.text, fair)}", one.index) for one in since
    ]
