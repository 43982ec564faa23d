"""pi on this machine: where its sessions lie, and which of them are of a project.

    <home>/sessions/--<project>--/<time>_<id>.jsonl   a session; <project> is the directory with dashes
    <home>/sessions/<...>/<time>_<id>.jsonl           or, with PI_CODING_AGENT_SESSION_DIR, all in one folder

OpenClaw writes the same records in places of its own (`openclaw`).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memcli.hosts.recorded import Recorded
from memcli.hosts.shelf import Birth, newest_first

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[^_]+_([0-9A-Fa-f-]{8,64})\.jsonl")


class Pi(Recorded):
    """The pi coding agent."""

    name = "pi"
    title = "pi"
    format = "pi"
    install = "npm install --global @earendil-works/pi-coding-agent"

    @property
    def home(self) -> Path:
        """`PI_CODING_AGENT_DIR`, else `~/.pi/agent`."""
        named = os.environ.get("PI_CODING_AGENT_DIR")
        return Path(named).expanduser() if named else Path.home() / ".pi" / "agent"

    @property
    def root(self) -> Path:
        """Where the folders of all projects lie, or the one folder for all of them."""
        return self._one_for_all or self.home / "sessions"

    @property
    def _one_for_all(self) -> Path | None:
        named = os.environ.get("PI_CODING_AGENT_SESSION_DIR")
        return Path(named).expanduser() if named else None

    def folders(self, project: Path | None) -> Iterator[Path]:
        """The folder of a project; of all projects the folders in no order that tells."""
        if self._one_for_all:
            yield self._one_for_all
        elif project is None:
            yield from newest_first(self.root)
        else:
            yield self._folder(os.path.realpath(project))

    def _folder(self, directory: str) -> Path:
        return self._one_for_all or self.root / f"--{re.sub(r'[/:]', '-', directory.removeprefix('/'))}--"

    def is_named(self, name: str) -> bool:
        """True for a session's file."""
        return _NAME.fullmatch(name) is not None

    def birth(self, record: dict[str, Any]) -> Birth | None:
        """What a session header tells."""
        return header(record)

    def path_of(self, born: dict[str, Any], session: str) -> Path:
        """In the folder of its project."""
        time = re.sub(r"[^0-9A-Za-z]", "-", str(born.get("timestamp") or "1970-01-01T00:00:00.000Z"))
        return self._folder(str(born.get("cwd") or os.getcwd())) / f"{time}_{session}.jsonl"

    def resume(self, session: Path) -> list[str]:
        """`pi --session ID`: it looks for the id among the sessions of the directory where it is started."""
        found = _NAME.fullmatch(session.name)
        return ["pi", "--session", found[1] if found else str(session)]


def header(record: dict[str, Any]) -> Birth | None:
    """What the first record of a session tells; None for another record."""
    if record.get("type") != "session" or not record.get("id"):
        return None
    return Birth(str(record["id"]), str(record.get("cwd") or ""))
