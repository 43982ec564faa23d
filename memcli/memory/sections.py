"""The one table of sections: every part of memcli that knows sections takes them from here.

`share` is the part of the budget (less Current State) a section's facts that must stay may take; what no section needs
goes to lines chosen by what they tell. `priority` says who wins when space is short: the lower, the sooner served.
"""

from __future__ import annotations

from typing import NamedTuple

CURRENT_STATE = "Current State"
USER_INTENT = "User Intent"
ERRORS = "Errors & Corrections"
ACTIVE_WORK = "Active Work"
PENDING = "Pending Tasks"
COMPLETED = "Completed Work"
FILES = "Files"
REFERENCES = "Key References"
PINNED = "Pinned"

CURRENT_STATE_SHARE = 0.12
PINNED_SHARE = 0.25
MIN_BUDGET = 2_000  # tokens
DEFAULT_BUDGET = 4_000
CHARS_PER_TOKEN = 4
WORDS_PER_SECTION = 500  # at the default budget or less; larger budgets allow more in proportion


class Section(NamedTuple):
    """One section: its heading, its part of the budget, its rank, and what it holds in one line."""

    name: str
    share: float
    priority: int
    meaning: str


SECTIONS: tuple[Section, ...] = (
    Section(
        CURRENT_STATE, CURRENT_STATE_SHARE, 0, "the moment of compaction: last request, work under way, open calls"
    ),
    Section(USER_INTENT, 0.28, 2, "the original request and how it evolved, in the user's own words"),
    Section(ERRORS, 0.28, 1, "corrections by the user; errors, open and fixed; failing tests"),
    Section(ACTIVE_WORK, 0.10, 4, "the task in progress: where it stands, what comes next"),
    Section(PENDING, 0.10, 3, "asked for or planned, and not done"),
    Section(COMPLETED, 0.16, 6, "what was done: commits, finished to-dos, results and decisions with their reasons"),
    Section(FILES, 0.20, 5, "every file changed, with its last state, why, and the names touched"),
    Section(REFERENCES, 0.10, 7, "commands, findings, names and constraints worth knowing"),
)
NAMES = tuple(section.name for section in SECTIONS)


def words_allowed(budget: int) -> int:
    """Words a section may have at a budget in tokens."""
    return max(WORDS_PER_SECTION, WORDS_PER_SECTION * budget // DEFAULT_BUDGET)


def current_state_limit(budget: int) -> int:
    """Characters Current State may take: fixed, so that it can be written anew without touching the rest."""
    return int(budget * CHARS_PER_TOKEN * CURRENT_STATE_SHARE)
