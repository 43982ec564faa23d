"""An event of the daemon: as a line for people, for the journal of systemd, or as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from memcli.edge import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

DETAILS = frozenset({"ignored", "progress", "noticed", "asked"})
"""Events for those who want to know more: files passed by, appends, jobs as they are started and while they run."""

# Priorities of syslog, as sd-daemon(3) reads them at the start of a line.
_WARNING, _INFO, _DEBUG = 4, 6, 7
_PRIORITIES = {"warning": _WARNING, **dict.fromkeys(DETAILS, _DEBUG)}


class Told(NamedTuple):
    """What happened to which transcript ("" for the daemon itself)."""

    path: str
    event: str
    fields: dict[str, object]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="memcli.event/1"):
    """A line of `memcli watch --json`."""

    time: Annotated[float, msgspec.Meta(description="seconds since 1970")]
    event: Annotated[
        str,
        msgspec.Meta(
            description="backend, following, updated, replaced, limit, compacted, ignored, progress, warning, ..."
        ),
    ]
    transcript: Annotated[str | None, msgspec.Meta(description="null: the daemon itself")]
    fields: Annotated[dict[str, Any], msgspec.Meta(description="what is to say of it; depends on the event")]


def line_of(told: Told, clock: str) -> str:
    """The line, without its end. `clock` is the time of day to show, "" for none."""
    fields = " ".join(f"{name}={_shown(value)}" for name, value in told.fields.items())
    words = (clock, told.event, told.path, fields)
    return printable(" ".join(word for word in words if word))  # a name can hold line ends, a log must not


def journal_line(told: Told) -> str:
    """The line for a journal, which knows the time itself and takes the priority from the front of a line."""
    return f"<{_PRIORITIES.get(told.event, _INFO)}>{line_of(told, '')}"


def json_line(told: Told, wall: float) -> str:
    """The event as one line of JSON. `wall` is the time, in seconds since 1970."""
    event = Event(time=round(wall, 3), event=told.event, transcript=told.path or None, fields=told.fields)
    return json.dumps(msgspec.to_builtins(event, enc_hook=str))


def goes_to_journal(descriptor: int, environment: Mapping[str, str]) -> bool:
    """True if the descriptor is the stream that systemd connected to its journal (JOURNAL_STREAM in systemd.exec(5)):
    a variable alone could be inherited by a process whose output goes elsewhere."""
    try:
        stat = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
