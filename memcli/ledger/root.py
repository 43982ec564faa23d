"""Root: the folder below which a session works, so that paths can be told without it.

A harness that records the working directory says it: the first one counts. Where none does, it is the folder common to
all files that were written, as long as that is more than somebody's home.
"""

from __future__ import annotations

import posixpath

import msgspec

from memcli.ledger.clean import clean, identity
from memcli.ledger.shell import is_scratch

MIN_DEPTH = 3  # "/home/dev" is no project


class Root(msgspec.Struct, array_like=True):
    """`path` is "" while nothing is known; `placed`: the harness said it; `scattered`: files have no common folder."""

    path: str = ""
    placed: bool = False
    scattered: bool = False

    def stands(self, cwd: str) -> None:
        """The harness named a working directory."""
        cwd = identity(clean(cwd))
        if cwd and not self.placed:
            self.path, self.placed = cwd, True

    def wrote(self, path: str) -> None:
        """A file was written."""
        if self.placed or self.scattered or not path.startswith("/") or is_scratch(path):
            return
        folder = posixpath.dirname(path)
        common = posixpath.commonpath([self.path, folder]) if self.path else folder
        self.scattered = common.count("/") < MIN_DEPTH
        self.path = "" if self.scattered else common
