"""Claude Code on this machine: where its sessions lie, which of them are live, and which memcli itself has caused.

    <config>/projects/<slug>/<session>.jsonl             a session; slug is the project's real path with dashes
    <config>/projects/<slug>/<session>/subagents/*.jsonl  its sub-agents: no sessions of their own
    <config>/sessions/<pid>.json                          a client that runs, and its session

A sub-agent's file is not followed: its parent holds what it was asked and what it reported, and the ledger keeps the
files that it says it changed, or that git shows (`ledger/reports.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import DAEMON, Holder, Lock, holder
from memcli.sidecar.place import ROOM, is_ours

NAME = "claude-code"

LIVE_SECONDS = 900.0
"""A session that was written to within this time is live, also if no running client names it."""

OWN_WORDS = b"You keep the written part of a session memory for a coding agent."
"""How a session begins that a summarizer of ours has left behind: with the first words of our prompt."""

_FIRST_BYTES = 65_536
_OWN_PROMPT = re.compile(rb'"(?:content|text)":\s*"' + re.escape(OWN_WORDS))


def config_dir() -> Path:
    """Where the client keeps its files: `CLAUDE_CONFIG_DIR`, else `~/.claude`."""
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def projects_dir() -> Path:
    """Where the folders of all projects lie."""
    return config_dir() / "projects"


def project_dir(directory: Path) -> Path:
    """The folder of a project's sessions: its real path with everything but letters and digits turned into `-`.

    A folder of sessions stands for itself.
    """
    real = os.path.realpath(directory)
    if os.path.dirname(real) == os.path.realpath(projects_dir()):
        return Path(real)
    return projects_dir() / re.sub(r"[^A-Za-z0-9]", "-", real)


def is_session(path: Path) -> bool:
    """True for a file that lies where the client keeps its sessions."""
    return os.path.realpath(path.parent.parent) == os.path.realpath(projects_dir())


def newest_session(directory: Path) -> Path | None:
    """The session of a project that was written to last, if there is one; what memcli wrote there is none.

    A command that the client itself runs means the client's session, whichever was written to last.
    """
    own = project_dir(directory) / f"{os.environ.get('CLAUDE_CODE_SESSION_ID')}.jsonl"
    if own.is_file():
        return own
    sessions = [path for path in project_dir(directory).glob("*.jsonl") if path.is_file() and not is_ours(path)]
    return max(sessions, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


class LiveSessions:
    """The sessions of one project, or of all, that are live: a running client names them, or they were written to a
    short while ago. Sessions of our own summarizer are none.

    It is a `Source` of `watch`. `folder` is a folder of sessions, None for all projects.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._own: dict[str, bool] = {}

    @property
    def flat(self) -> tuple[Path, ...]:
        """Directories in which sessions appear."""
        return (self._folder,) if self._folder else ()

    @property
    def trees(self) -> tuple[Path, ...]:
        """Directories in whose subdirectories sessions appear."""
        return () if self._folder else (projects_dir(),)

    def acquire(self, now: float) -> Lock:
        """Become the one watcher of these sessions. Raises AlreadyWatched; makes the folder if it is not there yet."""
        path = lock_file(self._folder or projects_dir())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return Lock.acquire(path, DAEMON, now)
        except AlreadyWatched as error:
            whose = "of this project" if self._folder else "of all projects"
            who = f"process {error.pid}" if error.pid else "another process"
            sentence = f"the Claude Code sessions {whose} are already watched by {who}"
            raise AlreadyWatched(sentence, "memcli status", error.pid, error.daemon) from error

    def paths(self) -> set[Path]:
        """The live sessions of this moment."""
        running, now = running_sessions(), time.time()
        return {
            path
            for folder in self._folders()
            for path, written in _sessions(folder)
            if (path.stem in running or now - written < LIVE_SECONDS) and not self._is_own(path)
        }

    def _folders(self) -> list[Path]:
        if self._folder:
            return [self._folder]
        with contextlib.suppress(OSError), os.scandir(projects_dir()) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
        return []

    def _is_own(self, path: Path) -> bool:
        """True for a session that a summarizer of ours left behind. Asked of the disk until there is a message."""
        name = str(path)
        if name not in self._own:
            first = _first_bytes(path)
            if b'"message"' not in first and len(first) < _FIRST_BYTES:
                return bool(_OWN_PROMPT.search(first))
            self._own[name] = bool(_OWN_PROMPT.search(first))
        return self._own[name]


def lock_file(folder: Path) -> Path:
    """The lock of the watcher of a folder of sessions, or of the folder of all projects."""
    return folder / ROOM / NAME / "lock"


def held(folder: Path) -> Path | None:
    """The lock of whoever watches the sessions of a folder, or those of all projects; None if nobody does."""
    locks = (lock_file(folder), lock_file(folder.parent))
    return next((lock for lock in locks if holder(lock)), None)


def watcher(folder: Path) -> Holder | None:
    """Who watches the sessions of a folder, or those of all projects; None if nobody does."""
    lock = held(folder)
    return holder(lock) if lock else None


def running_sessions() -> set[str]:
    """The ids of the sessions that a client on this machine has open now."""
    found = set()
    for path in (config_dir() / "sessions").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            said = json.loads(path.read_bytes())
            os.kill(int(said.get("pid") or path.stem), 0)
            found.add(str(said["sessionId"]))
    return found


def _sessions(folder: Path) -> list[tuple[Path, float]]:
    """Every session of a folder, and when it was written to (Unix seconds)."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".jsonl"):
                with contextlib.suppress(OSError):
                    path = Path(entry.path)
                    if entry.is_file() and not is_ours(path):
                        found.append((path, entry.stat().st_mtime))
    return found


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FIRST_BYTES)
    except OSError:
        return b""
