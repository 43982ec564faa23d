"""Programs that take turns, and what each of them cost.

Milliseconds of a shared machine mean little, ratios within one run a lot: every round runs every program once, in
another order, and a ratio is the median of the ratios of the rounds. CPU is that of a program and its children that
have ended, user and system; the first round warms up and is thrown away.
"""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PATIENCE_SECONDS = 3600.0
"""A program that takes longer is killed, and has failed."""

_MIB = 1024 * 1024


class Failed(Exception):
    """A program could not be run, or ended as it should not."""


class Program(NamedTuple):
    """What to run. `before` is called before each run and not counted; `codes` are the exit codes of success."""

    name: str
    argv: tuple[str, ...]
    before: Callable[[], object] | None = None
    out: str = os.devnull
    codes: tuple[int, ...] = (0,)


class Cost(NamedTuple):
    """One run: seconds, seconds, and the MiB of the largest of its processes at its peak (the bench's own size is the
    least that can be seen)."""

    wall: float
    cpu: float
    peak: float


class Spread(NamedTuple):
    """The median of some measurements, and where the middle four fifths of them lie."""

    median: float
    low: float
    high: float


class Runner:
    """Runs programs in one directory with one environment."""

    def __init__(self, room: Path, environment: Mapping[str, str]) -> None:
        self.room = room
        self.environment = dict(environment)

    def run(self, program: Program) -> Cost:
        """Run a program to its end. Raises Failed, with what it said last on stderr."""
        if program.before is not None:
            program.before()
        said = self.room / "stderr"
        begun = time.perf_counter()
        pid = self._start(program, said)
        alarm = threading.Timer(PATIENCE_SECONDS, os.kill, (pid, signal.SIGKILL))
        alarm.start()
        try:
            _, status, used = os.wait4(pid, 0)
        except BaseException:  # somebody ends the bench
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            alarm.cancel()
        wall = time.perf_counter() - begun
        code = os.waitstatus_to_exitcode(status)
        if code not in program.codes:
            raise Failed(f"{program.name} ended with {code}: {_last_line(said)}")
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / _MIB)

    def _start(self, program: Program, said: Path) -> int:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, program.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        ]
        try:
            return os.posix_spawnp(program.argv[0], program.argv, self.environment, file_actions=actions)
        except OSError as error:
            raise Failed(f"{program.argv[0]} cannot be started: {error.strerror}") from error

    def rounds(self, programs: Sequence[Program], number: int) -> Rounds:
        """Let programs take turns, `number` times and once to warm up; 0 times is once, cold. Raises Failed."""
        if number == 0:
            return self.single(programs)
        costs: dict[str, list[Cost]] = {program.name: [] for program in programs}
        for turn in range(number + 1):
            first = turn % len(programs)
            for program in (*programs[first:], *programs[:first]):
                costs[program.name].append(self.run(program))
        return Rounds({name: measured[1:] for name, measured in costs.items()})

    def single(self, programs: Sequence[Program]) -> Rounds:
        """Each program once, cold: for those that take minutes, or to see that all of them run. Raises Failed."""
        return Rounds({program.name: [self.run(program)] for program in programs})


class Rounds:
    """What programs cost, round by round."""

    def __init__(self, costs: dict[str, list[Cost]]) -> None:
        self.costs = costs

    def cpu(self, name: str) -> Spread:
        """Seconds of CPU."""
        return spread([cost.cpu for cost in self.costs[name]])

    def wall(self, name: str) -> Spread:
        """Seconds of the clock on the wall."""
        return spread([cost.wall for cost in self.costs[name]])

    def peak(self, name: str) -> Spread:
        """MiB."""
        return spread([cost.peak for cost in self.costs[name]])

    def ratio(self, name: str, floor: str, of: str = "cpu") -> Spread:
        """`name` to `floor`, round by round; `of` is a field of Cost."""
        pairs = zip(self.costs[name], self.costs[floor], strict=True)
        return spread([getattr(one, of) / max(getattr(other, of), 1e-9) for one, other in pairs])


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value. Below ten values the ends are the least and the greatest."""
    ordered = sorted(values)
    skipped = len(ordered) // 10
    return Spread(statistics.median(ordered), ordered[skipped], ordered[-1 - skipped])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
