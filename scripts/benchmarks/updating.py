"""Section `updates`: many transcripts are due at once, and a model takes its time for each."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks import processes
from scripts.benchmarks.rounds import Failed, spread
from scripts.benchmarks.server import Server, with_key
from scripts.benchmarks.table import Row, Target, not_run
from scripts.benchmarks.transcripts import CLAUDE_CODE, KB, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.benchmarks.bench import Bench

SMALL = Target(150.0)

_UPDATES = 128
_BYTES = 200 * KB
"""Of a session with tools, whose output does not stand in the prompt."""
_LEAST_DELAY = 40.0
_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.05


class _Seen(NamedTuple):
    """The most that was seen at any time."""

    in_flight: int = 0
    children: int = 0
    resident: float = 0.0

    def and_also(self, other: _Seen) -> _Seen:
        return _Seen(
            max(self.in_flight, other.in_flight),
            max(self.children, other.children),
            max(self.resident, other.resident),
        )


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    number = 4 if bench.quick else _UPDATES
    what = f"summarizer child, {number} model updates in flight"
    directory = bench.place("updates", number * _BYTES)
    for serial in range(number):
        write(directory / f"session-{serial}.jsonl", CLAUDE_CODE, _BYTES, seed=serial + 1)
    delay = 2.0 if bench.quick else max(bench.delay, _LEAST_DELAY)
    with Server(delay) as server:
        options = (*server.options(), "--jobs", number, "--init-tokens", 1, "--update-tokens", 10**9)
        argv = bench.command("watch", directory, *options, "--update-tool-calls", 10**9)
        with processes.running(argv, with_key(bench.runner.environment), directory / "said") as daemon:
            seen = _watched(daemon, server, directory, number)
    shutil.rmtree(directory)
    if seen.in_flight < number:
        yield not_run(what, f"only {seen.in_flight} were in flight at once", SMALL)
        return
    note = f"{seen.children} child; sessions of 200 KB, a model of {delay:g} s on loopback"
    size = float("inf") if seen.children != 1 else seen.resident
    yield Row(what, f"{seen.in_flight} connections", "", spread([size]), "MiB", SMALL, note)


def _watched(daemon: int, server: Server, directory: Path, number: int) -> _Seen:
    """Look until all are updated. Raises Failed if that never comes."""
    seen, deadline = _Seen(), time.monotonic() + _PATIENCE_SECONDS
    said = directory / "said"
    while said.read_bytes().count(b" updated ") < number:
        if time.monotonic() > deadline or not processes.is_alive(daemon):
            raise Failed(f"not all {number} were updated in time")
        seen = seen.and_also(_look(daemon, server))
        time.sleep(_LOOK_SECONDS)
    return seen


def _look(daemon: int, server: Server) -> _Seen:
    pids = processes.children(daemon)
    try:
        resident = sum(processes.proportional(pid) for pid in pids)
    except Failed:  # one has just ended
        resident = 0.0
    return _Seen(processes.connections(server.port), len(pids), resident)
