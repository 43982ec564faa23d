"""Running: the turn that has not ended: what was said in it, in order, and the request it works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.clean import clip
from memcli.ledger.narrative import passing
from memcli.ledger.prose import TELLING, announces, telling
from memcli.memory import labels
from memcli.memory.budget import Line, fair_limit
from memcli.memory.quoting import quoted, spelled
from memcli.memory.sections import ACTIVE_WORK, PENDING

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.narrative import Note
    from memcli.ledger.requests import Request

FRAME = 12  # characters around a note
STUB = 100  # characters of a note below which its head is no news
WHOLE = 170  # characters of one that stands for others
ENOUGH = 12  # words that make a note tell as much as any
SHARE = 0.7  # of Active Work's share: what does not fit competes with all other notes
UNDER_WAY_LIMIT = 160  # characters: the words stand in full in User Intent and Current State


def said_so_far(ledger: Ledger, share: int) -> list[Line]:
    """What the agent said in the running turn, newest served first and longest; nothing between turns."""
    state = ledger.state
    if not state.running:
        return []
    said = [note for note in state.narrative.notes if note.index > state.turn and not note.plan]
    notes = [note for note in said[:-3] if not passing(note.words)] + said[-3:]  # what was awaited has come since
    room = int(share * SHARE) - len(labels.RUNNING)
    if sum(len(note.words) + FRAME for note in notes[:-3]) > room // 2:  # what was announced has been done since
        notes = [note for note in notes[:-3] if note.reason or not announces(note.words)] + notes[-3:]
    lines = [
        Line(ACTIVE_WORK, labels.RUNNING, f"- agent: {quoted(note.words)}", note.index + 0.01) for note in notes[-3:]
    ]
    lines = lines[::-1] + [
        Line(ACTIVE_WORK, labels.RUNNING, f"- agent: {quoted(clip(note.words, limit))}", note.index)
        for note, limit in _earlier(notes[:-3], room // 2)
    ]
    for place, line in enumerate(sorted(lines, key=lambda line: line.order)):
        line.order = place
    return lines


def _earlier(notes: list[Note], room: int) -> list[tuple[Note, int]]:
    """Which of the notes before the last three stand, newest first, and with how many characters each.

    All of them, cut alike; where little would be left of each, those that tell most: mere heads of notes tell nothing.
    """
    fair = fair_limit([len(note.words) + FRAME for note in notes], room) - FRAME
    if fair < STUB:
        by_worth = sorted(notes, key=lambda note: (not note.reason, -min(telling(note.words), ENOUGH), -note.index))
        notes = sorted(by_worth[: max(1, room // (WHOLE + FRAME))], key=lambda note: note.index)
        fair = WHOLE
    return [(note, fair) for note in reversed(notes)]


def spoken_against(ledger: Ledger, limit: int) -> list[Line]:
    """If the person began the running turn by stopping the work: what the agent had said in the turn before, which came
    to no result. "Take that back" cannot be followed without.
    """
    state, starts = ledger.state, ledger.state.turns.starts
    asked = next((one for one in state.requests.said if one.index == state.turn), None)
    if not (state.running and asked and asked.steering and len(starts) > 1):
        return []
    said = [note for note in state.narrative.notes if starts[-2] < note.index < state.turn and not note.plan]
    said = [note for note in said if telling(note.words) >= TELLING]
    shown = [*said[:1], *said[1:][-2:]]  # what it began with, and where it was stopped
    fair = max(STUB, limit // max(1, len(shown)) - FRAME)
    return [Line(ACTIVE_WORK, labels.STOPPED, f"- agent: {quoted(note.words, fair)}", note.index) for note in shown]


def under_way(ledger: Ledger, limit: int) -> list[Line]:
    """The request of the running turn, what it steers, and what the user added to it since: never "none" in the middle
    of a turn.
    """
    state = ledger.state
    if not state.running:
        return []
    since = [one for one in state.requests.said if one.index == state.turn]
    ran = [name for index, name in state.requests.ran if index == state.turn + 1]
    steered = _steered_by(state.requests.said, since[0]) if since else []
    since += [one for one in state.requests.said if one.index > state.turn and one.via == "queued"][-2:]
    fair = min(UNDER_WAY_LIMIT, limit // max(1, len(since) + len(steered)))
    lines = [Line(PENDING, labels.UNDER_WAY, f"- in progress, the command {spelled(name)}", state.turn) for name in ran]
    lines += [
        Line(PENDING, labels.UNDER_WAY, f"- in progress, user: {quoted(one.text, fair)}", one.index) for one in since
    ]
    return lines + [
        Line(
            PENDING,
            labels.UNDER_WAY,
            f"- stopped by the user, maybe replaced by what follows, user: {quoted(one.text, fair)}",
            one.index,
        )
        for one in steered
    ]


def _steered_by(said: list[Request], steering: Request) -> list[Request]:
    """The request whose work some words of the person steer, if they are no request of their own."""
    if not steering.steering:
        return []
    before = (one for one in reversed(said) if one.index < steering.index)
    return [one for one in before if not (one.steering or one.objects) and telling(one.text) >= TELLING][:1]
