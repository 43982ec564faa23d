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
from memcli.watch.accounts import Accounts
from memcli.watch.children import DEADLINE_SECONDS
from memcli.watch.loop import Loop
from memcli.watch.told import DETAILS, Told, line_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Orders(msgspec.Struct, frozen=True):
    """What `memcli watch` was told to do."""

    paths: tuple[str, ...]
    triggers: Triggers
    jobs: int = 4
    on_limit: str = ""
    writer: str = "embedded"
    sends: str = "nothing leaves this machine"
    summarizer: tuple[str, ...] = ()
    patience: float = DEADLINE_SECONDS
    account: str = ""
    """What the summarizer's accounts are kept under; "" if it costs nothing."""
    max_cost_per_hour: float | None = None
    quiet: bool = False
    verbose: bool = False


def loop_of(orders: Orders, report: Callable[[Told], None]) -> Loop:
    """The loop that carries out the orders; `report` has been told which backend makes the memory."""
    if not orders.quiet:
        report(Told("", "backend", {"name": orders.writer, "sends": orders.sends}))
    paths = [Path(path) for path in orders.paths]
    return Loop(
        paths,
        orders.triggers,
        report,
        jobs=orders.jobs,
        on_limit=orders.on_limit,
        summarizer=orders.summarizer or None,
        patience=orders.patience,
        accounts=Accounts(orders.account, orders.max_cost_per_hour) if orders.account else None,
    )


def reporter(*, quiet: bool, verbose: bool) -> Callable[[Told], None]:
    """Prints events as lines on stderr. With `quiet` warnings only; without `verbose` none of `told.DETAILS`."""

    def report(told: Told) -> None:
        if (told.event in DETAILS and not verbose) or (quiet and told.event != "warning"):
            return
        sys.stderr.write(line_of(told, time.strftime("%H:%M:%S")) + "\n")
        sys.stderr.flush()

    return report


def main() -> int:
    """The orders come as the one argument; the exit code."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    return loop_of(orders, reporter(quiet=orders.quiet, verbose=orders.verbose)).run()


if __name__ == "__main__":
    sys.exit(edge.run(main))
