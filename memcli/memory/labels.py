"""Labels: the headings of the groups within a section, and the order in which groups stand.

A label is part of the text that a model reads, and of what the budget counts. One group has one label; only results
have a label for each turn besides (`results.TurnLabels`).
"""

from __future__ import annotations

from memcli.transcript.patterns import pattern

# User Intent
FIRST = "First request:"
LATER = "Later requests, in order:"

# Errors & Corrections
CORRECTIONS = (
    "Corrections, refusals and answers by the user, in order "
    "(bare ones: said against the work, or typed after stopping it):"
)
OPEN = "Errors still open, newest first:"
FAILING = "Failing tests:"
LEFT = "Errors that work went on without or around, newest first:"
FIXED = "Errors fixed since:"

# Active Work
STANDS = "Where it stands, in the agent's latest words:"
STOPPED = "Said in the turn before, which the user stopped:"
RUNNING = "Said in the running turn, in order:"
STEPS = "Latest steps:"
NOT_COMMITTED = "Since the last commit:"

# Pending Tasks
UNDER_WAY = "Asked for by the user and under way:"
LISTED = "On the to-do list:"
PROPOSED = "Proposed or asked by the agent, no answer yet:"
ASKED_LAST = "Proposed or asked by the agent before the user's latest words:"
AHEAD = "Named by the agent as next or remaining (some of it may be done since):"

# Completed Work
COMMITS = "Commits:"
OUTWARD = "Done outside this machine, not to be done twice:"
LINKS = "Pull requests and issues:"
DONE = "Finished items of the to-do list:"
RESULTS = "Results by turn, in the agent's words:"

# Files
WRITTEN = "Written in this session, newest first:"
CHANGES = "What changed and what the new text says:"
READ = "Only read:"
NAMES_LEFT = "More names by file:"

# Key References
RULES = "Rules of commands and skills for the work they began (their own text, not typed by the user):"
SNIPPETS = "Code the user gave, verbatim:"
COMMANDS = "Commands and look-ups, with their purpose:"
SUBAGENTS = "Subagents:"
FINDINGS = "Findings on the way, in the agent's words:"
MORE_ASKED = "More of the user's texts:"

ORDER = (
    FIRST,
    LATER,
    CORRECTIONS,
    OPEN,
    FAILING,
    LEFT,
    FIXED,
    STANDS,
    STOPPED,
    RUNNING,
    STEPS,
    NOT_COMMITTED,
    UNDER_WAY,
    LISTED,
    PROPOSED,
    ASKED_LAST,
    AHEAD,
    COMMITS,
    OUTWARD,
    LINKS,
    DONE,
    RESULTS,
    WRITTEN,
    CHANGES,
    READ,
    NAMES_LEFT,
    RULES,
    SNIPPETS,
    COMMANDS,
    SUBAGENTS,
    FINDINGS,
    MORE_ASKED,
)

_OF_TURN = pattern(r"t\d+, ")


def rank(label: str) -> int:
    """Place of a group in its section: that of its label in `ORDER`, -1 for labels that are none of ours."""
    if _OF_TURN.match(label):
        return ORDER.index(RESULTS)
    return ORDER.index(label) if label in ORDER else -1
