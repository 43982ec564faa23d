"""`status` tells who writes for the watcher, not who would write in this shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memcli.watch.accounts import Introduction, health_path
from tests.builders import session_file
from tests.cli.command import memcli
from tests.e2e.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts a watcher with some words; the transcript that it follows."""
    started = []

    def watch(*words: object) -> Path:
        path = session_file(tmp_path / "run.jsonl")
        daemon = Daemon(tmp_path / "log", path, *words)
        started.append(daemon)
        assert daemon.says("following"), daemon.heard
        return path

    yield watch
    for daemon in started:
        daemon.end()


def summarizer(path: Path) -> dict[str, object]:
    report = json.loads(memcli("status", path, "--json").out)
    assert isinstance(report["summarizer"], dict)
    return report["summarizer"]


def test_the_watcher_tells_who_writes_for_it(watching: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = watching("--backend", "embedded")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-this-shell")
    found = summarizer(path)
    assert (found["name"], found["sends"], found["told_by"]) == ("embedded", "nothing leaves this machine", "watcher")


def test_a_command_is_not_told_by_its_words(watching: Callable[..., Path]) -> None:
    """A command line may hold a secret, and the presence is a file."""
    path = watching("--command", "ask --token oh-so-secret", "--init-tokens", 10**9)
    found = summarizer(path)
    assert (found["name"], found["told_by"]) == ("a command", "watcher")
    assert "oh-so-secret" not in str(found)


def test_where_nobody_watches_the_settings_of_the_shell_are_named_as_such(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl")
    assert summarizer(path)["told_by"] == "settings"
    assert "(by the settings here)" in memcli("status", path).out


def test_an_introduction_is_read_as_it_was_written() -> None:
    said = Introduction.of("anthropic m", "to https://api.anthropic.com", "anthropic\nm\n\n\n")
    assert Introduction.parse(str(said)) == said
    assert said.health == health_path("anthropic\nm\n\n\n").name
    assert Introduction.parse("") is Introduction.parse("one line") is None
