"""`memcli stop`: end the daemon that watches a transcript, and wait until it is gone."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

from memcli.commands.target import target
from memcli.errors import NothingThere, TryAgain
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 10.0


def stop(path: Path | None, *, as_json: bool = False, quiet: bool) -> int:
    """Exit code 0 once the lock is free. Raises NothingThere if nobody watches, TryAgain if it does not end."""
    transcript = target(path, "stop", quiet=quiet)
    lock = Place.of(transcript).lock
    found = holder(lock)
    if found is None or not found.daemon:
        raise NothingThere(f"nobody watches {transcript}", f"memcli watch {shlex.quote(str(transcript))}")
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (still := holder(lock)) and still.pid == found.pid:
        if time.monotonic() > deadline:
            raise TryAgain(f"process {found.pid} has not ended yet", f"memcli stop {shlex.quote(str(transcript))}")
        time.sleep(0.02)
    if as_json:
        from memcli.commands.reports import Stop

        print(Stop(transcript=str(transcript), stopped=found.pid).to_line())
    elif not quiet:
        print(f"memcli: stopped process {found.pid}", file=sys.stderr)
    return 0
