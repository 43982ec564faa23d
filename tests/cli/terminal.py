"""A program in a terminal of its own, which is ours: what it draws, and keys for it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import PATIENCE
from tests.cli.command import command, environment

if TYPE_CHECKING:
    from pathlib import Path

needs_a_terminal = pytest.mark.skipif(not hasattr(pty, "openpty"), reason="needs a terminal of its own")

# Not by pty.fork(): there are threads in a test's process, and a fork beside threads may hang (a warning from Python 3.12
# on). What leads a session has the terminal that it opens first for its own.
TAKES_THE_TERMINAL = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"

CTRL_C = "\x03"
CTRL_D = "\x04"


class Terminal:
    """memcli with these words, started at once; `more` is for its environment."""

    def __init__(self, *words: object, cwd: Path | None = None, **more: str) -> None:
        line = command(*words)
        self.screen, theirs = pty.openpty()
        more = {"TERM": "xterm", "LINES": "30", **more}
        self._program = subprocess.Popen(
            [sys.executable, "-ISc", TAKES_THE_TERMINAL, *line],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**environment(), **more},
            start_new_session=True,
        )
        self.pid = self._program.pid
        os.close(theirs)
        self.drawn = ""

    def shows(self, pattern: str, within: float = PATIENCE) -> bool:
        """True as soon as it has drawn what matches, counted from the last time we asked."""
        deadline = time.monotonic() + within
        while not (found := re.search(pattern, self.drawn)) and time.monotonic() < deadline:
            if select.select([self.screen], [], [], 0.2)[0]:
                self._read()
        self.drawn = self.drawn[found.end() :] if found else self.drawn
        return bool(found)

    def press(self, keys: str) -> None:
        os.write(self.screen, keys.encode())

    def interrupt(self, pattern: str) -> bool:
        """Press Ctrl-C until it shows this: what comes between the drawing of a prompt and the wait for a key is noticed
        by Python with the next one only."""
        for _ in range(12):
            self.press(CTRL_C)
            if self.shows(pattern, PATIENCE / 12):
                return True
        return False

    def end(self, keys: str = "") -> int:
        """Press these, and wait for its end; the exit code."""
        if keys:
            self.press(keys)
        while select.select([self.screen], [], [], PATIENCE)[0] and self._read():
            pass
        code = self._program.wait()
        self.pid = 0
        os.close(self.screen)
        return code

    def leave(self) -> None:
        """If a test failed before it ended."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            self.end()

    def _read(self) -> bool:
        try:
            data = os.read(self.screen, 65_536)
        except OSError:  # the other side is gone
            return False
        self.drawn += data.decode("utf-8", "replace")
        return bool(data)
