"""Git: which git commands a command line runs, as far as the ledger asks of it, and how it names its commits.

Told by the words of the whole command, wherever they stand in it; what is only written to a file is not run. So what
other programs print about repositories of their own is not taken for the work of the session.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, identity, one_line
from memcli.ledger.shell import is_scratch, split, without_written
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    import re

MAX_RUNS = 12
SUBJECT_LIMIT = 120

RECORDS = frozenset(("commit", "rebase", "merge", "cherry-pick", "revert", "am", "pull"))
"""Commands that print `[branch hash] subject` of what they made."""

SWITCHES = frozenset(("checkout", "switch", "stash", "worktree", "bisect"))
"""Commands that may leave another branch behind them, besides those that record."""

_KEPT = RECORDS | SWITCHES | {"log", "status", "reset", "restore"}
_RUN = pattern(
    r"\bcd\s+(?P<folder>\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|()]+)"
    r"|\bgit\s+(?P<settings>(?:-[cC]\s+\S+\s+|--[\w-]+(?:=\S+)?\s+)*)(?P<verb>[a-z][a-z-]+)\b"
    r"(?P<rest>(?:>&\d|[^\n;&|])*)(?P<piped>\|(?!\|))?"
    r"|\bgh\s+pr\s+(?P<other>checkout)\b"
)
_COMMIT = r"\bgit\s+(?:-[cC]\s+\S+\s+)*commit\b"
_COMMITS = pattern(_COMMIT)
_SUBJECT = pattern(
    rf"{_COMMIT}[^;&|\n]*?\s(?:-\w*m\s*|--message[= ]\s*)"
    r"(?:\"\$\(cat\s+<<-?\s*['\"]?\w+['\"]?[^\n]*\n\s*([^\n]+)|\"((?:[^\"\\\n]|\\.)+)|'([^'\n]+)"
    r"|([^\s\"'$`\\;&|<>()#-][^\s\"'$`\\;&|<>()]*)(?=['\"]?(?:[\s;&|)]|$)))"
)
_FROM_STDIN = pattern(r"\bcommit\b[^;&|\n]*\s(?:-F|--file[= ])\s*-[^\n]*<<-?\s*['\"]?\w+['\"]?[^\n]*\n\s*([^\n]+)")
_AT = pattern(r"-C\s+[\"']?([^\s\"']+)")
_MADE_THERE = pattern(r"\bgit\s+(?:init|clone)\b")
_OPTION = pattern(r"--?[\w-]+(?:=\w*)?")
_ALL_FILES = pattern(r"(?:-u|--untracked-files=)no")
_SHORT_FORM = pattern(r"-s|--short|--porcelain")
_SHOWS_ALL = pattern(r"--oneline|--(?:no-)?decorate(?:=\w+)?|-n?\d*|--abbrev-commit|--(?:format|pretty)=.*")
_MORE_THAN_HEAD = frozenset(("--all", "-g", "--walk-reflogs", "--reflog", "--branches", "--remotes", "--tags"))


class Run(msgspec.Struct, array_like=True):
    """One git command: its verb, and the folder it was told to run in ("" if none). `what` is the branch of a log, ""
    for HEAD; "short" for a status in the short form. `some`: of the log not every commit is shown.
    """

    verb: str
    where: str = ""
    what: str = ""
    some: bool = False


def runs_in(command: str) -> list[Run]:
    """The git commands that record, switch, take back or show commits and changes, in order.

    A `status` counts only if it lists all changes, a `log` only if it is that of one branch; and none of those counts
    that run in a repository the same command made somewhere for a while.
    """
    if "git" not in command and "gh pr" not in command:
        return []
    text = without_written(command)
    apart = bool(_MADE_THERE.search(text))
    found: list[Run] = []
    where = ""
    for match in _RUN.finditer(text):
        if match["folder"]:
            where = posixpath.join(where, match["folder"].strip("\"'"))
            continue
        run = _run(match, where)
        if run and not (apart and (is_scratch(run.where) or run.where.startswith("$"))):
            found.append(run)
    return found[-MAX_RUNS:]


def _run(match: re.Match[str], where: str) -> Run | None:
    verb = match["verb"] or match["other"]
    if verb not in _KEPT:
        return None
    at = _AT.search(match["settings"] or "")
    run = Run(verb, identity(clean(posixpath.join(where, at[1]) if at else where)))
    words = list(split(match["rest"] or "")) if verb in ("status", "log") else []
    if verb == "status":
        run.what = "short" if any(map(_SHORT_FORM.match, words)) else ""
        whole = all(map(_OPTION.fullmatch, words)) and not any(map(_ALL_FILES.fullmatch, words))
        return run if whole and not match["piped"] else None
    if verb == "log":
        run.what = identity(clean(_ref(words)))
        options = [word for word in words if word.startswith("-")]
        run.some = bool(match["piped"]) or not all(map(_SHOWS_ALL.fullmatch, options))
        return None if _MORE_THAN_HEAD.intersection(words) else run
    return run


def _ref(words: list[str]) -> str:
    """The branch of which a log is shown; "" for HEAD."""
    words = words[: words.index("--")] if "--" in words else words
    named = [word for word in words if not word.startswith("-") and not word.isdigit()]
    last = named[-1].rpartition("..")[2].lstrip(".") if named else ""
    return "" if last.startswith("HEAD") else last


def records(runs: list[Run]) -> bool:
    """True if one of them makes commits."""
    return any(run.verb in RECORDS for run in runs)


def subjects_in(command: str) -> list[str]:
    """Subjects of the commits a command makes, "" for one that does not say it; none if it makes no commit."""
    if "commit" not in command:
        return []
    command = without_written(command)
    many = len(_COMMITS.findall(command))
    said = [next(filter(None, found)) for found in _SUBJECT.findall(command)] + _FROM_STDIN.findall(command)
    subjects = [one_line(clean(text.split("\\n", 1)[0], head=400), SUBJECT_LIMIT) for text in said]
    return (subjects + [""] * many)[:many]


def switches(runs: list[Run]) -> bool:
    """True if another branch may stand behind them."""
    return any(run.verb in RECORDS or run.verb in SWITCHES for run in runs)
