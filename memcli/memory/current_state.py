"""Current State: the moment of compaction, in a fixed part of the budget.

It is made from `Present`, the small fold that stands at the end of the transcript while the ledger stands at the last
legal boundary; so it can be written anew at every append without touching the rest of the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.memory.quoting import quoted, spelled, told
from memcli.memory.sections import current_state_limit

if TYPE_CHECKING:
    from memcli.ledger.present import Present


class Covered(msgspec.Struct, frozen=True):
    """How far the sections reach: whether messages follow that they do not cover yet."""

    whole: bool = True


_WHOLE = Covered()


def current_state(present: Present, budget: int, covered: Covered = _WHOLE) -> str:
    """The text of the section, at most `current_state_limit(budget)` characters."""
    limit = current_state_limit(budget)
    kept: list[tuple[int, str]] = []
    used = 0
    for place, line in _lines(present, covered, limit):
        if used + len(line) + 1 <= limit:
            kept.append((place, line))
            used += len(line) + 1
    return "\n".join(line for _, line in sorted(kept, key=lambda item: item[0]))


def _lines(present: Present, covered: Covered, limit: int) -> list[tuple[int, str]]:
    """(place, line) in the order in which they are served."""
    lines: list[tuple[int, str]] = []
    now, work = present.state, present.state.work
    if now.request:
        lines.append((0, f"- last request, user: {quoted(now.request, limit * 2 // 5)}"))
    if now.interrupted:
        lines.append((1, "- the user stopped the agent; what it was doing is unfinished"))
    if now.said:
        lines.append((2, f"- said last, agent: {quoted(now.said, limit * 3 // 10)}"))
    lines += [
        (3, f"- call without a result yet: {told(call.tool, 40)} {spelled(call.brief, 110)}")
        for call in present.open[-3:]
    ]
    lines += [
        (4, f"- [~] in progress: {told(text, 120)}") for text, status in work.todos.pending if status == "in_progress"
    ]
    lines += [(5, f"- failing test, output: {quoted(name, 100)}") for name in work.checks.names[:4]]
    lines += [
        (6, f"- OPEN error of {spelled(one.what, 70)}, output: {quoted(one.lines[0], 130)}")
        for one in work.failures.open[:2]
    ]
    lines += [
        (7, f"- latest call: {spelled(call.brief, 110)} {'failed' if call.failed else 'worked'}")
        for call in now.latest[-3:]
    ]
    if now.branch:
        lines.append((8, f"- on branch {spelled(now.branch, 100)}"))
    how = "everything up to this moment" if covered.whole else "everything before the messages that follow this memory"
    lines.append((9, f"- the sections below cover {how}"))
    return lines
