"""`memcli show`: print the session memory as it lies on the disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from memcli.commands.target import no_memory, target
from memcli.sidecar import files
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.commands.reports import Memory


def show(path: Path | None, *, as_json: bool = False) -> int:
    """Print the Markdown, or a report that holds it.

    Raises NoMemory if there is none, NotATranscript or NoMessages if there cannot be one.
    """
    transcript = target(path, "show")
    place = Place.of(transcript)
    memory = files.read(place.memory)
    if memory is None:
        raise no_memory(transcript)
    if as_json:
        print(_report(place, memory.decode("utf-8", "replace")).to_line())
        return 0
    sys.stdout.buffer.write(memory)
    return 0


def _report(place: Place, text: str) -> Memory:
    from memcli.commands.reports import Memory
    from memcli.sidecar.store import Store

    head = Store(place).head()
    return Memory(
        transcript=str(place.transcript),
        memory=str(place.memory),
        generation=head.generation if head else None,
        made=head.made if head else None,
        text=text,
        sections=_sections(text),
    )


def _sections(text: str) -> dict[str, str]:
    """What stands below each heading; a line that only looks like one was escaped when the memory was written."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            lines = found.setdefault(line[3:].strip(), [])
        else:
            lines.append(line)
    return {name: "\n".join(body).strip("\n") for name, body in found.items()}
