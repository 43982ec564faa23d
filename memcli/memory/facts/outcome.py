"""Outcome: what of the work is safe and what the world has seen: files since the last commit, deeds outside."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from memcli.ledger.shell import is_scratch
from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.quoting import quoted, spelled
from memcli.memory.sections import ACTIVE_WORK, COMPLETED
from memcli.memory.shown import turn_mark

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger


def uncommitted(ledger: Ledger, room: int) -> list[Line]:
    """One line that says which files changed after the newest commit, as far as they fit in `room` characters."""
    commits = ledger.state.commits
    changed = {path: file for path, file in ledger.state.files.written.items() if _of_project(path, commits.root)}
    if not changed:
        return []
    newest = max(commits.made.values(), key=lambda one: one.index, default=None)
    since = [path for path, file in changed.items() if file.changed > commits.last]
    if newest and not since:
        what = f"every known change is in {newest.sha or 'the newest commit'}"
    else:
        head = (
            f"only in the working tree, not committed since {newest.sha or 'the newest commit'}: " if newest else _NEVER
        )
        what = head + _listed(since[::-1], room - len(head) - len(labels.NOT_COMMITTED) - 5)
    return [Line(ACTIVE_WORK, labels.NOT_COMMITTED, f"- {what}", 0)]


_NEVER = "nothing was committed in this session; only in the working tree: "


def _of_project(path: str, root: str) -> bool:
    return not is_scratch(path) and (not root or not path.startswith("/") or path.startswith(root + "/"))


def _listed(paths: list[str], room: int) -> str:
    """Base names, newest first; how many more there are is said by words, as numbers alone mislead."""
    names = list(dict.fromkeys(map(posixpath.basename, paths)))
    kept: list[str] = []
    for name in names:
        if sum(len(one) + 2 for one in kept) + len(name) > room - 14:
            return ", ".join([*kept, "and others"])
        kept.append(name)
    return ", ".join(kept)


def outward_deeds(ledger: Ledger) -> list[Line]:
    """What others have seen of the work, newest served first."""
    lines = []
    for deed in ledger.state.outward.done.values():
        often = f", {min(deed.times, 99)} times" if deed.times > 1 else ""
        url = f" — output: {quoted(deed.url)}" if deed.url else ""
        mark = turn_mark(ledger, deed.index)
        lines.append(Line(COMPLETED, labels.OUTWARD, f"- {mark}{spelled(deed.command, 120)}{often}{url}", deed.index))
    return lines[::-1]
