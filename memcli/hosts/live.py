"""Live sessions: what `watch` follows of a host that does not tell which sessions a client has open.

Also what all hosts have in common: when a session is live, and how one of our own summarizer is known.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from typing import TYPE_CHECKING

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import DAEMON, Lock
from memcli.transcript.encode.common import derive

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.hosts.recorded import Recorded

LIVE_SECONDS = 900.0
"""A session that was written to within this time is live, also if no running client names it."""

OWN_WORDS = b"You keep the written part of a session memory for a coding agent."
"""How a session begins that a summarizer of ours has left behind: with the first words of our prompt."""

OWN_PROMPT = re.compile(rb'"(?:content|text)":\s*"' + re.escape(OWN_WORDS))

WHOLE_SECONDS = 60.0
"""So often all folders are looked through, for a session that goes on after a long rest; else only the newest ones,
and those of live sessions."""

_NEWEST = 3  # folders
_FIRST_BYTES = 1 << 18


class LiveSessions:
    """The sessions of a host that were written to a short while ago, of one project or (None) of all. Sub-agents'
    sessions, and those of our own summarizer, are none.

    It is a `Source` of `watch`.
    """

    def __init__(self, host: Recorded, project: Path | None) -> None:
        self._host = host
        self._project = project
        self._known: dict[Path, bool] = {}
        """Of the live ones, what was found out for good: if they are to be followed."""
        self._folders: set[Path] = set()
        """Where live ones lie."""
        self._searched = -WHOLE_SECONDS

    @property
    def flat(self) -> tuple[Path, ...]:
        """Directories in which sessions, or folders of them, appear."""
        from memcli.hosts.recorded import above

        return tuple(sorted(above((*self._newest(), *self._folders), self._host.root)))

    @property
    def trees(self) -> tuple[Path, ...]:
        """None: `flat` names them all."""
        return ()

    def acquire(self, now: float) -> Lock:
        """Become the one watcher of these sessions. Raises AlreadyWatched; makes the folder if it is not there yet."""
        self._host.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return acquired(self._host.lock_file(self._project), now, self._host.title, whole=self._project is None)

    def paths(self) -> set[Path]:
        """The live sessions of this moment."""
        now = time.time_ns()
        written = {path for path, when in self._host.files(self._where()) if now - when < LIVE_SECONDS * 1e9}
        self._folders = {path.parent for path in written}
        self._known = {path: wanted for path, wanted in self._known.items() if path in written}
        return {path for path in written if self._is_wanted(path)}

    def _where(self) -> set[Path]:
        now = time.monotonic()
        if now - self._searched < WHOLE_SECONDS:
            return self._newest() | self._folders
        self._searched = now
        return set(self._host.folders(self._project))

    def _newest(self) -> set[Path]:
        return set(itertools.islice(self._host.folders(self._project), _NEWEST))

    def _is_wanted(self, path: Path) -> bool:
        if path in self._known:
            return self._known[path]
        belongs = self._host.belongs(path, self._project)
        own, certain = is_own(path)
        if belongs is not None and (certain or not belongs):
            self._known[path] = belongs and not own
        return bool(belongs) and not own


def is_own(path: Path) -> tuple[bool, bool]:
    """If a session is one that a summarizer of ours left behind, and if that is certain: until there is an answer in
    it, our prompt may still come."""
    first = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        first = file.read(_FIRST_BYTES)
    own = OWN_PROMPT.search(first) is not None
    return own, own or b'"assistant"' in first or len(first) == _FIRST_BYTES


def another(session: str, data: bytes) -> str:
    """Another id for a compacted transcript, made of what it says: the same moment was compacted otherwise before."""
    return derive(session, "", len(data), data.decode("utf-8", "replace"))


def acquired(path: Path, now: float, title: str, *, whole: bool) -> Lock:
    """The lock of a watcher of sessions. Raises AlreadyWatched with a sentence that names the host."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return Lock.acquire(path, DAEMON, now)
    except AlreadyWatched as error:
        whose = "of all projects" if whole else "of this project"
        who = f"process {error.pid}" if error.pid else "another process"
        sentence = f"the {title} sessions {whose} are already watched by {who}"
        raise AlreadyWatched(sentence, "memcli status", error.pid, error.daemon) from error
