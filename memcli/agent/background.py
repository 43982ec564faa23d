"""A daemon in the background of this process: started, listened to, stopped. It never outlives us (`attended`)."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from memcli import errors
from memcli.errors import MemcliError
from memcli.making.orders import orders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from memcli.agent.rules import Rules

KEPT_LINES = 100
STOP_SECONDS = 10.0
"""The daemon itself ends within five."""

_BY_CODE = {2: errors.Usage, 3: errors.NothingThere, 75: errors.TryAgain}
_ENDED = (0, 130, 143, -signal.SIGTERM, -signal.SIGKILL)


class Background:
    """One daemon over some paths, from the start to `stop`. Starting does not wait for it."""

    def __init__(self, paths: Iterable[Path], rules: Rules) -> None:
        self.paths = tuple(paths)
        told = orders(self.paths, rules.loaded.settings, rules.triggers, rules.writer)
        told = msgspec.structs.replace(told, verbose=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "memcli.agent.attended", msgspec.json.encode(told).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is meant for us
        )
        self.heard: deque[str] = deque(maxlen=KEPT_LINES)
        self.spoke = threading.Event()
        """Set once it has said anything, or has ended."""
        self._listener = threading.Thread(target=self._listen, name="memcli-background", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    @property
    def failure(self) -> MemcliError | None:
        """Why it ended by itself; None while it runs, or if it was told to end."""
        code = self._process.poll()
        if code is None or code in _ENDED:
            return None
        self._listener.join(STOP_SECONDS)  # its last words
        said = {line.partition(": ")[0]: line.partition(": ")[2] for line in self.heard}
        sentence = said.get("Error", f"the watcher ended with {code}")
        hint = said.get("Try", "memcli watch --help")
        if code == errors.AlreadyWatched.code:
            return errors.AlreadyWatched(sentence, hint)
        return _BY_CODE.get(code, MemcliError)(sentence, hint)

    def stop(self) -> None:
        """End it and wait: what is in flight is finished or dropped, what was read is kept."""
        with suppress(OSError):
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.heard.append(line.decode("utf-8", "replace").rstrip("\n"))
            self.spoke.set()
        self.spoke.set()
