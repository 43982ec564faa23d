"""The bench: `memcli compact` beside other programs of the same run. Run by scripts/bench.

Milliseconds of a shared machine mean little, ratios within one run a lot: the programs take turns, and the table shows
the median of each and its ratio to `python -c pass`. CPU is that of the program and its children, user and system.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "claude-code-2.1.330-shelfmark.jsonl"
ROUNDS = 15

_TAIL_BYTES = 100_000
# What pip writes as console script; `python -m memcli` would load runpy besides.
_DOOR = "import sys\nfrom memcli.__main__ import main\nsys.exit(main())\n"
_LOOP = "import json, sys\nfor line in open(sys.argv[1], 'rb'):\n  json.loads(line)\n"


class Cost(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float


def main() -> int:
    """Measure and print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="memcli compact beside other programs.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each program (default: {ROUNDS})")
    parser.add_argument("transcript", nargs="?", type=Path, default=RECORDED)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memcli-bench-") as room:
        os.environ["HOME"] = room
        programs = prepare(wish.transcript, Path(room))
        costs: dict[str, list[Cost]] = {name: [] for name in programs}
        for _ in range(wish.rounds + 1):
            for name, command in programs.items():
                costs[name].append(run(command))
    print_table({name: median(measured[1:]) for name, measured in costs.items()})  # the first round warms up
    return 0


def prepare(recorded: Path, room: Path) -> dict[str, list[str]]:
    """The programs to compare, on a copy of the transcript whose memory is ready."""
    transcript = room / "session.jsonl"
    transcript.write_bytes(recorded.read_bytes())
    door = room / "door.py"
    door.write_text(_DOOR)
    memcli = [sys.executable, str(door)]
    subprocess.run([*memcli, "update", "-q", str(transcript)], check=True)
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        f"tail -c {_TAIL_BYTES}": ["tail", "-c", str(_TAIL_BYTES), str(transcript)],
        "json.loads of each line": [sys.executable, "-c", _LOOP, str(transcript)],
        "memcli compact": [*memcli, "compact", "-q", str(transcript)],
        "memcli compact --to messages": [*memcli, "compact", "-q", "--to", "messages", str(transcript)],
        "memcli status": [*memcli, "status", str(transcript)],
    }


def run(command: list[str]) -> Cost:
    """Run a program to its end."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def median(measured: list[Cost]) -> Cost:
    """The median of each column."""
    return Cost(statistics.median(cost.wall for cost in measured), statistics.median(cost.cpu for cost in measured))


def print_table(medians: dict[str, Cost]) -> None:
    """One line a program: milliseconds, and the ratio to the first one."""
    floor = next(iter(medians.values()))
    print(f"{'median of':32}{'wall ms':>10}{'ratio':>8}{'CPU ms':>10}{'ratio':>8}")
    for name, cost in medians.items():
        wall, cpu = f"{cost.wall * 1000:.1f}", f"{cost.cpu * 1000:.1f}"
        print(f"{name:32}{wall:>10}{cost.wall / floor.wall:>8.2f}{cpu:>10}{cost.cpu / floor.cpu:>8.2f}")


if __name__ == "__main__":
    sys.exit(main())
