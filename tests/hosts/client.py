"""A stand-in for Claude Code on this machine: its folders, its sessions, and how it runs hooks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from memcli.hosts import claude_code
from memcli.sidecar.lock import holder
from tests.builders import Script, eventually
from tests.cli.command import Ran, command, environment

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "11111111-1111-4111-8111-111111111111"
LONG = "a line of output that fills the context of the session\n" * 40


class Client:
    """A client whose one project is `project`."""

    def __init__(self, project: Path) -> None:
        self.project = project
        project.mkdir(exist_ok=True)
        self.folder = claude_code.project_dir(project)
        self.transcript = self.folder / f"{SESSION}.jsonl"

    def session(self, turns: int = 12, name: str = SESSION, cwd: Path | None = None) -> Path:
        """A session of so many turns, in the project's folder."""
        script = Script("claude-code")
        for number in range(turns):
            script.turn(number, 1, LONG)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.jsonl"
        path.write_bytes(script.data.replace(b'"/srv/mill"', json.dumps(str(cwd or self.project)).encode()))
        return path

    def runs(self, session: str = SESSION, pid: int = 0) -> None:
        """Say that a client has this session open."""
        place = claude_code.config_dir() / "sessions"
        place.mkdir(parents=True, exist_ok=True)
        said = {"pid": pid or os.getpid(), "sessionId": session, "status": "idle"}
        (place / f"{said['pid']}.json").write_text(json.dumps(said))

    def hook(self, event: str, *, env: dict[str, str] | None = None, **said: object) -> Ran:
        """Run a hook as the client does, with its facts on stdin."""
        facts = {"transcript_path": str(self.transcript), "cwd": str(self.project), "session_id": SESSION, **said}
        return self.fed(event, json.dumps(facts).encode(), env)

    def fed(self, event: str, stdin: bytes, env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            command("hook", event),
            input=stdin,
            capture_output=True,
            env={**environment(), **(env or {})},
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def watcher(self) -> int:
        """The process that watches the project; 0 if none does."""
        found = holder(claude_code.lock_file(self.folder))
        return found.pid if found else 0

    @property
    def log(self) -> str:
        """What hooks have complained of."""
        path = self.folder / ".memcli" / "claude-code" / "hook.log"
        return path.read_text() if path.exists() else ""

    def end(self) -> None:
        """Whatever was started is gone."""
        while pid := self.watcher:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            assert eventually(lambda pid=pid: self.watcher != pid)
