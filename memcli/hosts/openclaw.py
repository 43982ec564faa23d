"""OpenClaw on this machine: where its agents' sessions lie, and which of them it goes on in.

    <home>/agents/<agent>/sessions/<session>.jsonl   a session, in pi's records; its cwd is the agent's workspace
    <home>/agents/<agent>/sessions/sessions.json     whose they are: `agent:<agent>:main`, a channel's, a sub-agent's
    <home>/agents/<agent>/agent/openclaw-agent.sqlite  since 2026.8 the sessions lie here, and in no file

Seen with 2026.7.35: a file under a new id is gone on in by `--session-id`, without an entry in the index; one that was
replaced in place is taken up at the next turn; one in which the agent has not spoken yet is emptied by the client.
Seen with 2026.9.6: a file is passed over in silence, so nothing is followed or written where there is the database.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memcli.hosts.pi import header
from memcli.hosts.recorded import Recorded
from memcli.hosts.shelf import newest_first
from memcli.sidecar.place import is_our_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.hosts.shelf import Birth

MAIN = "main"
"""The agent that is there where nobody named one."""

QUESTION = "Where were we?"
"""The client has no command that opens a session without asking something."""

_IN_DATABASE = "OpenClaw keeps its sessions in a database since 2026.8, and goes on in no file"
_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'transcript_events'"

_NAME = re.compile(r"[A-Za-z0-9][\w.%-]*\.jsonl")
_BESIDE = re.compile(r"\.trajectory\.jsonl$|\.checkpoint\.[0-9A-Fa-f-]{36}\.jsonl$")
_SPOKEN = re.compile(rb'"role":\s*"assistant"')


class OpenClaw(Recorded):
    """OpenClaw: its agents, whichever channel they are spoken to on."""

    name = "openclaw"
    title = "OpenClaw"
    format = "pi"
    install = "npm install --global openclaw"
    export = "openclaw sessions export-trajectory --help"

    @property
    def home(self) -> Path:
        """`OPENCLAW_STATE_DIR`, else `.openclaw` in `OPENCLAW_HOME` or the user's home."""
        if named := os.environ.get("OPENCLAW_STATE_DIR"):
            return Path(named).expanduser()
        return Path(os.environ.get("OPENCLAW_HOME") or Path.home()).expanduser() / ".openclaw"

    @property
    def root(self) -> Path:
        """Where the folders of all agents lie."""
        return self.home / "agents"

    def folders(self, project: Path | None) -> Iterator[Path]:  # noqa: ARG002  # sessions lie by their agent
        """The folder of each agent's sessions."""
        for agent in newest_first(self.root):
            yield agent / "sessions"

    def is_named(self, name: str) -> bool:
        """True for a session's file; not for what the client, or memcli, keeps beside one."""
        return _NAME.fullmatch(name) is not None and not _BESIDE.search(name) and not is_our_name(name)

    def is_session(self, path: Path) -> bool:
        """True for a file in an agent's folder of sessions; other clients' rollouts lie below an agent, too."""
        real = Path(os.path.realpath(path))
        folder = real.parent
        return super().is_session(path) and folder == Path(os.path.realpath(self.root), folder.parent.name, "sessions")

    def birth(self, record: dict[str, Any]) -> Birth | None:
        """What a session header tells."""
        return header(record)

    def told(self, path: Path) -> Birth | None:
        """The header, and by the index if it is a sub-agent's."""
        found = super().told(path)
        return found and found._replace(below=_is_below(path.parent / "sessions.json", found.session))

    def path_of(self, born: dict[str, Any], session: str) -> Path:  # noqa: ARG002  # the header names no agent
        """Among the sessions of the first agent."""
        return self.root / MAIN / "sessions" / f"{session}.jsonl"

    def placed(self, data: bytes, transcript: Path) -> Iterator[tuple[Path, bytes]]:
        """Among the sessions of the agent whose transcript it was."""
        for path, content in super().placed(data, transcript):
            yield (transcript.parent / path.name if self.is_session(transcript) else path), content

    def kept_elsewhere(self) -> str:
        """Since 2026.8 in a database of each agent."""
        databases = (agent / "agent" / "openclaw-agent.sqlite" for agent in newest_first(self.root))
        return _IN_DATABASE if any(map(_holds_sessions, databases)) else ""

    def refuses(self, data: bytes) -> str:
        """It empties a session in which the agent has not spoken yet, and begins anew."""
        return "" if _SPOKEN.search(data) else "OpenClaw empties a session that holds no words of the agent"

    def directory_of(self, session: Path) -> Path | None:  # noqa: ARG002  # the session knows its workspace
        """Anywhere."""
        return None

    def resume(self, session: Path) -> list[str]:
        """`openclaw agent --agent AGENT --session-id ID --message ...`."""
        agent = session.parent.parent.name
        return ["openclaw", "agent", "--agent", agent, "--session-id", session.stem, "--message", QUESTION]


def _is_below(index: Path, session: str) -> bool:
    """True if the index names a session as that of a sub-agent."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        for key, entry in json.loads(index.read_bytes()).items():
            if ":subagent:" in key and entry.get("sessionId") == session:
                return True
    return False


def _holds_sessions(database: Path) -> bool:
    """True if transcripts are kept in it; before, a file of that name held settings only."""
    if not database.is_file():
        return False
    import sqlite3  # here, not above: few have this client

    place = f"{Path(os.path.realpath(database)).as_uri()}?mode=ro"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(place, uri=True)) as opened:
        return opened.execute(_TABLE).fetchone() is not None
    return False
