"""At the context limit: the compacted transcript is written, and the command that the user gave is run."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from memcli.errors import MemcliError
from memcli.watch.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcli.watch.keeper import Keeper


class Crossing:
    """What is done each time a transcript crosses the limit. `command` is the user's, "" for none."""

    def __init__(self, command: str, report: Callable[[Told], None]) -> None:
        self._command = command
        self._report = report
        self._running: list[subprocess.Popen[bytes]] = []

    def __len__(self) -> int:
        """Commands that run."""
        return len(self._running)

    def reached(self, path: str, keeper: Keeper) -> None:
        """Write the compacted transcript beside the transcript, then run the command, which is not waited for."""
        from memcli.watch.limit import write_compacted  # most daemons never need what it needs

        try:
            compacted = write_compacted(keeper)
        except (MemcliError, OSError) as error:
            self._report(Told(path, "warning", {"reason": f"no compacted transcript was written: {error}"}))
            return
        self._report(Told(path, "compacted", {"file": str(compacted)}))
        if self._command:
            environment = {**os.environ, "MEMCLI_TRANSCRIPT": path, "MEMCLI_COMPACTED": str(compacted)}
            self._running.append(
                subprocess.Popen(  # noqa: S602 - the user's own words, from the command line or their own file
                    self._command, shell=True, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
                )
            )

    def reap(self) -> None:
        """Look which commands have ended."""
        self._running = [command for command in self._running if command.poll() is None]
