"""`scripts/bench [SECTION]...`: measures, and prints a table."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks import catching_up, compacting, peers, starting, updating, watching
from scripts.benchmarks.bench import Bench, loads
from scripts.benchmarks.installed import environment, install_memcli
from scripts.benchmarks.rounds import Failed, Program, Runner
from scripts.benchmarks.table import Row, Table, not_run
from scripts.benchmarks.transcripts import GB, KB, MB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECTIONS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "startup": starting.rows,
    "compact": compacting.rows,
    "watch": watching.rows,
    "catchup": catching_up.rows,
    "updates": updating.rows,
    "peers": peers.rows,
}
ROUNDS = 21

_UNITS = {"KB": KB, "MB": MB, "GB": GB}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; exit code 0 whatever the figures are, 1 if memcli could not be installed."""
    wish = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left behind
    table = Table(as_json=wish.json)
    begun = loads()
    with tempfile.TemporaryDirectory(prefix="memcli-bench-", dir=wish.room, ignore_cleanup_errors=True) as room:
        try:
            bench = _bench(wish, Path(room))
        except Failed as reason:
            print(f"Error: memcli could not be installed: {reason}\nTry: scripts/bench --quick", file=sys.stderr)
            return 1
        for name in wish.sections or SECTIONS:
            table.section(name, _whole(name, SECTIONS[name](bench)))
    table.end({"python": platform.python_version(), "cores": os.cpu_count(), "load before": begun, "after": loads()})
    return 0


def _whole(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a section; one more if it cannot go on, never silence."""
    try:
        yield from rows
    except (Failed, OSError) as reason:
        yield not_run(f"the rest of {name}", str(reason))


def _bench(wish: argparse.Namespace, room: Path) -> Bench:
    """Install memcli and warm up its compiled files. Raises Failed."""
    memcli = install_memcli(room / "memcli", offline=wish.quick)
    bench = Bench(
        room=room,
        memcli=memcli,
        runner=Runner(room, environment(room / "home")),
        rounds=wish.rounds or (0 if wish.quick else ROUNDS),
        largest=wish.largest,
        delay=wish.delay if not wish.quick else min(wish.delay, 0.5),
        sessions=tuple(wish.sessions_from),
        quick=wish.quick,
    )
    bench.runner.run(Program("memcli --version", bench.command("--version")))
    return bench


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="How fast memcli is, beside floors and peers of the same run."
    )
    add = parser.add_argument
    add("sections", nargs="*", metavar="SECTION", type=_section, help=f"some of {', '.join(SECTIONS)} [all]")
    add("--quick", action="store_true", help="small and offline: shows that the bench works, the figures mean nothing")
    add("--rounds", type=int, default=0, metavar="N", help=f"rounds of short programs [{ROUNDS}]")
    add("--largest", type=_bytes, default=5 * GB, metavar="SIZE", help="skip larger transcripts, such as 1GB [5GB]")
    add("--delay", type=float, default=25.0, metavar="SECONDS", help="of the simulated model's answers [25]")
    add("--sessions-from", type=Path, nargs="*", default=[], metavar="DIR", help="sessions of your own, to catch up on")
    add("--room", type=Path, metavar="DIR", help="where to work [the system's temporary directory]")
    add("--json", action="store_true", help="the table on stderr, and JSON with a `schema` field on stdout")
    return parser


def _section(name: str) -> str:
    if name not in SECTIONS:
        raise argparse.ArgumentTypeError(f"there is no section {name}")
    return name


def _bytes(text: str) -> int:
    unit = _UNITS.get(text[-2:].upper(), 1)
    return int(float(text[:-2] if unit > 1 else text) * unit)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
