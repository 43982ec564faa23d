"""`memcli hook` on the command line: what it is for. The client's own calls never come here (`memcli.hosts.hook`)."""

from __future__ import annotations

from memcli.errors import Usage
from memcli.hosts.hook import EVENTS


def hook(event: str | None) -> int:
    """Raises Usage: a hook is run by a client, with an event's facts on stdin."""
    known = ", ".join(EVENTS)
    raise Usage(
        f"a client runs this, at one of {known}; {event or 'no event'} was given",
        "memcli install claude-code --dry-run",
    )
