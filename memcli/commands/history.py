"""`memcli history`: the generations of a memory, oldest first."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.errors import NoMemory
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.commands import reports
    from memcli.sidecar.generations import Generation


def history(path: Path | None, *, as_json: bool) -> int:
    """Print a line a generation, or one JSON object each. Raises NoMemory if there is none."""
    transcript = target(path, "history")
    found = list(Store(Place.of(transcript)).generations.all())
    if not found:
        raise NoMemory(f"no session memory beside {transcript}", f"memcli update {shlex.quote(str(transcript))}")
    if as_json:
        for one in found:
            print(_report(one).to_line())
        return 0
    print(f"{'n':>4}  {'made':19}  {'backend':9}  {'ms':>6}  {'messages':>15}  {'tokens':>19}  id")
    for one in found:
        print(_line(one))
    return 0


def _line(one: Generation) -> str:
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.made))
    messages = f"{one.messages_before:,} -> {one.messages_after:,}"
    tokens = f"{one.tokens_before:,} -> {one.tokens_after:,}"
    return f"{one.n:4}  {made}  {one.backend:9}  {one.milliseconds:6,}  {messages:>15}  {tokens:>19}  {one.id}"


def _report(one: Generation) -> reports.Generation:
    from memcli.commands import reports

    return reports.Generation(
        n=one.n,
        id=one.id,
        parent=one.parent,
        made=one.made,
        covered_bytes=one.covered,
        messages=reports.Change(one.messages_before, one.messages_after),
        tokens=reports.Change(one.tokens_before, one.tokens_after),
        milliseconds=one.milliseconds,
        backend=one.backend,
        model=one.model,
    )
