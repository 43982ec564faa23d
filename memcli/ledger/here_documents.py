"""Here-documents: the texts that stand in a command between a mark and the line that ends them.

Read line by line, and where each mark ends is looked up: a text without an end costs no more than one that has one.
"""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING

from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_MARKS = 8
"""Here-documents of one line."""

_MARK = pattern(r"<<-?\s*(['\"]?)(\w+)\1")


def _any(_opening: str) -> bool:
    return True


def without_texts(command: str, which: Callable[[str], bool] = _any) -> str:
    """A command without here-documents that have an end: all, or those that open on a line for which `which` holds."""
    return "\n".join(line for line, _ in _parted(command, which)) if "<<" in command else command


def first_text(command: str) -> str:
    """What the first here-document of a command that has an end says; "" without one."""
    parted = _parted(command, _any) if "<<" in command else ()
    return next(("".join(f"{one}\n" for one in text) for _, text in parted if text is not None), "")


def _parted(command: str, which: Callable[[str], bool]) -> Iterator[tuple[str, list[str] | None]]:
    """The lines of a command; one that opens a here-document without its mark, and with the lines of the text."""
    lines = command.split("\n")
    ends: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        ends.setdefault(line.strip(), []).append(place)
    place = 0
    while place < len(lines):
        line, place = lines[place], place + 1
        text = None
        for mark in itertools.islice(_MARK.finditer(line), MAX_MARKS) if "<<" in line else ():
            behind = ends.get(mark[2], [])
            end = bisect.bisect_left(behind, place)
            opening = line[: mark.start()] + line[mark.end() :]
            if end < len(behind) and which(opening):
                line, text, place = opening, lines[place : behind[end]], behind[end] + 1
                break
        yield line, text
