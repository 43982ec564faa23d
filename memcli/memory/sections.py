"""The one table of sections: every part of memcli that knows sections takes them from here.

`share` is the part of the budget (less Current State) a section's facts that must stay may take; what no section needs
goes to lines chosen by what they tell. `priority` says who wins when space is short: the lower, the sooner served.

A model may write in some sections only, below the facts: `writes` is what it is asked for there, `prose` the part of
all prose that a section is sure of. Current State, Pending Tasks and Files are never a model's to write.

The user may add sections of their own and say anew what a model writes in ours (`Sections`); none can be removed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

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

DEFAULT_BUDGET = 4_000
CHARS_PER_TOKEN = 4
WORDS_PER_SECTION = 500  # at the default budget or less; larger budgets allow more in proportion

MOST_OWN = 6
LONGEST_NAME = 60
"""Characters of a heading of the user's: with six of them the smallest budget has room left for facts."""
LONGEST_WISH = 1_000
"""Characters of what a model is to write in one section."""

OWN_WEIGHT = 0.15
"""What a section of the user's own weighs in sharing out the prose, where ours weigh 1 together."""
OWN_PRIORITY = 8

TAKEN = frozenset({"", "end", "struck out"})
"""No headings: the end of a plain-text answer, and the key of struck lines in a record of hand edits."""


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


class Sections:
    """The table with the user's part in it: `table` says by heading what a model is to write there.

    A heading of ours that a model may write under gets another wish; any other is a section of the user's own, with
    prose alone, behind ours. The table is one that `objection` has nothing against.
    """

    def __init__(self, table: Mapping[str, str] | None = None) -> None:
        table = table or {}
        wishes = {name: " ".join(wish.split()) for name, wish in table.items()}
        meant = {_ours(name): wish for name, wish in wishes.items()}
        added = {name: wish for name, wish in wishes.items() if not _ours(name)}
        whole = 1 + OWN_WEIGHT * len(added)
        ours = (one._replace(writes=meant.get(one.name, one.writes), prose=one.prose / whole) for one in PROSE_SECTIONS)
        self.own = tuple(
            Section(name, 0.0, OWN_PRIORITY, wish, OWN_WEIGHT / whole, wish) for name, wish in added.items()
        )
        self.prose = (*ours, *self.own)
        """Those that a model writes in."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All headings in order, but for Pinned."""
        return (*NAMES, *(section.name for section in self.own))

    @cached_property
    def writable(self) -> tuple[str, ...]:
        """The headings under which a model writes."""
        return tuple(section.name for section in self.prose)

    def named(self, heading: str) -> str:
        """The section that a heading means, or nothing: number, emphasis and case do not matter."""
        plain = bare(heading)
        return next((name for name in self.names if bare(name) == plain), "")


def objection(table: Mapping[str, str]) -> str:
    """Why a table of the user's cannot be, as the rest of a sentence; nothing if it can."""
    added: set[str] = set()
    for name, wish in table.items():
        ours = _ours(name)
        if ours and ours not in DEFAULT.writable:
            return f'may not hold "{ours}": no model writes there'
        if bare(name) in TAKEN or name != name.strip() or len(name) > LONGEST_NAME or not _is_plain(name):
            return f"must have plain headings of one line and at most {LONGEST_NAME} characters, unlike {name[:80]!r}"
        if bare(name) in added:
            return f'hold "{name}" twice'
        if len(wish) > LONGEST_WISH:
            return f'say more than {LONGEST_WISH:,} characters about "{name}"'
        added.add(bare(name))
    if len(added - {bare(name) for name in NAMES}) > MOST_OWN:
        return f"may add {MOST_OWN} sections at most"
    return ""


def bare(heading: str) -> str:
    """A heading without number, emphasis and case."""
    return heading.strip("*_#: \t").lstrip("0123456789.) \t").lower()


def _is_plain(name: str) -> bool:
    """True for one line of text without tags: a project's file may come from anywhere, and an agent reads headings."""
    return name.isprintable() and not {*name} & {*"<>"}


def _ours(name: str) -> str:
    return next((ours for ours in (*NAMES, PINNED) if bare(ours) == bare(name)), "")


DEFAULT = Sections()


def words_allowed(budget: int) -> int:
    """Words a section may have at a budget in tokens."""
    return max(WORDS_PER_SECTION, WORDS_PER_SECTION * budget // DEFAULT_BUDGET)


def current_state_limit(budget: int) -> int:
    """Characters Current State may take: fixed, so that it can be written anew without touching the rest."""
    return int(budget * CHARS_PER_TOKEN * CURRENT_STATE_SHARE)
