"""Commits: what the session recorded in version control: commits, pull requests, the branch it works on.

Commits are read from what git prints when it makes one (`[branch hash] subject`). A quiet one is known by the first
lines of a `git log --oneline` in the same output, else by the subject in its command, without a hash. An amended commit
replaces the one before. Pull requests come from records of the harness and from what `gh pr create` prints. What git
says of whole files when it commits (created, renamed, deleted) is told to `Files`.
"""

from __future__ import annotations

import re

import msgspec

from memcli.ledger.clean import clean, identity, one_line
from memcli.ledger.root import Root
from memcli.transcript.patterns import pattern

MAX_COMMITS = 300
MAX_LINKS = 60
SHORTLY = 40  # events
NEAR = 3  # commits among which one subject means one commit, if one of them has no hash
SUBJECT_LIMIT = 120

_MADE = pattern(r"^\[([\w./-]+)(?: \(root-commit\))?(?: [\w ]+)? ([0-9a-f]{7,40})\] (\S.*)", re.MULTILINE)
_LOGGED = pattern(r"^([0-9a-f]{7,40}) (?:\([^)\n]*\) )?(\S.*)", re.MULTILINE)
_COMMITS = pattern(r"\bgit\s+(?:-[cC]\s+\S+\s+)*commit\b")
_SUBJECT = pattern(
    r"\bgit\s+(?:-[cC]\s+\S+\s+)*commit\b[^;&|\n]*?\s(?:-\w*m\s*|--message[= ]\s*)"
    r"(?:\"\$\(cat\s+<<-?\s*['\"]?\w+['\"]?[^\n]*\n\s*([^\n]+)|\"((?:[^\"\\\n]|\\.)+)|'([^'\n]+)"
    r"|([^\s\"'$`\\;&|<>()#-][^\s\"'$`\\;&|<>()]*)(?=['\"]?(?:[\s;&|)]|$)))"
)
_FROM_STDIN = pattern(r"\bcommit\b[^;&|\n]*\s(?:-F|--file[= ])\s*-[^\n]*<<-?\s*['\"]?\w+['\"]?[^\n]*\n\s*([^\n]+)")
_NOTHING = pattern(r"nothing (?:added )?to commit|no changes added to commit|^(?:fatal|error):", re.MULTILINE)
_SWITCHED = pattern(r"Switched to (?:a new )?branch '([^'\s~^:?*\[]{1,200})'")
_WHOLE_FILE = pattern(r"^ (create|delete) mode \d{6} (\S.*)$|^ rename (\S.*) \(\d+%\)$", re.MULTILINE)
_RENAMED = pattern(r"(.*?)\{?([^{}]*?) => ([^{}]*)\}?(.*)")
_PULL = pattern(r"https://[\w.-]+/[\w./-]+/(?:pull|merge_requests)/\d+")


class Commit(msgspec.Struct, array_like=True):
    """One commit, with the subject as git printed it. `sha` is "" if git did not say it, `replaced` is the hash of the
    commit it amended.
    """

    index: int
    sha: str
    subject: str
    branch: str
    replaced: str = ""


