"""The tests' Messages server as a program on loopback: what a model would take its time for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Self

from scripts.benchmarks.installed import ROOT
from scripts.benchmarks.rounds import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping


class Server:
    """Runs as long as its `with` block; every answer comes after `delay` seconds."""

    def __init__(self, delay: float) -> None:
        argv = [sys.executable, "-m", "tests.messages_api", "--delay", str(delay)]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        if not self.url:
            self._end()
            raise Failed("the server on loopback did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def options(self) -> tuple[str, ...]:
        """Of memcli, to ask this server."""
        return ("--backend", "anthropic", "--base-url", self.url)

    def _end(self) -> None:
        self._process.terminate()
        self._process.communicate()


def with_key(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment with a key that only this server takes."""
    return {**environment, "ANTHROPIC_API_KEY": "of-the-bench", "MEMCLI_DIALECT": "anthropic"}
