"""`memcli watch --codex`, `--pi` and `--openclaw`: sessions that come and grow are followed; the watcher is found and stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.builders import Script, eventually
from tests.cli.command import fails, memcli
from tests.e2e.daemon import Daemon
from tests.hosts.recorded import ONE, TWO, begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memcli.hosts.recorded import Recorded

LONG = "a line of output that fills the context of the session\n" * 40


@pytest.fixture
def daemon(host: Recorded, project: Path, tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "log", f"--{host.name}", "--project", project)
    yield made
    made.end()


def grow(host: Recorded, path: Path, turns: int = 12) -> None:
    """The client goes on, turn by turn."""
    script = Script(host.format, path.read_bytes(), 100)
    for number in range(turns):
        script.turn(number, 1, LONG)
    with path.open("ab") as file:
        file.write(script.data)


def test_a_session_that_comes_is_followed_as_it_grows(host: Recorded, project: Path, daemon: Daemon) -> None:
    assert eventually(host.lock_file(project).exists)
    path = begin(host, project)
    assert daemon.says(f"following {path}")
    grow(host, path)
    memory = path.parent / "session-memory.md"
    assert eventually(lambda: memory.exists() and "please do step 7 of" in memory.read_text())


def test_it_is_found_and_stopped_from_the_project(host: Recorded, project: Path, daemon: Daemon) -> None:
    path = begin(host, project)
    grow(host, path)
    assert eventually((path.parent / "session-memory.md").exists)
    assert json.loads(memcli("status", path, "--json").out)["watched_by"] == daemon.process.pid
    assert memcli("stop", "-q", cwd=project).code == 0
    assert daemon.process.wait() == 143


def test_sessions_of_other_projects_are_left_alone(host: Recorded, project: Path, daemon: Daemon) -> None:
    other, path = begin(host, project.parent, TWO), begin(host, project, ONE)
    assert daemon.says(f"following {path}")
    assert f"following {other}" not in daemon.heard


def test_one_watcher_follows_one_host(project: Path) -> None:
    assert fails(memcli("watch", "--codex", "--pi", cwd=project)) == (2, "one watcher follows one host")
