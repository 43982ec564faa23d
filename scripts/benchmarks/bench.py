"""What every section is given: where to work, how much, and the installed command."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks.rounds import Failed, Program, Runner
from scripts.benchmarks.transcripts import GB, MB

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.benchmarks.installed import Installed

_SPARE_BYTES = 2 * GB


class Bench(NamedTuple):
    """One run of the bench. `rounds` is for programs of milliseconds; `largest` the largest transcript, in bytes.

    `quick`: sizes and counts are small, to see that the bench works; its figures mean nothing.
    """

    room: Path
    memcli: Installed
    runner: Runner
    rounds: int
    largest: int
    delay: float
    sessions: tuple[Path, ...] = ()
    quick: bool = False

    def command(self, *arguments: object) -> tuple[str, ...]:
        """The command line of the installed memcli."""
        return (self.memcli.program("memcli"), *map(str, arguments))

    def python(self, *arguments: object) -> tuple[str, ...]:
        """The interpreter that memcli was installed for."""
        return (self.memcli.python, *map(str, arguments))

    def some(self, many: int) -> int:
        """So many, or few if quick."""
        return max(3, many // 1000) if self.quick else many

    @property
    def few_rounds(self) -> int:
        """For programs that take seconds."""
        return self.rounds and max(1, self.rounds // 5)

    def size(self, bytes: int) -> int:
        """A size, small if quick."""
        return max(30_000, bytes // 1000) if self.quick else bytes

    def place(self, name: str, bytes: int) -> Path:
        """A directory of its own for a transcript of this size. Raises Failed if it is too large for us or the disk."""
        if bytes > self.largest:
            raise Failed(f"{label(bytes)} is more than --largest allows")
        free = shutil.disk_usage(self.room).free
        if bytes * 2 + _SPARE_BYTES > free and not self.quick:
            raise Failed(f"{label(bytes)} does not fit: {label(free)} are free")
        directory = self.room / name
        directory.mkdir()
        return directory

    def update(self, transcript: Path) -> None:
        """Make a memory of a transcript, as it stands. Raises Failed."""
        self.runner.run(Program("memcli update", self.command("update", "-q", transcript)))


def label(bytes: int) -> str:
    """A size for people."""
    unit, name = (GB, "GB") if bytes >= GB else (MB, "MB") if bytes >= MB else (1000, "KB")
    return f"{bytes / unit:.3g} {name}"


def shell(line: str) -> tuple[str, ...]:
    """A line for the shell."""
    return ("/bin/sh", "-c", line)


def loads() -> str:
    """What is running beside us: the load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{load:.1f}" for load in os.getloadavg())
