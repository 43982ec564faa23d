"""An event of the daemon: as a line for people, for the journal of systemd, or as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from memcli.edge import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.memory.jobs import Result

DETAILS = frozenset({"ignored", "progress", "noticed", "asked", "answered", "current"})
"""Events for those who want to know more: files passed by, appends, jobs as they are started, run and end, and that
what was read has been decided on: the memory's state holds it."""

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


def answered(path: str, result: Result) -> Told:
    """The event of a job that was answered: who wrote, how long it took, and what the requests to a model came to."""
    failure = result.error or (result.failure.sentence if result.failure else "")
    fields: dict[str, object] = {"wrote": result.wrote, "milliseconds": result.milliseconds}
    if failure:
        fields["failure"] = failure
    if result.calls:
        for kind in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output"):
            tokens = sum(getattr(call.usage, f"{kind}_tokens") for call in result.calls)
            fields |= {f"{kind}_tokens": tokens} if tokens else {}
        fields["dollars"] = round(sum(call.cost or 0.0 for call in result.calls), 6)
        fields["unpriced"] = sum(call.cost is None for call in result.calls)
    return Told(path, "answered", fields)


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
