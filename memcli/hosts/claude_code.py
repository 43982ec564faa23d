"""Claude Code on this machine: which transcript belongs to a project directory."""

from __future__ import annotations

import os
import re
from pathlib import Path

from memcli.sidecar.place import is_ours


def config_dir() -> Path:
    """Where the client keeps its files: `CLAUDE_CONFIG_DIR`, else `~/.claude`."""
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def project_dir(directory: Path) -> Path:
    """The folder of a project's sessions: its real path with everything but letters and digits turned into `-`."""
    return config_dir() / "projects" / re.sub(r"[^A-Za-z0-9]", "-", os.path.realpath(directory))


def newest_session(directory: Path) -> Path | None:
    """The session of a project that was written to last, if there is one; what memcli wrote there is none."""
    sessions = [path for path in project_dir(directory).glob("*.jsonl") if path.is_file() and not is_ours(path)]
    return max(sessions, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
