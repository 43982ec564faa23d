"""Where Claude Code keeps the sessions of a directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memcli.hosts.claude_code import config_dir, newest_session, project_dir

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder of sessions, in a home of its own."""
    found = project_dir(tmp_path)
    found.mkdir(parents=True)
    return found


def a_session(project: Path, name: str, written: int) -> Path:
    path = project / name
    path.write_text("{}\n")
    os.utime(path, (written, written))
    return path


def test_files_lie_in_the_home_unless_configured_otherwise(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_dir() == own_home / ".claude"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(own_home / "elsewhere"))
    assert config_dir() == own_home / "elsewhere"


def test_an_empty_variable_configures_nothing(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "")
    assert config_dir() == own_home / ".claude"


@pytest.mark.parametrize(
    ("name", "folder"), [("shop", "shop"), ("my shop_2.0", "my-shop-2-0"), ("größe", "gr--e"), (".hidden", "-hidden")]
)
def test_a_project_folder_is_its_path_with_dashes(tmp_path: Path, name: str, folder: str) -> None:
    found = project_dir(tmp_path / name)
    assert found.parent == config_dir() / "projects"
    assert found.name.endswith(f"-{folder}")
    assert found.name.startswith("-")


def test_a_symlink_is_the_project_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert project_dir(tmp_path / "link") == project_dir(tmp_path / "real")


def test_the_newest_session_is_the_one_written_to_last(tmp_path: Path, project: Path) -> None:
    a_session(project, "c.jsonl", 10)
    newest = a_session(project, "a.jsonl", 30)
    a_session(project, "b.jsonl", 20)
    assert newest_session(tmp_path) == newest


def test_sessions_written_in_the_same_moment_are_told_apart_by_name(tmp_path: Path, project: Path) -> None:
    a_session(project, "a.jsonl", 10)
    last = a_session(project, "b.jsonl", 10)
    assert newest_session(tmp_path) == last


def test_only_sessions_count(tmp_path: Path, project: Path) -> None:
    """Not subagents, which lie further down, nor notes, nor directories, nor what memcli wrote."""
    session = a_session(project, "a.jsonl", 10)
    (project / "a" / "subagents").mkdir(parents=True)
    a_session(project / "a" / "subagents", "agent-1.jsonl", 20)
    a_session(project, "notes.md", 20)
    a_session(project, "a.compacted.jsonl", 20)
    (project / "d.jsonl").mkdir()
    assert newest_session(tmp_path) == session


def test_a_directory_without_sessions_has_none(tmp_path: Path, project: Path) -> None:
    assert newest_session(tmp_path) is None
    assert newest_session(tmp_path / "unknown") is None
