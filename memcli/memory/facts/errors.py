"""Errors & Corrections: corrections first, then errors with what they printed and what became of them.

An error is said to be open until a run without it was seen; what a command printed is quoted and said to be output.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.facts.corrections import corrections_told
from memcli.memory.quoting import quoted, told
from memcli.memory.sections import ERRORS
from memcli.memory.shown import shown_command, tool_of, turn_mark

if TYPE_CHECKING:
    from memcli.ledger.failures import Failure
    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups

FIXED_SHOWN = 12
FAILING_SHOWN = 20  # names of tests
IN_FULL = 3  # open errors, the newest, of which two lines of output stand


def errors_and_corrections(ledger: Ledger, share: int) -> Groups:
    """The section's groups: corrections, open errors, failing tests, errors left behind, fixed ones."""
    failures = ledger.state.work.failures
    root = ledger.state.commits.root
    ended = not ledger.state.running
    still = [one for one in failures.open if not (ended and one.passing)]
    gone_by = [*failures.left, *(one for one in failures.open if ended and one.passing)]
    left = [
        Line(ERRORS, labels.LEFT, _left(one, root, turn_mark(ledger, one.last)), place)
        for place, one in enumerate(_distinct(sorted(gone_by, key=lambda one: -one.last), still))
    ]
    fixed = [
        Line(ERRORS, labels.FIXED, _fixed(one, root), place) for place, one in enumerate(failures.fixed[:FIXED_SHOWN])
    ]
    failing = [
        Line(ERRORS, labels.FAILING, f"- failing, output: {quoted(name, 120)}", place)
        for place, name in enumerate(ledger.state.work.checks.names[:FAILING_SHOWN])
    ]
    return [
        corrections_told(ledger, share),
        (_open(ledger, still), int(share * 0.5)),
        (failing, int(share * 0.15)),
        (left, int(share * 0.5)),
        (fixed, int(share * 0.25)),
    ]


def _open(ledger: Ledger, failures: list[Failure]) -> list[Line]:
    """Failures that stand: what a command printed last, and behind all of those what it had printed before; that is
    mostly mended, though only a run without failure would prove it.
    """
    root = ledger.state.commits.root
    newest: dict[str, int] = {}
    last: list[Line] = []
    before: list[Line] = []
    for place, one in enumerate(failures):
        mark = turn_mark(ledger, one.last)
        host = newest.setdefault(one.key, place)
        if host == place:
            text = f"- {mark}OPEN{_stands(one, root, 2 if len(last) < IN_FULL else 1)}"
            last.append(Line(ERRORS, labels.OPEN, text, place))
        else:
            before.append(Line(ERRORS, labels.OPEN, _printed_before(one, mark), host + place / 1000))
    return last + before


def _stands(one: Failure, root: str, most: int) -> str:
    """What fails, how often, and at `most` so many lines of its output."""
    times = f" {min(one.count, 99)} times" if one.count > 1 else ""
    lines = " and output: ".join(quoted(line, 150) for line in one.lines[:most])
    cause = f" — agent then: {quoted(one.cause, 160)}" if one.cause else ""
    return f"{times}: {_what(one, root)} — output: {lines}{cause}"


def _printed_before(one: Failure, mark: str) -> str:
    cause = f" — agent then: {quoted(one.cause, 110)}" if one.cause else ""
    return f"- {mark}the same command before, output: {quoted(one.lines[0], 150)}{cause}"


def _left(one: Failure, root: str, mark: str) -> str:
    """An error that no longer stands in the way, in few words."""
    since = f" — worked since: {shown_command(one.instead, root, 60)}" if one.instead else ""
    what = tool_of(one.kind, one.key) + shown_command(one.what, root, 60)
    return f"- {mark}{what} — output: {quoted(one.lines[0], 120)}{since}"


def _fixed(one: Failure, root: str) -> str:
    """An error with what mended it."""
    cure = f" — after: {told(one.cure, 110)}" if one.cure else ""
    cure = f" — agent then: {quoted(one.cause, 110)}{cure}" if one.cause and one.cause != one.cure else cure
    return f"- fixed: {_what(one, root)} — output: {quoted(one.lines[0], 150)}{cure}"


def _what(one: Failure, root: str) -> str:
    return tool_of(one.kind, one.key) + shown_command(one.what, root, 90) if one.what else one.kind


def _distinct(failures: list[Failure], others: list[Failure]) -> list[Failure]:
    """The newest of failures with the same output, figures aside, and none that others say already."""
    known = {_figureless(one.lines[0]) for one in others}
    newest: dict[str, Failure] = {}
    for one in failures:
        newest.setdefault(_figureless(one.lines[0]), one)
    return [one for output, one in newest.items() if output not in known]


def _figureless(line: str) -> str:
    return re.sub(r"[0-9]+", "#", line)
