"""What memcli keeps beside a transcript, as the bench looks at it from outside."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from memcli import head

if TYPE_CHECKING:
    from pathlib import Path


def sidecar(transcript: Path) -> Path:
    """Where it lies."""
    return transcript.parent / ".memcli" / transcript.name


def as_of(transcript: Path) -> int:
    """The byte up to which Current State speaks of a transcript; 0 without one."""
    place = sidecar(transcript)
    try:
        committed = head.parse((place / "head").read_bytes())
        return head.parse_now((place / "now").read_bytes(), committed).end
    except (OSError, ValueError):
        return 0


def forget(directory: Path) -> None:
    """Remove all that memcli keeps beside the transcripts of a directory."""
    shutil.rmtree(directory / ".memcli", ignore_errors=True)
    for memory in directory.glob("*session-memory.md"):
        memory.unlink()
