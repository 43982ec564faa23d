"""`memcli history`: the generations of a memory, oldest first, and how many of them are gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memcli.commands.target import no_memory, target
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.commands import reports
    from memcli.sidecar.generations import Generation


def history(path: Path | None, *, as_json: bool) -> int:
    """Print a line a generation, or one JSON object each.

    Raises NoMemory if there is none, NotATranscript or NoMessages if there cannot be one.
    """
    transcript = target(path, "history")
    generations = Store(Place.of(transcript)).generations
    there = generations.numbers()  # before they are read: one that is damaged is not one that was thinned out
    found = list(generations.all())
    if not found:
        raise no_memory(transcript)
    thinned = _thinned(there, found)
    if as_json:
        for one, gone in zip(found, thinned, strict=True):
            print(_report(one, gone).to_line())
        return 0
    print(f"{'n':>4}  {'made':19}  {'backend':9}  {'ms':>6}  {'messages':>15}  {'tokens':>19}  id")
    for one, gone in zip(found, thinned, strict=True):
        if gone:
            print(f"{'...':>4}  {gone:,} thinned out")
        print(_line(one))
    return 0


def _thinned(there: list[int], found: list[Generation]) -> list[int]:
    """For each that was found, how many right before it are not there any more."""
    before = [0, *(one.n for one in found)]
    return [
        after.n - n - 1 - sum(n < damaged < after.n for damaged in there)
        for n, after in zip(before, found, strict=False)
    ]


def _line(one: Generation) -> str:
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.made))
    messages = f"{one.messages_before:,} -> {one.messages_after:,}"
    tokens = f"{one.tokens_before:,} -> {one.tokens_after:,}"
    return f"{one.n:4}  {made}  {one.backend:9}  {one.milliseconds:6,}  {messages:>15}  {tokens:>19}  {one.id}"


def _report(one: Generation, thinned: int) -> reports.Generation:
    from memcli.commands import reports

    return reports.Generation(
        n=one.n,
        thinned=thinned,
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
