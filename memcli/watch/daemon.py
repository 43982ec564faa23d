"""The daemon as a program: `python -m memcli.watch.daemon ORDERS`, with its orders as one JSON argument.

It says what happens on stderr, one line an event. Nothing here needs typer, pydantic or rich.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from memcli import edge
from memcli.hosts.known import source_of
from memcli.session import Triggers
from memcli.watch.accounts import Accounts, Introduction
from memcli.watch.children import DEADLINE_SECONDS
from memcli.watch.loop import Loop
from memcli.watch.notify import Notifier
from memcli.watch.pulse import Pulse
from memcli.watch.told import DETAILS, Told, goes_to_journal, journal_line, json_line, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

SWITCH_SECONDS = 0.001
"""Threads wait for another no longer: an append is heard, and a job sent, while a long transcript is being read."""


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
    as_json: bool = False
    """Events go to stdout, as JSON."""
    quiet: bool = False
    verbose: bool = False
    host: str = ""
    """Follow the live sessions of this host, besides `paths`; those of `project`, "" for all."""
    project: str = ""
    metrics: str | None = None
    """Where to show metrics: a file, PORT or HOST:PORT; None for nowhere."""
    rest: float = 0.0
    """Seconds without a live session after which the daemon ends by itself; 0 for never."""


def loop_of(orders: Orders, report: Callable[[Told], None]) -> Loop:
    """The loop that carries out the orders; `report` has been told which backend makes the memory."""
    if not orders.quiet:
        report(Told("", "backend", {"name": orders.writer, "sends": orders.sends}))
        if orders.host:
            report(Told("", "sessions", {"of": orders.host, "project": orders.project or "all"}))
    notifier = Notifier(os.environ)
    pulse = Pulse(notifier)
    if orders.metrics is not None:
        pulse, report = _measured(orders, orders.metrics, notifier, report)
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
        source=source_of(orders.host, orders.project) if orders.host else None,
        alone=orders.rest,
        pulse=pulse,
        says=str(Introduction.of(orders.writer, orders.sends, orders.account)),
    )


def _again(orders: Orders) -> str:
    """The command that watches the same."""
    words = (
        [f"--{orders.host}", *(["--project", orders.project] if orders.project else ["--all"])] if orders.host else []
    )
    return shlex.join(["memcli", "watch", *orders.paths, *words])


def _measured(
    orders: Orders, where: str, notifier: Notifier, report: Callable[[Told], None]
) -> tuple[Pulse, Callable[[Told], None]]:
    """A pulse that shows metrics, and a report that is counted, too. Raises Usage, NotWritable."""
    from memcli.watch.exposure import exposed
    from memcli.watch.metrics import Tally

    tally = Tally()
    exposure = exposed(where, tally.text, _again(orders))
    report(Told("", "metrics", {"at": exposure.address}))

    def counted(told: Told) -> None:
        tally.take(told)
        report(told)

    return Pulse(notifier, tally, exposure), counted


def reporter(*, quiet: bool, verbose: bool, as_json: bool = False) -> Callable[[Told], None]:
    """Prints events as lines: for people, or for the journal, on stderr; `as_json` on stdout.

    With `quiet` warnings only; without `verbose` none of `told.DETAILS`.
    """
    journal = goes_to_journal(2, os.environ)

    def report(told: Told) -> None:
        if (told.event in DETAILS and not verbose) or (quiet and told.event != "warning"):
            return
        line = journal_line(told) if journal else line_of(told, time.strftime("%H:%M:%S"))
        if as_json:
            line = json_line(told, time.time())
        print(line, file=sys.stdout if as_json else sys.stderr, flush=True)

    return report


def main() -> int:
    """The orders come as the one argument; the exit code."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    sys.setswitchinterval(SWITCH_SECONDS)
    return loop_of(orders, reporter(quiet=orders.quiet, verbose=orders.verbose, as_json=orders.as_json)).run()


if __name__ == "__main__":
    sys.exit(edge.run(main))
