"""Rows of figures, and how they are shown: as lines as they come, and as JSON at the end."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.benchmarks.rounds import Spread

SCHEMA = "memcli.bench/1"

_WIDTHS = (46, 22, 34, 22, 10)
_HEADINGS = ("what", "figure", "beside (same run)", "measured (p10-p90)", "target")


class Target(NamedTuple):
    """What is promised of the measured value."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """True if the promise is kept."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


class Row(NamedTuple):
    """One figure. `measured` is a ratio ("x") or has a unit; without it the row only tells, as where `note` says why
    something was not run."""

    what: str
    figure: str = ""
    beside: str = ""
    measured: Spread | None = None
    unit: str = "x"
    target: Target | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """None where nothing was promised or measured; a promise that was not measured is not kept."""
        if self.target is None:
            return None
        return self.measured is not None and self.target.holds(self.measured.median)


def not_run(what: str, reason: str, target: Target | None = None) -> Row:
    """A figure that is missing, and why."""
    return Row(what, note=f"not run: {reason}", target=target)


def milliseconds(seconds: Spread) -> str:
    """The median, for people."""
    return f"{seconds.median * 1000:,.1f} ms"


class Table:
    """Prints rows as they come."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.rows: list[tuple[str, Row]] = []

    def section(self, name: str, rows: Iterable[Row]) -> None:
        """Show all rows of a section."""
        self._say(f"\n{name}\n{_line(_HEADINGS)}")
        for row in rows:
            self.rows.append((name, row))
            self._say(_line(_cells(row)) + _verdict(row))
            if row.note:
                self._say(f"    {row.note}")

    def end(self, machine: dict[str, object]) -> None:
        """What the machine was like, and the sum of it."""
        missed = [row.what for _, row in self.rows if row.holds is False]
        kept = sum(row.holds is True for _, row in self.rows)
        self._say("\n" + ", ".join(f"{name} {value}" for name, value in machine.items()))
        self._say(f"{kept} targets hold, {len(missed)} do not" + "".join(f"\n  - {what}" for what in missed))
        if self._as_json:
            print(json.dumps({"schema": SCHEMA, "machine": machine, "rows": [_record(*row) for row in self.rows]}))

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr if self._as_json else sys.stdout, flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    shown = ""
    if row.measured is not None:
        unit = row.unit if row.unit == "x" else f" {row.unit}"
        middle = f"{row.measured.median:,.2f}{unit}"
        alone = row.measured.low == row.measured.high
        shown = middle if alone else f"{middle} ({row.measured.low:,.2f}-{row.measured.high:,.2f})"
    return (row.what, row.figure, row.beside, shown, str(row.target or ""))


def _line(cells: Iterable[str]) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _verdict(row: Row) -> str:
    return "" if row.holds is None else "  holds" if row.holds else "  MISSED"


def _record(section: str, row: Row) -> dict[str, object]:
    finite = row.measured is not None and math.isfinite(row.measured.median)  # JSON knows no other numbers
    measured = row.measured._asdict() if row.measured is not None and finite else None
    target = str(row.target) if row.target else None
    return {"section": section, **row._asdict(), "measured": measured, "target": target, "holds": row.holds}
