"""The other end of a chat: a child that asks a Messages API and tells its answers piece by piece."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.errors import NoAnswer, TryAgain
from memcli.summarize.talk import Ask, End, Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcli.summarize.options import Options


class Endpoint:
    """Started at once, so that it is ready when the first question comes. `close` it."""

    def __init__(self, options: Options) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "memcli.summarize.talk", msgspec.json.encode(options).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C ends an answer, not the child
        )
        self._number = 0
        self._inbox: SimpleQueue[Said | None] = SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, messages: list[dict[str, Any]], max_tokens: int, heard: Callable[[str], object]) -> End:
        """The end of the answer, after `heard` was told all of its text. Raises NoAnswer, or TryAgain where it may be
        asked again.

        Whatever interrupts it (Ctrl-C), the answer is stopped.
        """
        self._number += 1
        try:
            self._send(Ask(self._number, messages, max_tokens))
            return self._end(heard)
        except BaseException:
            self._send(Ask(self._number, stop=True))
            raise

    def _end(self, heard: Callable[[str], object]) -> End:
        while (said := self._inbox.get()) is not None:
            if said.ask != self._number:
                continue  # of an answer that was stopped
            if said.failed:
                raise (NoAnswer if said.permanent else TryAgain)(said.failed, "memcli chat --help")
            if said.end is not None:
                return said.end
            heard(said.text)
        raise NoAnswer("the process that asks the model has ended", "memcli chat --help")

    def close(self) -> None:
        """End the child, and what it still asks."""
        with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, of one that has ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _send(self, ask: Ask) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # the child is gone: the listener says so
            self._process.stdin.write(msgspec.json.encode(ask) + b"\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # the last words of one that was killed may be half a line
                self._inbox.put(msgspec.json.decode(line, type=Said))
        self._inbox.put(None)
