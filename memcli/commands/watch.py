"""`memcli watch`: follow transcripts until stopped.

Where nobody looks at a terminal the process is replaced by one that holds nothing but the daemon: no typer, no
pydantic, no rich. It keeps its process id, so whoever started it can still wait for it and signal it.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.errors import NoTranscript

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from memcli.watch.daemon import Orders


def watch(paths: list[Path], overrides: Mapping[str, object], *, quiet: bool, verbose: bool) -> int:
    """The exit code of the daemon: 130 or 143 when stopped. Raises AlreadyWatched, NoTranscript, Usage."""
    paths = paths or [target(None, "watch", quiet=quiet)]
    for path in paths:
        _check(path)
    orders = _orders(paths, overrides, quiet=quiet, verbose=verbose)
    if not sys.stderr.isatty():
        from msgspec.json import encode

        daemon = [sys.executable, "-m", "memcli.watch.daemon", encode(orders).decode()]
        os.execv(sys.executable, daemon)  # noqa: S606 - ourselves, as another program
    from memcli.watch.daemon import loop_of, reporter

    if quiet:
        return loop_of(orders, reporter(quiet=True, verbose=verbose)).run()
    from memcli.ui.live import LiveView

    view = LiveView()
    loop = loop_of(orders, view.report)
    with view.showing(loop):
        return loop.run()


def _orders(paths: list[Path], overrides: Mapping[str, object], *, quiet: bool, verbose: bool) -> Orders:
    """What the daemon is to do. Raises Usage."""
    from memcli.commands import setup, writer
    from memcli.watch.daemon import Orders

    chosen = setup.load(overrides, quiet=quiet)
    who = writer.chosen(chosen.settings)
    return Orders(
        paths=tuple(str(path) for path in paths),
        triggers=setup.triggers(chosen, write=who.writes),
        jobs=chosen.settings.jobs,
        on_limit=chosen.settings.on_limit or "",
        writer=who.name,
        sends=who.sends,
        summarizer=tuple(who.argv),
        patience=who.patience,
        account=who.account,
        max_cost_per_hour=who.max_cost_per_hour,
        quiet=quiet,
        verbose=verbose,
    )


def _check(path: Path) -> None:
    """A named file may still be missing, but its directory must be there."""
    if not path.exists() and not path.absolute().parent.is_dir():
        raise NoTranscript(f"no such directory: {path.parent}", f"mkdir -p {shlex.quote(str(path.parent))}")
