"""The live view of `memcli watch` in a terminal: a row a transcript, and the last events below."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from memcli.swap import lasted
from memcli.watch.told import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.watch.keeper import Keeper
    from memcli.watch.loop import Loop
    from memcli.watch.told import Told

SHOWN_EVENTS = 6
SHOWN_ROWS = 20


class LiveView:
    """Draws four times a second, in a thread of rich's; it only reads what the loop has."""

    def __init__(self) -> None:
        self._events: deque[str] = deque(maxlen=SHOWN_EVENTS)
        self._loop: Loop | None = None
        self._rows: dict[str, tuple[str, str, str, str]] = {}
        """What was shown of those that rest."""

    def report(self, told: Told) -> None:
        """Take note of an event."""
        if told.event in ("noticed", "asked"):
            return
        self._events.append(line_of(told, time.strftime("%H:%M:%S")))

    @contextmanager
    def showing(self, loop: Loop) -> Iterator[None]:
        """Draw while the loop runs; the last picture stays."""
        self._loop = loop
        console = Console(stderr=True, file=sys.stderr)
        with Live(console=console, get_renderable=self._picture, refresh_per_second=4, transient=False):
            yield

    def _picture(self) -> Group:
        table = Table(box=None, padding=(0, 2), header_style="bold")
        for name in ("transcript", "context", "covered", "memory"):
            table.add_column(name, justify="left" if name in ("transcript", "memory") else "right")
        paths = self._loop.paths if self._loop else []
        for path in paths[:SHOWN_ROWS]:
            table.add_row(*map(Text, self._row(path)))  # a name may hold brackets, which are no markup
        more = [Text(f"and {len(paths) - SHOWN_ROWS} more", style="dim")] if len(paths) > SHOWN_ROWS else []
        return Group(table, *more, Text(""), *(Text(event, style="dim") for event in self._events))

    def _row(self, path: str) -> tuple[str, str, str, str]:
        """The row of a transcript; of one that rests the figures it had."""
        keeper = self._loop.keepers.get(path) if self._loop else None
        if keeper is not None:
            self._rows[path] = _row(keeper)
            return self._rows[path]
        name, context, covered, memory = self._rows.get(path, (Path(path).name, "-", "-", "-"))
        return name, context, covered, f"{memory.partition(',')[0]}, at rest"


def _row(keeper: Keeper) -> tuple[str, str, str, str]:
    session, head = keeper.session, keeper.head
    name = Path(keeper.path).name
    if session is None:
        return name, "-", "-", "waiting for the first line"
    context = f"{session.reading.tokens:,}"
    if head is None:
        return name, context, f"0/{session.messages}", "none yet"
    covered = head.messages - head.tail_messages
    state = "updating" if session.flight else f"{lasted(time.time() - head.made)} ago"
    return name, context, f"{covered}/{session.messages}", f"{keeper.place.memory.name}, {state}"
