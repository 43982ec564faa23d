"""Sessions of Codex, pi and OpenClaw, and the fixtures of tests that hold for all of them."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from memcli.hosts import known
from tests.builders import Script

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.hosts.recorded import Recorded

ONE = "33333333-3333-4333-8333-333333333333"
TWO = "44444444-4444-4444-8444-444444444444"


@pytest.fixture(params=["codex", "pi", "openclaw"])
def host(request: pytest.FixtureRequest) -> Recorded:
    found: Recorded = known.named(request.param)  # type: ignore[assignment]
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def begin(host: Recorded, project: Path, session: str = ONE, age: float = 0.0, **more: object) -> Path:
    """A session of a project, written to so many seconds ago."""
    script = Script(host.format).prompt("fix the parser").say("Fixed.")
    first, _, rest = script.data.partition(b"\n")
    born = json.loads(first)
    told = born["payload"] if host.format == "codex" else born
    told.update({"id": session, "cwd": str(project), **more})
    path = host.path_of(born, session)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps(born).encode() + b"\n" + rest)
    os.utime(path, (time.time() - age,) * 2)
    return path


def upgraded(session: Path) -> None:
    """OpenClaw was brought to a version that keeps the sessions of this one's agent in a database."""
    database = session.parent.parent / "agent" / "openclaw-agent.sqlite"
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT)")
