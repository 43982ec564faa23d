"""Tables for people, drawn by rich; plain where nobody looks at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as a plain table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in rows
    )
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns: a name and what it is. Without colour or frame when stdout is no terminal."""
    rows = list(rows)
    if not sys.stdout.isatty():
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join(f"{name:{width}}  {value}" for name, value in rows)
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name, style="bold"), Text(value))
    console = Console()
    with console.capture() as drawn:
        console.print(grid)
    return drawn.get().rstrip("\n")
