"""Active Work: the task in progress: what is not committed yet, and where it stands in the agent's latest words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.facts.outcome import uncommitted
from memcli.memory.facts.pending import proposed
from memcli.memory.facts.running import SHARE, said_so_far, spoken_against
from memcli.memory.quoting import quoted
from memcli.memory.sections import ACTIVE_WORK

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups


def active_work(ledger: Ledger, share: int) -> Groups:
    """The section's groups: files since the last commit, the latest words, those of a turn that was stopped."""
    running = said_so_far(ledger, share)
    return [
        (uncommitted(ledger, share // 2), share // 2),
        (running or _latest(ledger), int(share * SHARE)),
        (spoken_against(ledger, share // 2), share // 2),
    ]


def _latest(ledger: Ledger) -> list[Line]:
    """The agent's last text; its end, where it says how things stand, is served first. What of it is ahead or was only
    proposed stands among Pending Tasks.
    """
    narrative = ledger.state.narrative
    latest = [note for note in narrative.notes if note.text == narrative.texts and not note.plan]
    asked = proposed(ledger)
    latest = [note for note in latest if not (note.ahead or note in asked)]
    lines = [
        Line(ACTIVE_WORK, labels.STANDS, f"- agent: {quoted(note.words)}", place) for place, note in enumerate(latest)
    ]
    return lines[-2:] + lines[:-2]