class Commits(msgspec.Struct, array_like=True):
    """Commits by hash, oldest first; links to pull requests; where the agent works."""

    made: dict[str, Commit] = {}
    links: dict[str, str] = {}
    branch: str = ""
    cwd: str = ""
    base: Root = msgspec.field(default_factory=Root)

    @property
    def root(self) -> str:
        """The project's root, "" if it is not known."""
        return self.base.path

    def placed(self, cwd: str, branch: str) -> None:
        """The working directory or branch changed."""
        self.cwd = identity(clean(cwd)) or self.cwd
        self.base.stands(cwd)
        self.branch = identity(clean(branch)) or self.branch

    def printed(
        self, output: str, command: str, index: int, subjects: list[str] | None = None, *, amends: bool = False
    ) -> None:
        """A shell command that succeeded printed this; `subjects` are those of the commits it was to make."""
        made = _MADE.findall(output) if _tells(output) else []
        if not made and subjects and not _NOTHING.search(output):
            logged = [("", sha, subject) for sha, subject in _LOGGED.findall(output)[: len(subjects)]]
            made = [one for one in logged if one[1][:7] not in self.made] or [("", "", one) for one in subjects if one]
        for branch, sha, subject in made:
            self._add(Commit(index, sha[:7], one_line(clean(subject), SUBJECT_LIMIT), identity(branch)), amends)
        self.branch = branch_in(output) or self.branch
        if "pr create" in command or "mr create" in command:
            for url in _PULL.findall(output)[:2]:
                self.linked(url, "opened")

    def _add(self, commit: Commit, amends: bool) -> None:
        if commit.sha and commit.sha in self.made:
            return
        # What was known by its command alone and is printed now, or the other way round, is one commit.
        near = [] if amends else self._near(commit)
        if near and not commit.sha:
            self.made[near[-1]].index = commit.index
            return
        for key in near:
            if not self.made[key].sha:
                del self.made[key]
        if amends and self.made:
            before = self.made.pop(next(reversed(self.made)))
            commit.replaced = " ".join([*before.replaced.split()[-7:], before.sha]).strip()
        self.made[commit.sha or f"at {commit.index} {commit.subject}"] = commit
        if len(self.made) > MAX_COMMITS:
            del self.made[next(iter(self.made))]

    def _near(self, commit: Commit) -> list[str]:
        """Keys of commits made shortly before with the same subject."""
        return [
            key
            for key, one in list(self.made.items())[-NEAR:]
            if one.subject == commit.subject and commit.index - one.index <= SHORTLY
        ]

    @property
    def last(self) -> int:
        """The event of the newest commit; -1 if none was made."""
        return max((one.index for one in self.made.values()), default=-1)

    def linked(self, url: str, label: str) -> None:
        """A pull request or issue was recorded."""
        self.links.setdefault(identity(clean(url)), one_line(clean(label), SUBJECT_LIMIT))
        if len(self.links) > MAX_LINKS:
            del self.links[next(iter(self.links))]


def branch_in(output: str) -> str:
    """The branch git says it is on, after a commit or a switch; "" if it says none."""
    if "Switched to" not in output and not _tells(output):
        return ""
    found = [(match.start(), match[1]) for rule in (_MADE, _SWITCHED) for match in rule.finditer(output)]
    branch = max(found, default=(0, ""))[1]
    return identity(clean(branch)) if branch not in ("HEAD", "detached") else ""


def _tells(output: str) -> bool:
    """True if git may have printed a commit that it made."""
    return output.startswith("[") or "\n[" in output


def subjects_in(command: str) -> list[str]:
    """Subjects of the commits a command makes, "" for one that does not say it; none if it makes no commit."""
    if "commit" not in command:
        return []
    many = len(_COMMITS.findall(command))
    said = [next(filter(None, found)) for found in _SUBJECT.findall(command)] + _FROM_STDIN.findall(command)
    subjects = [one_line(clean(text.split("\\n", 1)[0], head=400), SUBJECT_LIMIT) for text in said]
    return (subjects + [""] * many)[:many]


def whole_files(output: str) -> list[tuple[str, str, str]]:
    """What git says of whole files when it commits: (state, path, path before or "")."""
    found = []
    for verb, path, renamed in _WHOLE_FILE.findall(output):
        if renamed and (match := _RENAMED.fullmatch(renamed)):
            head, old, new, tail = match.groups()
            head, old = (head, old) if "{" in renamed else ("", head + old)
            found.append(("created", _spelled(head + new + tail), _spelled(head + old + tail)))
        elif verb:
            found.append((f"{verb}d", _spelled(path), ""))
    return found


def _spelled(path: str) -> str:
    return clean(path.replace("//", "/"), head=300)
