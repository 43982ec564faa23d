"""The daemon as a program: `python -m memcli.watch.daemon ORDERS`, with its orders as one JSON argument.

It says what happens on stderr, one line an event. Nothing here needs typer, pydantic or rich.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from memcli import edge
from memcli.session import Triggers
from memcli.watch.loop import Loop, Told

if TYPE_CHECKING:
    from collections.abc import Callable


class Orders(msgspec.Struct, frozen=True):
    """What `memcli watch` was told to do."""

    paths: tuple[str, ...]
    triggers: Triggers
    jobs: int = 4
    on_limit: str = ""
    quiet: bool = False
    verbose: bool = False


def run(orders: Orders) -> int:
    """Watch until stopped; the exit code."""
    paths = [Path(path) for path in orders.paths]
    report = reporter(quiet=orders.quiet, verbose=orders.verbose)
    if not orders.quiet:
        report(Told("", "backend", {"name": "embedded", "sends": "nothing leaves this machine"}))
    return Loop(paths, orders.triggers, report, jobs=orders.jobs, on_limit=orders.on_limit).run()


def reporter(*, quiet: bool, verbose: bool) -> Callable[[Told], None]:
    """Prints events as lines: time, what, which transcript, fields. With `quiet` warnings only."""
    silent = {"ignored"} if not verbose else set()

    def report(told: Told) -> None:
        if told.event in silent or (quiet and told.event != "warning"):
            return
        fields = " ".join(f"{name}={_shown(value)}" for name, value in told.fields.items())
        where = f" {told.path}" if told.path else ""
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {told.event}{where} {fields}".rstrip() + "\n")
        sys.stderr.flush()

    return report


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text


def main() -> int:
    """The orders come as the one argument."""
    return run(msgspec.json.decode(sys.argv[1], type=Orders))


if __name__ == "__main__":
    sys.exit(edge.run(main))
