"""Where a transcript may come to lie. Loads nothing that is heavy: `memcli watch` says it before it works."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from memcli.edge import near
from memcli.errors import NoTranscript

if TYPE_CHECKING:
    from pathlib import Path


def check_place(path: Path) -> None:
    """Raises NoTranscript for a path whose directory is not there: a file may come later, but not its directory."""
    parent = path.absolute().parent
    if not parent.is_dir():
        hint = f"ls -ld {near(str(path))}" if os.path.lexists(parent) else f"mkdir -p {quoted(path.parent)}"
        raise NoTranscript(f"no such directory: {path.parent}", hint)


def quoted(path: Path) -> str:
    """A path as a shell wants it, for hints."""
    return shlex.quote(str(path))
