"""`memcli stop`: end the daemon that watches a transcript, and wait until it is gone."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from memcli.commands.target import target, transcripts_in
from memcli.errors import MemcliError, NothingThere, TryAgain
from memcli.hosts import known
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place

PATIENCE_SECONDS = 30.0
"""A daemon ends within five, unless the machine is busy; whoever waits shorter kills one that is well."""


def _lock(path: Path | None, *, quiet: bool) -> tuple[Path, Path]:
    """The lock of whoever watches: of the transcript itself, or of one in the directory, or of a watcher that waits for
    its session, or for any session of this directory's project, to live."""
    try:
        transcript = target(path, "stop", quiet=quiet)
    except MemcliError:
        if path is not None:
            raise
        watchers = _watchers(Path.cwd())
        waiting = watchers[0] if len(watchers) == 1 else known.held_in(Path.cwd())
        if waiting is None:
            raise
        return waiting, Path.cwd()
    if transcript.is_dir():
        return next(iter(_watchers(transcript)), Place.of(transcript).lock), transcript
    lock = Place.of(transcript).lock
    if holder(lock) is None:
        lock = known.held_over(transcript) or lock
    return lock, transcript


def _watchers(directory: Path) -> list[Path]:
    """A lock of each daemon that watches transcripts in a directory."""
    locks = [Place.of(path).lock for path in transcripts_in(directory)]
    return list({found.pid: lock for lock in locks if (found := holder(lock)) and found.daemon}.values())


def stop(path: Path | None, *, as_json: bool = False, quiet: bool, patience: float = PATIENCE_SECONDS) -> int:
    """Exit code 0 once the lock is free. Raises NothingThere if nobody watches, TryAgain if it does not end in so many
    seconds: then it hangs, and what is left is to kill it, which costs a watcher nothing."""
    lock, name = _lock(path, quiet=quiet)
    found = holder(lock)
    if found is None or not found.daemon:
        raise NothingThere(f"nobody watches {name}", f"memcli watch {shlex.quote(str(name))}")
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while (still := holder(lock)) and still.pid == found.pid:
        if time.monotonic() > deadline:
            raise TryAgain(f"process {found.pid} has not ended yet", f"kill -9 {found.pid}")
        time.sleep(0.02)
    if as_json:
        from memcli.commands.reports import Stop

        print(Stop(transcript=str(name), stopped=found.pid).to_line())
    elif not quiet:
        print(f"memcli: stopped process {found.pid}", file=sys.stderr)
    return 0
