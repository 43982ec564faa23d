"""Key References: branch and root, rules of commands and skills, code of the person; more comes from the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.clean import ELISION
from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.quoting import fenced, quoted, spelled
from memcli.memory.sections import REFERENCES
from memcli.memory.shown import turn_mark

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.memory.budget import Groups

RULES_SHOWN = 2  # texts of commands and skills
RULES_SHARE = 0.75  # of the section's share


def key_references(ledger: Ledger, share: int) -> Groups:
    """The section's groups: where the work lies, rules of commands and skills, code of the person."""
    return [(_place(ledger), share), (_rules(ledger), int(share * RULES_SHARE)), (_snippets(ledger), share)]


def _place(ledger: Ledger) -> list[Line]:
    commits = ledger.state.commits
    lines = []
    if commits.branch not in ("", "HEAD"):
        lines.append(Line(REFERENCES, "", f"- works on branch {spelled(commits.branch, 120)}", 0))
    if commits.root:
        what = "project root" if commits.cwd else "files lie below"
        lines.append(Line(REFERENCES, "", f"- {what} {spelled(commits.root, 160)}, in commands …/", -1))
    return lines


def _rules(ledger: Ledger) -> list[Line]:
    """Rules of the newest commands and skills, newest served first."""
    known = list(ledger.state.instructions.known.items())[-RULES_SHOWN:]
    return [
        Line(
            REFERENCES,
            labels.RULES,
            f"- {turn_mark(ledger, one.index)}{spelled(name, 80)}: {quoted(f' {ELISION} '.join(one.rules))}",
            one.index,
        )
        for name, one in reversed(known)
    ]


def _snippets(ledger: Ledger) -> list[Line]:
    """Code of the user, newest served first."""
    return [
        Line(
            REFERENCES,
            labels.SNIPPETS,
            f"- {turn_mark(ledger, one.index)}\n{fenced(one.code, one.language)}",
            one.index,
        )
        for one in reversed(ledger.state.requests.snippets)
    ]
