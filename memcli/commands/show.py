"""`memcli show`: print the session memory as it lies on the disk."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.errors import NoMemory
from memcli.sidecar import files
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path


def show(path: Path | None) -> int:
    """Print the Markdown. Raises NoMemory if there is none."""
    transcript = target(path, "show")
    memory = files.read(Place.of(transcript).memory)
    if memory is None:
        raise NoMemory(f"no session memory beside {transcript}", f"memcli update {shlex.quote(str(transcript))}")
    sys.stdout.buffer.write(memory)
    return 0
