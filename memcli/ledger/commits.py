"""Commits: what the session recorded in version control: commits, pull requests, the branch it works on.

Commits are read from what git prints when it makes one (`[branch hash] subject`), if the command itself runs git. A
quiet one is known by the first lines of a `git log --oneline` in the same output, else by the subject in its command,
without a hash. An amended commit replaces the one before, and one that a log shows under another hash was rewritten.
Pull requests come from records of the harness and from what `gh pr create` prints. What git says of whole files when it
commits (created, renamed, deleted) is told to `Files`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, identity, one_line
from memcli.ledger.git import SUBJECT_LIMIT, Run, records, switches
from memcli.ledger.root import Root
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.deeds import Deed

MAX_COMMITS = 300
MAX_LINKS = 60
SHORTLY = 40  # events
NEAR = 3  # commits among which one subject means one commit, if one of them has no hash
SAYS = 3  # words of a subject that tells a commit from others

_MADE = pattern(r"^\[([\w./-]+)(?: \(root-commit\))?(?: [\w ]+)? ([0-9a-f]{7,40})\] (\S.*)", re.MULTILINE)
_LOGGED = pattern(r"^([0-9a-f]{7,40}) (?:\([^)\n]*\) )?(\S.*)", re.MULTILINE)
_NOTHING = pattern(r"nothing (?:added )?to commit|no changes added to commit|^(?:fatal|error):", re.MULTILINE)
_SWITCHED = pattern(r"Switched to (?:a new )?branch '([^'\s~^:?*\[]{1,200})'")
_WHOLE_FILE = pattern(r"^ (create|delete) mode \d{6} (\S.*)$|^ rename (\S.*) \(\d+%\)$", re.MULTILINE)
_RENAMED = pattern(r"(.*?)\{?([^{}]*?) => ([^{}]*)\}?(.*)")
_PULL = pattern(r"https://[\w.-]+/[\w./-]+/(?:pull|merge_requests)/\d+")


class Commit(msgspec.Struct, array_like=True):
    """One commit, with the subject as git printed it. `sha` is "" if git did not say it, `replaced` are
    hashes it had before it was amended or rewritten. `gone`: the last log in which it had to stand did not show it.
    """

    index: int
    sha: str
    subject: str
    branch: str
    replaced: str = ""
    gone: bool = False


class Commits(msgspec.Struct, array_like=True):
    """Commits by hash, oldest first; links to pull requests; where the agent works."""

    made: dict[str, Commit] = {}
    links: dict[str, str] = {}
    branch: str = ""
    cwd: str = ""
    base: Root = msgspec.field(default_factory=Root)
    told: str = ""  # the branch that the harness said last

    @property
    def root(self) -> str:
        """The project's root, "" if it is not known."""
        return self.base.path

    def placed(self, cwd: str, branch: str) -> None:
        """The working directory or branch changed."""
        self.cwd = identity(clean(cwd)) or self.cwd
        self.base.stands(cwd)
        self.told = identity(clean(branch)) or self.told
        self.branch = identity(clean(branch)) or self.branch

    def printed(self, output: str, deed: Deed, subjects: list[str]) -> None:
        """A shell command that succeeded printed this; `subjects` are those of the commits it was to make by now."""
        index, amends = deed.index, deed.amends
        made = self._made(output, deed.git)
        if not made and subjects and not _NOTHING.search(output):
            logged = [("", sha, subject) for sha, subject in _LOGGED.findall(output)[: len(subjects)]]
            made = [one for one in logged if one[1][:7] not in self.made] or [("", "", one) for one in subjects if one]
        for branch, sha, subject in made:
            self._add(Commit(index, sha[:7], one_line(clean(subject), SUBJECT_LIMIT), identity(branch)), amends)
        self.branch = branch_in(output, deed.git) or self.branch
        logs = [run for run in deed.git if run.verb == "log" and run.what in ("", self.branch)]
        if logs:
            self._logged(output)
        if len(logs) == 1 and not logs[0].some:
            self._missed(output)
        if "pr create" in deed.brief or "mr create" in deed.brief:
            for url in _PULL.findall(output)[:2]:
                self.linked(url, "opened")

    def _made(self, output: str, runs: list[Run]) -> list[tuple[str, str, str]]:
        """(branch, hash, subject) of the commits that git printed. Those of a command that runs no git itself may be of
        another repository: they count if they are on the branch that the harness told (else: that git said before), and
        none begins a repository.
        """
        if not _tells(output):
            return []
        made: list[tuple[str, str, str]] = _MADE.findall(output)
        own = records(runs) or (
            "(root-commit)" not in output and all(one[0] == (self.told or self.branch) for one in made)
        )
        return made if own else []

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

    def _logged(self, output: str) -> None:
        """A log of the branch shows a known subject under another hash: the commit was rewritten by whatever means.

        Only a subject that says something and stands once on both sides tells which commit it is.
        """
        logged = [(sha[:7], one_line(clean(subject), SUBJECT_LIMIT)) for sha, subject in _LOGGED.findall(output)]
        known = Counter(one.subject for one in self.made.values())
        there = Counter(subject for _, subject in logged)
        for sha, subject in logged:
            if known[subject] == there[subject] == 1 and sha not in self.made and _tells_apart(subject):
                self._renamed(next(key for key, one in self.made.items() if one.subject == subject), sha)

    def _missed(self, output: str) -> None:
        """A log of the whole branch does not show commits that were made between some that it shows."""
        lines = output.split("\n")
        found = [place for place, line in enumerate(lines) if _LOGGED.match(line)]
        if not found or len(found) <= found[-1] - found[0]:
            return  # something else stands between them, or some were left out
        shown = {lines[place][:7] for place in found}
        made = list(self.made.values())
        places = [place for place, one in enumerate(made) if one.sha in shown]
        for one in made[places[0] : places[-1] + 1] if places else []:
            one.gone = bool(one.sha) and one.sha not in shown

    def _renamed(self, key: str, sha: str) -> None:
        """The commit of that key has another hash now; it keeps its place."""
        one = self.made[key]
        one.replaced, one.sha = " ".join([*one.replaced.split()[-7:], one.sha]).strip(), sha
        self.made = {(sha if name == key else name): commit for name, commit in self.made.items()}

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


def _tells_apart(subject: str) -> bool:
    """True for words that two commits hardly share by chance."""
    return len(subject.split()) >= SAYS and not subject.startswith("Merge ")


def branch_in(output: str, runs: list[Run]) -> str:
    """The branch git says it is on, after a commit or a switch; "" if it says none, or if the command ran no git."""
    if not switches(runs) or ("Switched to" not in output and not _tells(output)):
        return ""
    found = [(match.start(), match[1]) for rule in (_MADE, _SWITCHED) for match in rule.finditer(output)]
    branch = max(found, default=(0, ""))[1]
    return identity(clean(branch)) if branch not in ("HEAD", "detached") else ""


def _tells(output: str) -> bool:
    """True if git may have printed a commit that it made."""
    return output.startswith("[") or "\n[" in output


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
