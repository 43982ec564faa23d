"""Commits: what the session recorded in version control: commits, pull requests, the branch it works on.

Commits are read from what git prints when it makes one (`[branch hash] subject`), pull requests from records of the
harness and from what `gh pr create` prints.
"""

from __future__ import annotations

import re

import msgspec

from memcli.ledger.clean import clean, identity, one_line

MAX_COMMITS = 300
MAX_LINKS = 60
SUBJECT_LIMIT = 120

_MADE = re.compile(r"^\[([\w./-]+)(?: \(root-commit\))?(?: [\w ]+)? ([0-9a-f]{7,40})\] (\S.*)", re.MULTILINE)
_PULL = re.compile(r"https://[\w.-]+/[\w./-]+/(?:pull|merge_requests)/\d+")


class Commit(msgspec.Struct, array_like=True):
    """One commit, with the subject as git printed it."""

    index: int
    sha: str
    subject: str
    branch: str


class Commits(msgspec.Struct, array_like=True):
    """Commits by hash, oldest first; links to pull requests; where the agent works."""

    made: dict[str, Commit] = {}
    links: dict[str, str] = {}
    branch: str = ""
    cwd: str = ""
    root: str = ""

    def placed(self, cwd: str, branch: str) -> None:
        """The working directory or branch changed. The first directory is taken as the project's root."""
        self.cwd = identity(cwd) or self.cwd
        self.root = self.root or self.cwd
        self.branch = identity(branch) or self.branch

    def printed(self, output: str, command: str, index: int) -> None:
        """A shell command that succeeded printed this."""
        for branch, sha, subject in _MADE.findall(output):
            self.made.setdefault(
                sha[:7], Commit(index, sha[:7], one_line(clean(subject), SUBJECT_LIMIT), identity(branch))
            )
            if len(self.made) > MAX_COMMITS:
                del self.made[next(iter(self.made))]
        if "pr create" in command or "mr create" in command:
            for url in _PULL.findall(output)[:2]:
                self.linked(url, "opened")

    def linked(self, url: str, label: str) -> None:
        """A pull request or issue was recorded."""
        self.links.setdefault(identity(clean(url)), one_line(clean(label), SUBJECT_LIMIT))
        if len(self.links) > MAX_LINKS:
            del self.links[next(iter(self.links))]
