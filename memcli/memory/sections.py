"""The one table of sections: every part of memcli that knows sections takes them from here.

`share` is the part of the budget (less Current State) a section's facts that must stay may take; what no section needs
goes to lines chosen by what they tell. `priority` says who wins when space is short: the lower, the sooner served.

A model may write in some sections only, below the facts: `writes` is what it is asked for there, `prose` the part of
all prose that a section is sure of. Current State, Pending Tasks and Files are never a model's to write.
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
PROSE_SHARE = 0.25
"""Part of the budget that all prose together may take, if the facts that must stay leave as much."""

MIN_BUDGET = 2_000  # tokens
DEFAULT_BUDGET = 4_000
CHARS_PER_TOKEN = 4
WORDS_PER_SECTION = 500  # at the default budget or less; larger budgets allow more in proportion


class Section(NamedTuple):
    """One section: its heading, its part of the budget, its rank, what it holds in one line, and its prose."""

    name: str
    share: float
    priority: int
    meaning: str
    prose: float = 0.0
    writes: str = ""


SECTIONS: tuple[Section, ...] = (
    Section(
        CURRENT_STATE, CURRENT_STATE_SHARE, 0, "the moment of compaction: last request, work under way, open calls"
    ),
    Section(
        USER_INTENT,
        0.28,
        2,
        "the original request and how it evolved, in the user's own words",
        0.20,
        "one paragraph: what the user wants in the end and how that changed, with the constraints that hold; "
        "only what the user said, in their words where it counts",
    ),
    Section(
        ERRORS,
        0.28,
        1,
        "corrections by the user; errors, open and fixed; failing tests",
        0.20,
        "approaches that were tried and failed, and why; what each correction by the user means for the work; "
        "not which errors are open: that is known",
    ),
    Section(
        ACTIVE_WORK,
        0.10,
        4,
        "the task in progress: where it stands, what comes next",
        0.25,
        "what the task in progress is about, where exactly it stands, partial results, and the next step, quoted",
    ),
    Section(PENDING, 0.10, 3, "asked for or planned, and not done"),
    Section(
        COMPLETED,
        0.16,
        6,
        "what was done: commits, finished to-dos, results and decisions with their reasons",
        0.20,
        "what was achieved and why it was done this way: decisions, their reasons, what was ruled out",
    ),
    Section(FILES, 0.20, 5, "every file changed, with its last state, why, and the names touched"),
    Section(
        REFERENCES,
        0.10,
        7,
        "commands, findings, names and constraints worth knowing",
        0.15,
        "values, names, commands, conventions and preferences that will be needed again, each with what it is for",
    ),
)
NAMES = tuple(section.name for section in SECTIONS)
PROSE_SECTIONS = tuple(section for section in SECTIONS if section.writes)


def words_allowed(budget: int) -> int:
    """Words a section may have at a budget in tokens."""
    return max(WORDS_PER_SECTION, WORDS_PER_SECTION * budget // DEFAULT_BUDGET)


def current_state_limit(budget: int) -> int:
    """Characters Current State may take: fixed, so that it can be written anew without touching the rest."""
    return int(budget * CHARS_PER_TOKEN * CURRENT_STATE_SHARE)
