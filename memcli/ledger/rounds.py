"""Rounds: which call a result answers.

Some harnesses write results before their calls; then the result waits for the call.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, identity
from memcli.ledger.deeds import Deed

if TYPE_CHECKING:
    from memcli.transcript.entries import ToolResult

MAX_OPEN = 128
MAX_EARLY = 32
HELD_HEAD, HELD_TAIL = 4000, 2000


class Outcome(msgspec.Struct, array_like=True):
    """What a result says, reduced to what the ledger asks of it."""

    text: str
    failed: bool
    rejected: bool
    created: bool | None = None
    task: str = ""


class Rounds(msgspec.Struct, array_like=True):
    """Calls without a result, and results without a call."""

    open: dict[str, Deed] = {}
    early: dict[str, Outcome] = {}

    def called(self, call: str, deed: Deed) -> Outcome | None:
        """A call was made; its outcome, if that came first."""
        outcome = self.early.pop(identity(call), None)
        if outcome is None:
            self.open[identity(call)] = deed
            if len(self.open) > MAX_OPEN:
                del self.open[next(iter(self.open))]
        return outcome

    def answered(self, call: str, outcome: Outcome) -> Deed | None:
        """A result came; its call, if that is known."""
        deed = self.open.pop(identity(call), None)
        if deed is None and call:
            outcome.text = clean(outcome.text, HELD_HEAD, HELD_TAIL)
            self.early[identity(call)] = outcome
            if len(self.early) > MAX_EARLY:
                del self.early[next(iter(self.early))]
        return deed


def outcome_of(part: ToolResult) -> Outcome:
    """The outcome a result part tells."""
    detail, head = part.detail, part.text[:200]
    created: bool | None = None
    if detail.get("type") == "create" or "created successfully" in head:
        created = True
    elif detail.get("type") == "update" or "has been updated" in head:
        created = False
    number = re.search(r"#(\d+)", head) if "#" in head else None
    task = str(detail.get("task_id") or "") or (number[1] if number else "")
    failed = part.is_error or detail.get("success") is False or bool(detail.get("exit_code"))
    return Outcome(part.text, failed, part.rejected, created, task)
