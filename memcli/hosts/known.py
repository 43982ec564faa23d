"""The hosts that memcli is at home in."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.hosts.claude_code import ClaudeCode
from memcli.hosts.codex import Codex
from memcli.hosts.openclaw import OpenClaw
from memcli.hosts.pi import Pi

if TYPE_CHECKING:
    from memcli.hosts.host import Host
    from memcli.hosts.source import Source

HOSTS: tuple[Host, ...] = (ClaudeCode(), Codex(), Pi(), OpenClaw())


def named(name: str) -> Host:
    """The host of that name, which `memcli watch` gave."""
    return next(host for host in HOSTS if host.name == name)


def source_of(name: str, project: str) -> Source:
    """The live sessions of a host by its name; `project` is a directory, "" for all."""
    return named(name).source(Path(project) if project else None)


def host_of(path: Path) -> Host | None:
    """The host among whose sessions a file lies."""
    return next((host for host in HOSTS if host.is_session(path)), None)


def newest_session(directory: Path) -> Path | None:
    """The session of a project that was written to last, whichever host's; that of the client that runs us, if one
    does. None if there is none."""
    if own := next((path for host in HOSTS if (path := host.own_session(directory))), None):
        return own
    newest = (path for host in HOSTS if (path := host.newest_session(directory)))
    written = {path: when for path in newest if (when := _written(path))}
    return max(written, key=lambda path: written[path], default=None)


def held_over(session: Path) -> Path | None:
    """The lock of whoever watches the sessions that this one is among; None if nobody does."""
    host = host_of(session)
    return host.held_over(session) if host else None


def held_in(directory: Path) -> Path | None:
    """The lock of whoever watches the sessions of a project for any host; None if nobody does."""
    return next((lock for host in HOSTS if (lock := host.held_in(directory))), None)


def _written(path: Path) -> int:
    """When a session was written to (Unix nanoseconds); 0 for one that has gone meanwhile."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
