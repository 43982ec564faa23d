"""`memcli watch` in a real terminal: a picture that follows, and Ctrl-C that means all of it."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from typing import TYPE_CHECKING

import pytest

from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from tests.builders import Script, eventually, session_file
from tests.cli.command import command, environment
from tests.watch.playing import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(pty, "fork"), reason="needs a terminal of its own")


class Terminal:
    """A program whose terminal we are: what it draws, and keys for it."""

    def __init__(self, words: list[str], **more: str) -> None:
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, {**environment(), "TERM": "xterm", "LINES": "30", **more})
        self.drawn = ""

    def shows(self, pattern: str, within: float = 30.0) -> bool:
        """True as soon as it has drawn what matches, counted from the last time we asked."""
        deadline = time.monotonic() + within
        while not (found := re.search(pattern, self.drawn)) and time.monotonic() < deadline:
            if select.select([self.screen], [], [], 0.2)[0]:
                self._read()
        self.drawn = self.drawn[found.end() :] if found else self.drawn
        return bool(found)

    def end(self, key: bytes = b"\x03") -> int:
        """Press Ctrl-C and wait; the exit code."""
        os.write(self.screen, key)
        while select.select([self.screen], [], [], 10.0)[0] and self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.screen)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        try:
            data = os.read(self.screen, 65_536)
        except OSError:  # the other side is gone
            return False
        self.drawn += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    return session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)


def test_the_picture_follows_the_file_and_ctrl_c_ends_it_with_130(path: Path) -> None:
    terminal = Terminal([sys.executable, *command("watch", path, "--init-tokens", "200")[1:]])
    assert terminal.shows(r"run\.jsonl +[\d,]+ +[78]/8 +session-memory\.md, \d+ s ago")
    with path.open("ab") as file:
        file.write(Script("anthropic").turn(5).data)
    assert terminal.shows(r"run\.jsonl +[\d,]+ +\d+/12 ")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.drawn


def test_quiet_draws_nothing(path: Path) -> None:
    terminal = Terminal([sys.executable, *command("watch", path, "-q")[1:]])
    assert eventually(lambda: holder(Place.of(path).lock) is not None, within=30.0)
    assert terminal.end() == 130
    assert terminal.drawn == "^C"
