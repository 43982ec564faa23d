"""Tree: what git does to the files of a working tree, and what it says of them, besides recording them.

What it takes back (`checkout -- path`, `restore`, `reset --hard`) or puts aside (`stash`) is no change any more that
waits for a commit; what a `status` does not list was recorded, by whomever, what it lists was not.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from memcli.ledger.clean import clean
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.commits import Commits
    from memcli.ledger.deeds import Change, Deed
    from memcli.ledger.files import File, Files
    from memcli.ledger.git import Run

WHOLE = ":/"
"""What a path ends in that means all that git keeps."""

MAX_LISTED = 400

_SHORT = pattern(r"^(?!  )([ MADRCUT?]{2}) (\S[^\n]*)$", re.MULTILINE)
_LONG = pattern(r"^\t(?:(?:new file|modified|deleted|renamed|copied|typechange|both \w+): +)?(\S[^\n]*)$", re.MULTILINE)
_IS_LONG = pattern(
    r"^(?:nothing to commit|Changes (?:to be committed|not staged)|Untracked files:|Unmerged)", re.MULTILINE
)


def took(files: Files, change: Change, index: int, commits: Commits) -> None:
    """Git took back or put aside what was not recorded of tracked files, or brought back or dropped what was aside."""
    if _nobody_knows(change.path):
        return
    path = change.path.removesuffix(WHOLE)
    whole = posixpath.normpath(posixpath.join(commits.cwd, path)) if path or commits.cwd else "."
    if path != change.path and commits.root and f"{whole}/".startswith(f"{commits.root}/"):
        whole = commits.root
    named = files.at(change.path, commits.cwd)
    for known, file in files.written.items():
        if change.state in ("unstashed", "dropped"):
            _left_aside(file, back=change.state == "unstashed")
        elif known == named or ((whole == "." or known.startswith(whole + "/")) and _tracked(file, commits.last)):
            _taken(file, index, max(commits.last, file.clean), aside=change.state == "stashed")


def _nobody_knows(path: str) -> bool:
    """True for a path below a home or a variable: which folder that is no transcript tells."""
    return "~" in path or "$" in path


def _tracked(file: File, last: int) -> bool:
    """True if git knows the file: it was not made after what git is known to have recorded."""
    return file.state != "created" or file.made <= max(last, file.clean)


def _taken(file: File, index: int, base: int, *, aside: bool) -> None:
    """Changes after `base` are in the tree no more, nor for good anywhere, unless they are put `aside`."""
    if not file.uncommitted(base):
        return
    file.undone, file.aside = index, aside
    if aside:
        return
    file.names = {name: since for name, since in file.names.items() if since <= max(base, 0)}
    file.touches = [touch for touch in file.touches if touch.last <= base]
    file.remarks = file.remarks if file.touches else []
    if file.state == "deleted":
        file.state = "created" if file.made >= 0 else "modified" if file.touches else ""


def _left_aside(file: File, *, back: bool) -> None:
    """What was put aside is so no more: it is in the tree again, or nowhere."""
    if file.aside:
        file.undone, file.aside = -1 if back else file.undone, False


def showed(files: Files, output: str, deed: Deed, commits: Commits) -> None:
    """A shell command that succeeded printed this: if it is the whole of a `git status`, what it says of each file."""
    run = _last_status(deed.git)
    listed = _listed(output, short=run.what == "short") if run else None
    if run is None or listed is None or _nobody_knows(run.where):
        return
    here = posixpath.normpath(posixpath.join(commits.cwd, run.where)) if run.where or commits.cwd else ""
    root = commits.root
    if root and here and not f"{here}/".startswith(f"{root}/") and not f"{root}/".startswith(f"{here}/"):
        return  # another repository
    dirty = {files.at(path, here) for path in listed}
    folders = tuple(files.at(path, here) + "/" for path in listed if path.endswith("/"))
    for path, file in files.written.items():
        if root and path.startswith("/") and not path.startswith((f"{root}/", f"{here}/")):
            continue
        if path in dirty or path.startswith(folders):
            file.dirty, file.undone = deed.index, -1
        elif file.changed != deed.index:  # it may have changed behind it
            file.clean = deed.index


def _last_status(runs: list[Run]) -> Run | None:
    """The status behind which nothing was recorded or taken back."""
    for run in reversed(runs):
        if run.verb != "log":
            return run if run.verb == "status" else None
    return None


def _listed(output: str, *, short: bool) -> list[str] | None:
    """Paths with changes that are not recorded, folders with a slash behind them; None if that is not known."""
    long = _IS_LONG.search(output)
    if not (long or short):
        return None
    found = _LONG.findall(output) if long else [path for _, path in _SHORT.findall(output)]
    if len(found) > MAX_LISTED:
        return None
    return [clean(one.strip('"'), head=300) for path in found for one in path.split(" -> ")]
