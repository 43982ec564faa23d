"""An event of the daemon as one line: when, what, which transcript, fields."""

from __future__ import annotations

from typing import NamedTuple

from memcli.edge import printable

DETAILS = frozenset({"ignored", "progress", "noticed", "asked"})
"""Events for those who want to know more: files passed by, appends, jobs as they are started and while they run."""


class Told(NamedTuple):
    """What happened to which transcript ("" for the daemon itself)."""

    path: str
    event: str
    fields: dict[str, object]


def line_of(told: Told, clock: str) -> str:
    """The line, without its end. `clock` is the time of day to show."""
    fields = " ".join(f"{name}={_shown(value)}" for name, value in told.fields.items())
    where = f" {told.path}" if told.path else ""
    return printable(f"{clock} {told.event}{where} {fields}".rstrip())  # a name can hold line ends, a log must not


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
