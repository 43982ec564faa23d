"""OpenClaw on this machine: its agents' folders, what lies in them beside sessions, and what it would not go on in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memcli.hosts import known
from tests.cli.command import fails, memcli
from tests.hosts.recorded import ONE, TWO, begin, upgraded

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.hosts.recorded import Recorded


@pytest.fixture
def claw() -> Recorded:
    found: Recorded = known.named("openclaw")  # type: ignore[assignment]
    return found


def of_agent(claw: Recorded, project: Path, agent: str, session: str = ONE) -> Path:
    """A session of another agent than the first."""
    path = claw.root / agent / "sessions" / f"{session}.jsonl"
    path.parent.mkdir(parents=True)
    return begin(claw, project, session).rename(path)


def test_the_sessions_of_every_agent_count(claw: Recorded, project: Path) -> None:
    main, other = begin(claw, project), of_agent(claw, project, "ops", TWO)
    assert claw.source(project).paths() == {main, other}
    assert claw.resume(other)[:6] == ["openclaw", "agent", "--agent", "ops", "--session-id", TWO]


@pytest.mark.parametrize(
    "name",
    [
        f"{ONE}.trajectory.jsonl",
        f"{ONE}.checkpoint.{TWO}.jsonl",
        f"{ONE}.jsonl.reset.2026-01-02T03-04-05.000Z",
        "sessions.json",
    ],
)
def test_what_the_client_keeps_beside_a_session_is_none(claw: Recorded, project: Path, name: str) -> None:
    path = begin(claw, project)
    (path.parent / name).write_bytes(path.read_bytes())
    assert claw.source(None).paths() == {path}
    assert not claw.is_session(path.parent / name)


def test_a_session_may_have_a_name_of_words_and_a_topic(claw: Recorded, project: Path) -> None:
    path = begin(claw, project, f"release.v2-topic-{7}")
    assert claw.is_session(path)
    assert claw.newest_session(project) == path


def test_a_rollout_of_another_client_below_an_agent_is_none(claw: Recorded, project: Path) -> None:
    path = begin(claw, project)
    below = claw.root / "main" / "agent" / "sessions" / path.name
    below.parent.mkdir(parents=True)
    below.write_bytes(path.read_bytes())
    assert not claw.is_session(below)


def test_a_sub_agents_session_is_not_followed(claw: Recorded, project: Path) -> None:
    main, below = begin(claw, project), begin(claw, project, TWO)
    index = {"agent:main:main": {"sessionId": ONE}, "agent:main:subagent:7": {"sessionId": TWO}}
    (below.parent / "sessions.json").write_text(json.dumps(index))
    assert claw.source(project).paths() == {main}
    assert claw.newest_session(project) == main


@pytest.mark.parametrize("index", ["", "[]", '{"agent:main:subagent:7": 3}'])
def test_an_index_that_cannot_be_read_hides_nothing(claw: Recorded, project: Path, index: str) -> None:
    path = begin(claw, project)
    (path.parent / "sessions.json").write_text(index)
    assert claw.source(project).paths() == {path}


def test_a_compacted_session_stays_with_its_agent(claw: Recorded, project: Path) -> None:
    path = of_agent(claw, project, "ops")
    ran = memcli("compact", "--session", path, cwd=project)
    assert ran.out.startswith("openclaw agent --agent ops --session-id ")
    assert len(list(path.parent.glob("*.jsonl"))) == 2


@pytest.mark.parametrize("way", ["--session", "--in-place"])
def test_a_session_without_words_of_the_agent_is_refused(claw: Recorded, project: Path, way: str) -> None:
    """The client would empty it at its next turn, and the memory with it."""
    path = begin(claw, project)
    before = path.read_bytes()
    ran = memcli("compact", way, path, "--keep-turns", 0, cwd=project)
    assert fails(ran) == (2, "OpenClaw empties a session that holds no words of the agent")
    assert list(path.parent.glob("*.jsonl")) == [path]
    assert path.read_bytes() == before
    assert ran.err.endswith(f"Try: memcli compact {path} {way}\n")
    assert memcli("compact", way, path, cwd=project).code == 0


def test_where_sessions_lie_in_a_database_that_is_said(claw: Recorded, project: Path) -> None:
    path = begin(claw, project)
    before = path.read_bytes()
    upgraded(path)
    told = "OpenClaw keeps its sessions in a database since 2026.8, and goes on in no file"
    watching = memcli("watch", "--openclaw", cwd=project)
    assert fails(watching) == (3, told)
    assert watching.err.endswith("Try: openclaw sessions export-trajectory --help\n")
    for way in ("--session", "--in-place"):
        ran = memcli("compact", path, way, cwd=project)
        assert fails(ran) == (2, told)
        assert ran.err.endswith(f"Try: memcli compact {path} --to markdown\n")
    assert list(path.parent.glob("*.jsonl")) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_an_older_file_of_that_name_holds_no_sessions(claw: Recorded, project: Path, content: bytes) -> None:
    path = begin(claw, project)
    database = path.parent.parent / "agent" / "openclaw-agent.sqlite"
    database.parent.mkdir()
    database.write_bytes(content)
    assert claw.kept_elsewhere() == ""


def test_its_home_may_lie_in_another_home(claw: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_HOME", str(tmp_path / "h"))
    assert claw.home == tmp_path / "h" / ".openclaw"
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "s"))
    assert claw.home == tmp_path / "s"
