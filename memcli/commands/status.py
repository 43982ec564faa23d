"""`memcli status`: how current the memory is, how full the context, who watches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import UNSET

from memcli.commands.cost import cost_record, cost_rows, health_record, health_row
from memcli.commands.reports import Context, Status
from memcli.commands.standing import Standing, standing_of
from memcli.commands.target import target
from memcli.swap import lasted
from memcli.ui.tables import table

if TYPE_CHECKING:
    from pathlib import Path

_CODES = {"current": 0, "none": 3, "stale": 4, "foreign": 4}


def status(path: Path | None, *, cost: bool = False, as_json: bool = False) -> int:
    """Exit code 0 current, 3 no memory, 4 stale or foreign; a watched memory between two updates is current."""
    found = standing_of(target(path, "status"))
    if as_json:
        print(_report(found, cost=cost).to_line())
    else:
        print(table([*_rows(found), *(cost_rows(found.place) if cost else [])]))
    watched = found.holder is not None and found.state == "stale"
    return 0 if watched else _CODES[found.state]


def _rows(found: Standing) -> list[tuple[str, str]]:
    head, session = found.head, found.session
    rows = [
        ("transcript", f"{found.place.transcript} ({session.format})"),
        ("memory", f"{found.place.memory} - {found.state}" if head else "none yet"),
        ("context", str(session.reading)),
        ("messages", f"{session.messages:,}"),
    ]
    if head:
        rows.append(("covered", f"{found.covered:,} of {session.messages:,} messages"))
        rows.append(("generation", f"{head.generation}, made {lasted(time.time() - head.made)} ago"))
    who = f"process {found.holder.pid} ({found.holder.command})" if found.holder else "nobody"
    rows += [("watched by", who), health_row(health_record(found.place))]
    rows += [("unreadable", f"{count} x {name}") for name, count in sorted(session.reader.problems.items())]
    return rows


def _report(found: Standing, *, cost: bool) -> Status:
    head, session, reading = found.head, found.session, found.session.reading
    return Status(
        transcript=str(found.place.transcript),
        format=session.format,
        memory=str(found.place.memory),
        state=found.state,
        messages=session.messages,
        covered_messages=found.covered,
        context_tokens=Context(reading.exact, reading.estimated),
        generation=head.generation if head else None,
        made=head.made if head else None,
        summarizer=health_record(found.place),
        watched_by=found.holder.pid if found.holder else None,
        problems=dict(session.reader.problems),
        cost=cost_record(found.place) if cost else UNSET,
    )
