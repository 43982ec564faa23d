"""Pasted: output that a person put between their own words.

A log of many lines that look alike tells with its first line what it is, and with the first that says what went wrong
why it was pasted; the rest would take the room of what the person says about it, and the transcript has it. Only lines
with figures or settings in common count, so that no list of wishes is ever shortened.
"""

from __future__ import annotations

from itertools import pairwise
from posixpath import commonprefix

from memcli.ledger.clean import ELISION
from memcli.ledger.complaints import tells_failure
from memcli.transcript.patterns import pattern

RUN = 4  # lines that look alike
ALIKE = 12  # characters they begin with in common, figures aside

_FIGURES = pattern(r"\d+")
_ITEM = pattern(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")


def without_logs(text: str) -> str:
    """`text` with of every run of log lines the first, and the first that tells a failure; elision marks for others."""
    kept: list[str] = []
    run: list[str] = []
    for line in text.split("\n"):
        if run and not _alike(run[-1], line):
            kept += _shortened(run)
            run = []
        run.append(line)
    return "\n".join(kept + _shortened(run))


def _shortened(run: list[str]) -> list[str]:
    if len(run) < RUN:
        return run
    wrong = next((place for place, line in enumerate(run) if tells_failure(line)), 0)
    shown: list[str] = []
    for place, following in pairwise([*sorted({0, wrong}), len(run)]):
        shown += [run[place], ELISION] if following - place > 1 else [run[place]]
    return shown


def _alike(one: str, other: str) -> bool:
    """True for two lines that a program printed one after the other."""
    if _ITEM.match(one):
        return False
    common = commonprefix([_FIGURES.sub("#", one[:80]), _FIGURES.sub("#", other[:80])])
    return len(common) >= ALIKE and ("#" in common or "=" in common)
