"""Completed Work: commits with their hashes, deeds others have seen, links, finished to-dos, results of turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import labels
from memcli.memory.budget import Line, fair_limit
from memcli.memory.facts.outcome import outward_deeds
from memcli.memory.quoting import quoted, told
from memcli.memory.results import closings
from memcli.memory.sections import COMPLETED
from memcli.memory.shown import turn_mark

if TYPE_CHECKING:
    from memcli.ledger.commits import Commit
    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups

CLOSINGS_SHARE = 0.5  # of the section's share: what came of each turn
HASHES = 80  # of earlier commits
HASHES_A_LINE = 10


def completed_work(ledger: Ledger, share: int) -> Groups:
    """The section's groups: commits that stand whole, deeds outside, links, finished to-dos, what came of turns."""
    whole, _, fair = _parted(ledger, share)
    commits = [
        Line(COMPLETED, labels.COMMITS, f"- {turn_mark(ledger, one.index)}{_commit(one, fair)}", one.index)
        for one in whole
    ]
    return [
        (commits[::-1], share // 2),
        (outward_deeds(ledger), share // 3),
        (_links(ledger)[::-1], share // 6),
        (_finished(ledger, share)[::-1], share // 2),
        (closings(ledger), int(share * CLOSINGS_SHARE)),
    ]


def earlier_commits(ledger: Ledger, share: int) -> list[Line]:
    """Hashes of the commits that have no room to stand whole. They take so little that they are served first of all:
    where Completed Work comes to be laid out, the room may be gone.
    """
    _, bare, _ = _parted(ledger, share)
    hashes = [sha for one in bare[-HASHES:] for sha in (*one.replaced.split(), one.sha) if sha]
    # several lines: where not all fit, some do
    parts = [hashes[start : start + HASHES_A_LINE] for start in range(0, len(hashes), HASHES_A_LINE)]
    return [
        Line(COMPLETED, labels.COMMITS, f"- earlier: {', '.join(part)}", place - 100)
        for place, part in enumerate(parts)
    ]


def _parted(ledger: Ledger, share: int) -> tuple[list[Commit], list[Commit], int]:
    """Commits that stand whole, those of which the hash stands, and the characters a subject may have."""
    commits = list(ledger.state.commits.made.values())
    fair = fair_limit([len(one.subject) + 33 for one in commits], share // 2 - len(labels.COMMITS)) - 33
    few = max(1, (share // 2 - 9 * len(commits)) // 105)  # what stands whole leaves room for the hashes of the others
    return (commits, [], fair) if fair >= 30 else (commits[-few:], commits[:-few], 60)


def _commit(one: Commit, limit: int) -> str:
    """A commit in one line. Without a hash its subject is known from the command, so it is the agent's."""
    replaced = f", rewritten (before: {one.replaced.replace(' ', ', ')})" if one.replaced else ""
    replaced += ", not in the log printed later" if one.gone else ""
    if one.sha:
        return f"{one.sha} — output: {quoted(one.subject, limit)}{replaced}"
    return f"hash not printed — agent: {quoted(one.subject, limit)}{replaced}"


def _links(ledger: Ledger) -> list[Line]:
    return [
        Line(COMPLETED, labels.LINKS, f"- {told(label) or 'recorded'}: {quoted(url)}", place)
        for place, (url, label) in enumerate(ledger.state.commits.links.items())
    ]


def _finished(ledger: Ledger, share: int) -> list[Line]:
    done = ledger.state.work.todos.completed
    limit = max(60, fair_limit([len(text) + 8 for text in done], share // 2) - 8)
    return [Line(COMPLETED, labels.DONE, f"- [x] {told(text, limit)}", place) for place, text in enumerate(done)]
