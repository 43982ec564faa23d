"""A real `memcli watch` process, and what it says."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from tests.builders import PATIENCE, eventually
from tests.cli.command import command, environment

if TYPE_CHECKING:
    from pathlib import Path


class Daemon:
    """Started at once; `heard` is everything it has said on stderr."""

    def __init__(self, log: Path, *args: object) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(command("watch", *args), stdout=out, stderr=out, env=environment())

    @property
    def heard(self) -> str:
        return self.log.read_text()

    def says(self, words: str, times: int = 1) -> bool:
        return eventually(lambda: self.heard.count(words) >= times)

    def kill(self) -> int:
        """As the kernel does."""
        self.process.kill()
        return self.process.wait()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)
