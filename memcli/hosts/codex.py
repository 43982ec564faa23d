"""Codex on this machine: where its rollouts lie, and which of them are of a project.

    <home>/sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl   a session, gone on with where it is, however old
    <home>/archived_sessions/rollout-<time>-<id>.jsonl     one that was put away: nobody goes on in it
    ...jsonl.zst                                           one that has rested for a week, compressed by the client

The client finds a session by the id in its file's name (seen with 0.169).
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

_NAME = re.compile(r"rollout-.+-([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\.jsonl")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
_NO_TIME = "1970-01-01T00:00:00"


class Codex(Recorded):
    """Codex: its CLI and whatever else writes rollouts in the same place."""

    name = "codex"
    title = "Codex"
    format = "codex"
    install = "npm install --global @openai/codex"

    @property
    def home(self) -> Path:
        """`CODEX_HOME`, else `~/.codex`."""
        return Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")

    @property
    def root(self) -> Path:
        """Where the folders of all days lie."""
        return self.home / "sessions"

    def folders(self, project: Path | None) -> Iterator[Path]:  # noqa: ARG002  # sessions lie by their day
        """The folders of days, the last first."""
        for year in newest_first(self.root):
            for month in newest_first(year):
                yield from newest_first(month)

    def is_named(self, name: str) -> bool:
        """True for a rollout; a compressed one is not written to any more."""
        return _NAME.fullmatch(name) is not None

    def own_session(self, directory: Path) -> Path | None:  # noqa: ARG002  # a thread has one file
        """The session of the client that runs us: it tells its commands the id (`CODEX_THREAD_ID`)."""
        thread = os.environ.get("CODEX_THREAD_ID")
        found = (path for path, _ in self.files(self.folders(None)) if path.stem.endswith(f"-{thread}"))
        return next(found, None) if thread else None

    def birth(self, record: dict[str, Any]) -> Birth | None:
        """What a session meta tells. A sub-agent's names its kind as an object under `source`."""
        payload = record.get("payload")
        if record.get("type") != "session_meta" or not isinstance(payload, dict) or not payload.get("id"):
            return None
        source = payload.get("source")
        below = isinstance(source, dict) and any(str(key).lower().startswith("sub") for key in source)
        return Birth(str(payload["id"]), str(payload.get("cwd") or ""), below)

    def path_of(self, born: dict[str, Any], session: str) -> Path:
        """In the folder of the day on which it was written."""
        found = _TIME.match(str(born.get("timestamp"))) or _TIME.match(_NO_TIME)
        assert found is not None  # the second one always is
        year, month, day, hour, minute, second = found.groups()
        name = f"rollout-{year}-{month}-{day}T{hour}-{minute}-{second}-{session}.jsonl"
        return self.root / year / month / day / name

    def resume(self, session: Path) -> list[str]:
        """`codex resume ID`."""
        found = _NAME.fullmatch(session.name)
        return ["codex", "resume", found[1] if found else session.stem]
