"""Facts that must stay: for each section the lines that no choice may drop while there is room.

What the person said is always quoted and said to be theirs; what tools printed is quoted and said to be output.

    intent      User Intent           corrections  what the person said against the work
    errors      Errors & Corrections  said         how words of the person are told, and which are served first
    active      Active Work           running      the turn that has not ended
    pending     Pending Tasks         outcome      what is committed, what others have seen
    completed   Completed Work
    files       Files
    references  Key References
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import sections
from memcli.memory.facts.active import active_work
from memcli.memory.facts.completed import completed_work, earlier_commits
from memcli.memory.facts.errors import errors_and_corrections
from memcli.memory.facts.files import files
from memcli.memory.facts.intent import user_intent
from memcli.memory.facts.pending import pending_tasks
from memcli.memory.facts.references import key_references

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups

__all__ = ["earlier_commits", "groups"]

_GROUPS: dict[str, Callable[[Ledger, int], Groups]] = {
    sections.USER_INTENT: user_intent,
    sections.ERRORS: errors_and_corrections,
    sections.ACTIVE_WORK: active_work,
    sections.PENDING: pending_tasks,
    sections.COMPLETED: completed_work,
    sections.FILES: files,
    sections.REFERENCES: key_references,
}


def groups(section: str, ledger: Ledger, share: int) -> Groups:
    """The groups of one section in the order in which they are served; `share` is what the section may take in all."""
    return _GROUPS[section](ledger, share)
