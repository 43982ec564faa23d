"""`memcli watch` in a real terminal: a picture that follows, and Ctrl-C that means all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from tests.builders import Script, eventually, session_file
from tests.cli.terminal import CTRL_C, Terminal, needs_a_terminal
from tests.watch.playing import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_a_terminal


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    return session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)


def test_the_picture_follows_the_file_and_ctrl_c_ends_it_with_130(path: Path) -> None:
    terminal = Terminal("watch", path, "--init-tokens", "200")
    assert terminal.shows(r"run\.jsonl +[\d,]+ +[78]/8 +session-memory\.md, \d+ s ago")
    with path.open("ab") as file:
        file.write(Script("anthropic").turn(5).data)
    assert terminal.shows(r"run\.jsonl +[\d,]+ +\d+/12 ")
    assert terminal.end(CTRL_C) == 130
    assert "Traceback" not in terminal.drawn


def test_quiet_draws_nothing(path: Path) -> None:
    terminal = Terminal("watch", path, "-q")
    assert eventually(lambda: holder(Place.of(path).lock) is not None)
    assert terminal.end(CTRL_C) == 130
    assert terminal.drawn == "^C"
