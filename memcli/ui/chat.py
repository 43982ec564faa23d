"""What a person sees of a chat: in a terminal a prompt, a running clock and dim notes; elsewhere plain lines.

Answers go to stdout, everything else to stderr, so that a chat can stand in a pipeline.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from memcli.edge import printable, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.errors import MemcliError

TICK_SECONDS = 0.1
_PATIENCE_SECONDS = 0.3
"""A clock that would stand for less only flickers."""

# A model's words must not command the terminal: control characters go, but for tabs and line ends.
_SILENT = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])


class Screen:
    """Stdin, stdout and stderr of a chat. `quiet`: no notes."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._quiet = quiet
        self._styled = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._waiting = threading.Event()
        self._line_begun = False
        for stream in (sys.stdin, sys.stdout):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # both are text files of ours
        if self.terminal:
            _edit_lines()

    def ask(self) -> str | None:
        """What is said next; None at the end. Ctrl-C in a terminal gives up the line."""
        if not self.terminal:
            return sys.stdin.readline() or None
        while True:
            sys.stdout.write("\n")
            try:
                return input("> ")
            except EOFError:
                sys.stderr.write("\n")
                return None
            except KeyboardInterrupt:
                sys.stderr.write("\n")
                self.note("Ctrl-D leaves")

    def piece(self, text: str) -> None:
        """More of the answer."""
        text = text.translate(_SILENT)
        if text:
            self._stop_clock()
            self._line_begun = not text.endswith("\n")
            sys.stdout.write(text)
            sys.stdout.flush()

    def end_line(self) -> None:
        """Whatever comes next begins a line."""
        if self._line_begun:
            self._line_begun = False
            sys.stdout.write("\n")
            sys.stdout.flush()

    def note(self, sentence: str) -> None:
        """A word from us."""
        if not self._quiet:
            self.end_line()
            dim, plain = ("\x1b[2m", "\x1b[0m") if self._styled else ("", "")
            sys.stderr.write(f"{dim}memcli: {printable(sentence)}{plain}\n")
            sys.stderr.flush()

    def problem(self, error: MemcliError) -> None:
        """An expected failure after which the chat goes on."""
        self.end_line()
        report(error)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A running clock, until the block ends or an answer begins. None where nobody looks."""
        if not (self.terminal and self._styled) or self._quiet:
            yield
            return
        self._waiting.set()
        clock = threading.Thread(target=self._run_clock, args=(what, time.monotonic()), daemon=True)
        clock.start()
        self._clock = clock
        try:
            yield
        finally:
            self._stop_clock()

    def _run_clock(self, what: str, began: float) -> None:
        shown = False
        while self._waiting.is_set():
            passed = time.monotonic() - began
            if passed > _PATIENCE_SECONDS:
                shown = True
                sys.stderr.write(f"\r\x1b[2K\x1b[2m{printable(what)} ... {passed:.1f} s\x1b[0m")
                sys.stderr.flush()
            time.sleep(TICK_SECONDS)
        if shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _stop_clock(self) -> None:
        if self._waiting.is_set():
            self._waiting.clear()
            self._clock.join()


def _edit_lines() -> None:
    """Keys that move the cursor and bring back earlier lines; pasted lines stay together until Enter."""
    with suppress(ImportError):
        import readline

        readline.parse_and_bind("set enable-bracketed-paste on")
