"""Programs we start for an answer: each in a process group of its own, ended whole, and reaped.

What happens if we die, even by SIGKILL: a guard (`sh`, waiting on a pipe that only we hold) kills the group. The daemon
ends its child that way, and a program in a group of its own would live on, at the user's expense.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHUNK = 65_536
STDERR_BYTES = 8_192
LINGER_SECONDS = 0.5
"""How long the output may stay open after the program has ended: something that it left behind holds it."""

# It is told the group, then that all is done. The end of the pipe in between means that we have ended.
_GUARD = 'read -r group && { read -r done || kill -9 "-$group"; }'
_SHELL = "|&;<>()"
_SUMMARIZING = {"MEMCLI_SUMMARIZING": "1"}
"""For our own hooks, if the program is a client that runs them: its session is none of the user's."""

_running: set[Group] = set()
_changing = threading.Lock()


class TookTooLong(Exception):
    """The deadline has passed."""


class SaidTooMuch(Exception):
    """The output is longer than anyone wants to hold."""


class Output(NamedTuple):
    """What a program printed: all of stdout, the end of stderr; and its exit code, negative for a signal."""

    out: bytes
    err: bytes
    code: int


class Group:
    """A running program with its three pipes. Raises OSError if it cannot be started."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD], stdin=pipe, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
        try:
            self.process = subprocess.Popen(  # the command the user configured
                argv,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env={**(env or os.environ), **_SUMMARIZING},
                start_new_session=True,
            )
        except OSError:
            self._guard.communicate()
            raise
        self._tell_guard(str(self.process.pid))
        with _changing:
            _running.add(self)

    def exchange(self, data: bytes, seconds: float, most: int) -> Output:
        """Give `data` to the program and read what it prints to its end. Raises TookTooLong, SaidTooMuch; the caller
        ends the group in any case."""
        return _Exchange(self.process, data, most).run(time.monotonic() + seconds)

    def end(self) -> None:
        """Kill what still runs of the group, and reap. May be called again."""
        with _changing:
            if self not in _running:
                return
            _running.discard(self)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._tell_guard("done")
        self._guard.communicate()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()

    def _tell_guard(self, line: str) -> None:
        pipe = self._guard.stdin
        assert pipe is not None
        with contextlib.suppress(OSError):  # somebody killed it
            pipe.write(f"{line}\n".encode())
            pipe.flush()


def end_all() -> None:
    """End every group that runs."""
    for group in list(_running):
        group.end()


def words(command: str) -> list[str]:
    """The words of a command line. It goes through a shell only if it needs one (a pipe, a redirection, a variable, an
    assignment in front): without, there is one process less between us and the exit code, and a missing program is
    told apart from one that failed. Raises ValueError if a quote is open, or nothing is there."""
    plain = shlex.split(command)
    if not plain:
        raise ValueError("it is empty")
    lexer = shlex.shlex(command, posix=True, punctuation_chars=_SHELL)
    lexer.whitespace_split = True
    lexer.commenters = ""
    operators = any(token and set(token) <= set(_SHELL) for token in lexer)
    assigned = "=" in plain[0] and plain[0].partition("=")[0].isidentifier()
    if operators or assigned or "$" in command or "`" in command or plain[0].startswith("~"):
        return ["/bin/sh", "-c", command]
    return plain


def called(command: str) -> str:
    """What a command line calls, by its short name; assignments in front are none."""
    names = [word for word in shlex.split(command) if not word.partition("=")[0].isidentifier() or "=" not in word]
    return os.path.basename(names[0]) if names else command


def last_line(err: bytes) -> str:
    """The last line that says anything, of what a program wrote to stderr."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")


class _Exchange:
    """One conversation over the pipes: nobody waits for the other, whoever writes first."""

    def __init__(self, process: subprocess.Popen[bytes], data: bytes, most: int) -> None:
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018  # all three were asked for
        self._process = process
        self._left = memoryview(data)
        self._most = most
        self._out, self._err = bytearray(), bytearray()
        self._in = process.stdin
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._in.fileno(), False)
        self._selector.register(self._in, selectors.EVENT_WRITE, self._give)
        self._selector.register(process.stdout, selectors.EVENT_READ, self._hear)
        self._selector.register(process.stderr, selectors.EVENT_READ, self._note)

    def run(self, deadline: float) -> Output:
        with self._selector:
            while self._selector.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TookTooLong
                ready = self._selector.select(min(left, LINGER_SECONDS))
                for key, _ in ready:
                    key.data(key.fd)
                if not ready and self._process.poll() is not None:
                    break
        try:
            code = self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TookTooLong from None
        return Output(bytes(self._out), bytes(self._err), code)

    def _give(self, fd: int) -> None:
        try:
            self._left = self._left[os.write(fd, self._left[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # it does not want to hear more: its answer and exit code will say why
            self._left = self._left[:0]
        if not self._left:
            self._selector.unregister(fd)
            with contextlib.suppress(OSError):
                self._in.close()

    def _hear(self, fd: int) -> None:
        self._out += self._read(fd)
        if len(self._out) > self._most:
            raise SaidTooMuch

    def _note(self, fd: int) -> None:
        self._err += self._read(fd)
        del self._err[:-STDERR_BYTES]

    def _read(self, fd: int) -> bytes:
        chunk = os.read(fd, CHUNK)
        if not chunk:
            self._selector.unregister(fd)
        return chunk
