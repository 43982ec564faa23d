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
    from memcli.ledger.commits import Commit
    from memcli.ledger.files import File
    from memcli.ledger.ledger import Ledger


def uncommitted(ledger: Ledger, room: int) -> list[Line]:
    """What is in the working tree alone and what git took out of it, as far as file names fit in `room` characters."""
    commits = ledger.state.commits
    changed = {path: file for path, file in ledger.state.files.written.items() if _of_project(path, commits.root)}
    if not changed:
        return []
    said = _waiting(changed, max(commits.made.values(), key=lambda one: one.index, default=None))
    for head, aside in (("put aside with `git stash`: ", True), ("changes since then taken back with git: ", False)):
        gone = [path for path, file in changed.items() if file.taken_back and file.aside == aside]
        if recent := [path for path in gone if aside or changed[path].undone > commits.last]:
            said.append((head, recent))
    fair = room // max(1, len(said)) - len(labels.NOT_COMMITTED) // max(1, len(said)) - 5
    return [
        Line(ACTIVE_WORK, labels.NOT_COMMITTED, f"- {head}{_listed(paths[::-1], fair - len(head))}", place)
        for place, (head, paths) in enumerate(said)
    ]


def _waiting(changed: dict[str, File], newest: Commit | None) -> list[tuple[str, list[str]]]:
    """What is said of changes that wait for a commit, and the files it is said of."""
    last = newest.index if newest else -1
    name = (newest.sha or "the newest commit") if newest else ""
    waiting = [path for path, file in changed.items() if file.uncommitted(last)]
    if waiting and newest:
        return [(f"only in the working tree, not committed since {name}: ", waiting)]
    if waiting:
        asked = any(max(changed[path].dirty, changed[path].clean) >= 0 for path in waiting)
        return [(_LISTED if asked else _NEVER, waiting)]
    rest = [file for file in changed.values() if not (file.taken_back and (file.aside or file.undone > last))]
    if not rest:
        return []
    if newest and all(file.changed <= last for file in rest):
        return [(f"every {'known' if len(rest) == len(changed) else 'other'} change is in {name}", [])]
    return [(f"git showed no change left without a commit{f', the newest known is {name}' if name else ''}", [])]


_LISTED = "not committed when git was asked last, or changed since: "
_NEVER = "the agent made no commit, whether the user did is not known; changed: "


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
