"""Current State: the moment of compaction, in a fixed part of the budget.

It is made from `Present`, the small fold that stands at the end of the transcript while the ledger stands at the last
legal boundary; so it can be written anew at every append without touching the rest of the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.ledger.answers import joined
from memcli.memory.quoting import quoted, spelled, told, worded
from memcli.memory.sections import current_state_limit
from memcli.memory.shown import local, shown_command, tool_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.ledger.failures import Failure
    from memcli.ledger.present import Call, Present


class Covered(msgspec.Struct, frozen=True):
    """How far the sections reach: whether messages follow that they do not cover yet."""

    whole: bool = True


_WHOLE = Covered()

JOBS = 4


class _Placed(NamedTuple):
    """A line and its place in the text; lines are served in the order they come, so the important come first."""

    place: int
    text: str


def current_state(present: Present, budget: int, covered: Covered = _WHOLE) -> str:
    """The text of the section, at most `current_state_limit(budget)` characters."""
    limit = current_state_limit(budget)
    kept: list[_Placed] = []
    used = 0
    for line in _lines(present, covered, limit):
        if used + len(line.text) + 1 <= limit:
            kept.append(line)
            used += len(line.text) + 1
    return "\n".join(line.text for line in sorted(kept, key=lambda line: line.place))


def _lines(present: Present, covered: Covered, limit: int) -> Iterator[_Placed]:
    now = present.state
    if now.request:
        command = f"{spelled(now.command)} " if now.command else ""
        yield _Placed(0, f"- last request, user: {command}{quoted(now.request, limit * 2 // 5)}")
    elif now.command:
        yield _Placed(0, f"- last request: the user ran {spelled(now.command)}")
    if now.answers:
        yield _Placed(0, f"- it answers the agent's: {quoted(joined(now.answers, limit // 4))}")
    for words in now.added:
        yield _Placed(0, f"- said since, user: {quoted(words, limit // 6)}")
    if now.interrupted:
        yield _Placed(1, "- the user stopped the agent; what it was doing is unfinished")
    if now.said:
        yield _Placed(2, f"- said last, agent: {quoted(now.said, limit * 3 // 10)}")
    for deed in present.open[-3:]:
        brief = shown_command(deed.brief, present.root, 110)
        yield _Placed(3, f"- call without a result yet: {told(deed.tool, 40)} {brief}")
    for name, deed in list(present.running.items())[:JOBS]:
        what = worded(deed.title, 100) if deed.title else shown_command(deed.brief, present.root, 100)
        earlier = ", started in an earlier turn, its end was not seen" if deed.index < now.turn else ""
        yield _Placed(3, f"- running in background: {what} (id {spelled(name, 40)}){earlier}")
    yield from _unfinished(present)
    if now.branch not in ("", "HEAD"):
        yield _Placed(8, f"- on branch {spelled(now.branch, 100)}")
    how = "everything up to this moment" if covered.whole else "everything before the messages that follow this memory"
    yield _Placed(9, f"- the sections below cover {how}")
    said = ""
    for age, call in enumerate(reversed(now.latest)):
        why, said = (call.why if call.why != said else ""), call.why  # one purpose of several calls is said once
        yield _Placed(7, _called(call, why, present.root, "latest" if not age else "before that"))


def _unfinished(present: Present) -> Iterator[_Placed]:
    """What is in progress or fails at this moment."""
    work, root = present.state.work, present.root
    for text, status in work.todos.pending:
        if status == "in_progress":
            yield _Placed(4, f"- [~] in progress: {told(text, 120)}")
    for name in work.checks.names[:4]:
        yield _Placed(5, f"- failing test, output: {quoted(name, 100)}")
    newest = {one.key: one for one in reversed(work.failures.open) if _of_now(present, one)}
    for failure in sorted(newest.values(), key=lambda one: -one.last)[:2]:
        what = tool_of(failure.kind, failure.key) + shown_command(failure.what, root, 70)
        cause = f", agent then: {quoted(failure.cause, 110)}" if failure.cause else ""
        yield _Placed(6, f"- OPEN error of {what}, output: {quoted(failure.lines[0], 130)}{cause}")


def _of_now(present: Present, failure: Failure) -> bool:
    """True for an error of this turn that still stands. Once the turn has ended, what it only tried on the way is none
    any more: checks are, and what went wrong last.
    """
    if failure.last < present.state.turn:
        return False
    if failure.proves or not present.state.over:
        return True
    return not failure.passing and failure.seen.calls == present.state.work.now.calls


def _called(call: Call, why: str, root: str, when: str) -> str:
    """A call in one line; of a script that would have to be cut anyway its purpose says more than its first words."""
    brief = local(call.brief, root)
    why = f", {worded(why, 80).rstrip('.:')}" if why else ""
    return f"- {when}{why}: {shown_command(brief, root, 80 if why and len(brief) > 110 else 110)} {call.ended}"
