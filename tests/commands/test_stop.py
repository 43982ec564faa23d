"""Whom `memcli stop` ends where a directory is watched, and not one file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memcli.commands.stop import stop
from memcli.errors import MemcliError
from tests.builders import session_file
from tests.e2e.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A directory with two transcripts."""
    (tmp_path / "room").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        session_file(tmp_path / "room" / name)
    return tmp_path / "room"


@pytest.fixture
def daemon(room: Path, tmp_path: Path) -> Iterator[Daemon]:
    """Who watches it."""
    found = Daemon(tmp_path / "log", room)
    assert found.says("following", 2)
    yield found
    found.kill()


@pytest.mark.parametrize("named", [True, False])
def test_who_watches_a_directory_is_stopped_by_its_name_and_from_within(
    room: Path, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.chdir(os.curdir if named else room)
    assert stop(room if named else None, quiet=True) == 0
    assert daemon.process.wait(10) == 143


def test_a_directory_that_nobody_watches_has_nobody_to_stop(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MemcliError, match="nobody watches"):
        stop(room, quiet=True)
    monkeypatch.chdir(room)
    with pytest.raises(MemcliError, match="several transcripts here"):
        stop(None, quiet=True)
