"""The roster: every transcript there is to follow, and the little that is kept of one while it rests.

A transcript is *awake* while its session is in memory, in a keeper: it was appended to a moment ago, has much left to
be read, or waits for an answer. All others rest: what they know stands in their sidecars, and here stands only what
tells whether they changed. The next change wakes them, and they go on as if they had never rested.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memcli.sidecar.place import ROOM
from memcli.watch.tail import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Known:
    """One transcript, by its real path.

    `seen` is what stood there when it was read last, or put on the list of what is to be read (None: nothing).
    `refused` says why it is not followed, `held` that it is because another process has it. `elsewhere` is its sidecar
    if that lies in the user's state directory; `told` is True once it was told that it is followed. `owed` is None, or
    when a model that was wanted for its memory and did not write may be asked again (Unix seconds; 0: to be found out).
    """

    __slots__ = ("elsewhere", "held", "owed", "path", "refused", "seen", "told")

    def __init__(self, path: str) -> None:
        self.path = path
        self.seen: Identity | None = None
        self.refused = ""
        self.held = False
        self.elsewhere = ""
        self.told = False
        self.owed: float | None = None

    @property
    def sidecar(self) -> str:
        """Where its files lie, as the last keeper had it."""
        directory, name = os.path.split(self.path)
        return self.elsewhere or f"{directory}{os.sep}{ROOM}{os.sep}{name}"

    def continues(self, seen: Identity) -> bool:
        """True if the same file stands there as was `seen`, longer at most."""
        now = identity(self.path)
        return now is not None and now[:2] == seen[:2] and now.size >= seen.size

    def changed(self) -> bool:
        """True if something else stands there than what was read. Of what is no transcript only another file counts."""
        now, seen = identity(self.path), self.seen
        if now == seen:
            return False
        if now is None:
            self.seen = None
            return False
        if self.refused and not self.held and seen is not None:
            return not self.continues(seen)
        return True


class Roster:
    """The transcripts by their paths."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Known]:
        return iter(self._known.values())

    def get(self, path: str) -> Known | None:
        """The transcript at this path, if it is known."""
        return self._known.get(path)

    def add(self, path: str) -> Known:
        """The transcript at this path, known from now on."""
        if path not in self._known:
            self._known[path] = Known(path)
        return self._known[path]

    def forget(self, keep: Collection[str]) -> None:
        """Forget those whose files are gone, but for those to `keep`."""
        gone = [known.path for known in self if known.seen is None and known.path not in keep]
        for path in gone:
            if not os.path.exists(path):
                del self._known[path]

    def sweep(self) -> list[Known]:
        """Look at every path: those where something changed since it was read."""
        return [known for known in self if not _stands(known) and known.changed()]


def _stands(known: Known) -> bool:
    """True if just what was seen stands there: the answer for nearly all of them, at the price of the stat alone."""
    seen = known.seen
    try:
        stat = os.stat(known.path)
    except OSError:
        return False
    return (
        seen is not None
        and stat.st_mtime_ns == seen.mtime_ns
        and stat.st_size == seen.size
        and stat.st_ino == seen.inode
        and stat.st_dev == seen.device
    )
