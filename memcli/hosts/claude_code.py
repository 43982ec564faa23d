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
from typing import TYPE_CHECKING

from memcli.hosts.own import another, is_own
from memcli.hosts.source import LIVE_SECONDS, acquired, held
from memcli.sidecar.place import ROOM, is_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.sidecar.lock import Lock

NAME = "claude-code"


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


def own_session(directory: Path) -> Path | None:
    """The session of the client that runs us: it tells its commands the id."""
    own = project_dir(directory) / f"{os.environ.get('CLAUDE_CODE_SESSION_ID')}.jsonl"
    return own if own.is_file() else None


def newest_session(directory: Path) -> Path | None:
    """The session of a project that was written to last, if there is one; what memcli wrote there, or its
    summarizer left, is none."""
    found = sorted(_sessions(project_dir(directory)), key=lambda one: (one[1], one[0].name), reverse=True)
    return next((path for path, _ in found if not is_own(path)[0]), None)


class LiveSessions:
    """The sessions of one project, or of all, that are live: a running client names them, or they were written to a
    short while ago. Sessions of our own summarizer are none.

    It is a `Source` of `watch`. `folder` is a folder of sessions, None for all projects.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._own: dict[Path, bool] = {}

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
        return acquired(lock_file(self._folder or projects_dir()), now, ClaudeCode.title, whole=self._folder is None)

    def paths(self) -> set[Path]:
        """The live sessions of this moment."""
        running, now = running_sessions(), time.time_ns()
        return {
            path
            for folder in self._folders()
            for path, written in _sessions(folder)
            if (path.stem in running or now - written < LIVE_SECONDS * 1e9) and not self._is_own(path)
        }

    def _folders(self) -> list[Path]:
        if self._folder:
            return [self._folder]
        with contextlib.suppress(OSError), os.scandir(projects_dir()) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
        return []

    def _is_own(self, path: Path) -> bool:
        """True for a session that a summarizer of ours left behind. Asked of the disk until it is certain."""
        if path in self._own:
            return self._own[path]
        own, certain = is_own(path)
        if certain:
            self._own[path] = own
        return own


class ClaudeCode:
    """Claude Code as the verbs see it (`hosts/host.py`)."""

    name = NAME
    title = "Claude Code"
    format = "claude-code"
    install = "npm install --global @anthropic-ai/claude-code"
    export = ""

    def source(self, project: Path | None) -> LiveSessions:
        """The live sessions of a project, None for all."""
        return LiveSessions(project_dir(project) if project else None)

    def is_session(self, path: Path) -> bool:
        """True for a file that lies where the client keeps its sessions."""
        return is_session(path)

    def own_session(self, directory: Path) -> Path | None:
        """The session of the client that runs us."""
        return own_session(directory)

    def newest_session(self, directory: Path) -> Path | None:
        """The session of a project that was written to last."""
        return newest_session(directory)

    def held_in(self, project: Path) -> Path | None:
        """The lock of whoever watches the sessions of a project, or all; None if nobody does."""
        return _held(project_dir(project))

    def held_over(self, session: Path) -> Path | None:
        """The lock of whoever watches the sessions that this one is among; None if nobody does."""
        return _held(session.parent)

    def room_for(self, transcript: Path) -> Path:
        """Where a new session is prepared: on the disk where it will lie."""
        return _folder_for(transcript) / ROOM / NAME

    def placed(self, data: bytes, transcript: Path) -> Iterator[tuple[Path, bytes]]:
        """Under the id that its records carry; then the same ids inside, under another name."""
        session = str(json.loads(data[: data.index(b"\n")])["sessionId"])
        folder = _folder_for(transcript)
        yield folder / f"{session}.jsonl", data
        yield folder / f"{another(session, data)}.jsonl", data

    def kept_elsewhere(self) -> str:
        """They are files."""
        return ""

    def refuses(self, data: bytes) -> str:  # noqa: ARG002  # of other hosts
        """Nothing."""
        return ""

    def directory_of(self, session: Path) -> Path | None:
        """Where the client must be started to find the session; None for right here."""
        folder = session.parent
        if project_dir(Path.cwd()) == folder:
            return None
        for line in reversed(session.read_bytes().splitlines()):
            cwd = json.loads(line).get("cwd")
            if isinstance(cwd, str) and project_dir(Path(cwd)) == folder:
                return Path(cwd)
        return None

    def resume(self, session: Path) -> list[str]:
        """`claude --resume ID`."""
        return ["claude", "--resume", session.stem]


def _folder_for(transcript: Path) -> Path:
    """Where a new session of it belongs: beside it, or in the project of this directory."""
    return transcript.parent if is_session(transcript) else project_dir(Path.cwd())


def lock_file(folder: Path) -> Path:
    """The lock of the watcher of a folder of sessions, or of the folder of all projects."""
    return folder / ROOM / NAME / "lock"


def _held(folder: Path) -> Path | None:
    """The lock of whoever watches the sessions of a folder, or those of all projects; None if nobody does."""
    return held(lock_file(folder), lock_file(folder.parent))


def running_sessions() -> set[str]:
    """The ids of the sessions that a client on this machine has open now."""
    found = set()
    for path in (config_dir() / "sessions").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            said = json.loads(path.read_bytes())
            os.kill(int(said.get("pid") or path.stem), 0)
            found.add(str(said["sessionId"]))
    return found


def _sessions(folder: Path) -> list[tuple[Path, int]]:
    """Every session of a folder, and when it was written to (Unix nanoseconds)."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".jsonl"):
                with contextlib.suppress(OSError):
                    path = Path(entry.path)
                    if entry.is_file() and not is_ours(path):
                        found.append((path, entry.stat().st_mtime_ns))
    return found
