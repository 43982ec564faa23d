"""Root: the folder below which a session works, so that paths can be told without it.

A harness that records the working directory says it: the first one counts. Where none does, a path that is used whole
and relative shows it; until then it is the folder common to all files that were written, as long as that is more than
somebody's home.
"""

from __future__ import annotations

import posixpath

import msgspec

from memcli.ledger.clean import clean, identity
from memcli.ledger.shell import is_scratch

MIN_DEPTH = 3  # "/home/dev" is no project
MAX_SEEN = 64


class Root(msgspec.Struct, array_like=True):
    """`path` is "" while nothing is known. `placed`: the harness said it; `shown`: a path did; `scattered`: files have
    no folder in common; `seen`: the latest whole paths, while the harness said nothing.
    """

    path: str = ""
    placed: bool = False
    scattered: bool = False
    shown: bool = False
    seen: list[str] = []

    def stands(self, cwd: str) -> None:
        """The harness named a working directory."""
        cwd = identity(clean(cwd))
        if cwd and not self.placed:
            self.path, self.placed, self.seen = cwd, True, []

    def wrote(self, path: str) -> None:
        """A file was written, named by a whole or a relative path."""
        if self.placed or is_scratch(path):
            return
        if not path.startswith("/"):
            self._used(posixpath.normpath(path))
        elif path not in self.seen:
            self.seen = [*self.seen[1 - MAX_SEEN :], path]
            self._widened(posixpath.dirname(path))

    def _used(self, relative: str) -> None:
        above = {path.removesuffix("/" + relative) for path in self.seen if path.endswith("/" + relative)}
        if "/" in relative and len(above) == 1 and not self.shown:
            self.path, self.shown = above.pop(), True

    def _widened(self, folder: str) -> None:
        if self.scattered or self.shown:
            return
        common = posixpath.commonpath([self.path, folder]) if self.path else folder
        self.scattered = common.count("/") < MIN_DEPTH
        self.path = "" if self.scattered else common
