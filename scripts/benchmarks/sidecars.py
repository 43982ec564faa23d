"""What memcli keeps beside a transcript, as the bench looks at it from outside."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from memcli import head, program

if TYPE_CHECKING:
    from pathlib import Path


def sidecar(transcript: Path) -> Path:
    """Where it lies."""
    return transcript.parent / ".memcli" / transcript.name


def as_of(transcript: Path) -> int:
    """The byte up to which Current State speaks of a transcript; 0 without one."""
    seen = _seen(transcript)
    return seen.end if seen else 0


def is_prepared(transcript: Path) -> bool:
    """True if the tail that a swap must rewrite was prepared as of then."""
    seen = _seen(transcript)
    try:
        return seen is not None and program.parse((sidecar(transcript) / "tail").read_bytes()).key == program.key(seen)
    except (OSError, ValueError):
        return False


def _seen(transcript: Path) -> head.Head | None:
    try:
        committed = head.parse((sidecar(transcript) / "head").read_bytes())
        return head.parse_now((sidecar(transcript) / "now").read_bytes(), committed)
    except (OSError, ValueError):
        return None


def forget(directory: Path) -> None:
    """Remove all that memcli keeps beside the transcripts of a directory."""
    shutil.rmtree(directory / ".memcli", ignore_errors=True)
    for memory in directory.glob("*session-memory.md"):
        memory.unlink()
