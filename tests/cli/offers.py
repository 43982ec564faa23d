"""Taking up what a failure offers, as a person would: its command is pasted into a shell, in some directory.

memcli ...            in this process, through the door of the program
memcli watch ...      a process, until it has said that it watches: it would run for ever
memcli summarize ...  a process of its own
all else              the programs of the machine
"""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TextIO

from memcli.__main__ import main
from tests.builders import eventually
from tests.cli.command import ROOT, Ran, command, environment, memcli

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WATCHES = "backend name="
SHOWS = "metrics at="
"""What a watcher says first, after it has understood what it is to do; and what next, if it is to show metrics."""
STOPPED = 143


class Person:
    """Types command lines, and reads what comes of them. To be left at the end of a test."""

    def __init__(self, patch: pytest.MonkeyPatch, screen: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._screen = screen
        self._handler = signal.getsignal(signal.SIGTERM)
        patch.setenv("PYTHONPATH", str(ROOT))  # children of ours find this tree

    def leave(self) -> None:
        """A verb in this process has set how signals are heard."""
        signal.signal(signal.SIGTERM, self._handler)

    def types(self, cwd: Path | None, *words: object, stdin: str | TextIO = "") -> Ran:
        """What `memcli` with these words comes to, in this directory (None: where we are); `stdin` is text, or
        somebody who is there."""
        if words[0] in ("summarize", "watch") and "--help" not in words:
            return memcli(*words, cwd=cwd)  # the one ends the process it runs in, the other becomes another program
        with self._patch.context() as patch:
            if cwd:
                patch.chdir(cwd)
            patch.setattr(sys, "argv", ["memcli", *map(str, words)])
            text = io.TextIOWrapper(io.BytesIO(stdin.encode())) if isinstance(stdin, str) else stdin
            patch.setattr(sys, "stdin", text)
            self._screen.readouterr()
            code = main()
            out, err = self._screen.readouterr()
        assert "Traceback" not in err, err
        return Ran(code, out, err)

    def pastes(self, cwd: Path, hint: str, stdin: str = "") -> Ran:
        """What the commands of a hint come to: the next one only if the one before has gone well."""
        ran = Ran(0, "", "")
        for line in hint.split(" && "):
            ran = self._runs(cwd, shlex.split(line, comments=True), stdin)
            if ran.code:
                break
        return ran

    def _runs(self, cwd: Path, words: list[str], stdin: str) -> Ran:
        match words:
            case ["export", assignment]:
                name, _, value = assignment.partition("=")
                self._patch.setenv(name, value)
                return Ran(0, "", "")
            case ["cd", *place]:
                self._patch.chdir(os.path.expanduser(place[0] if place else "~"))
                return Ran(0, "", "")
            case ["env", "-u", name, *rest]:
                with self._patch.context() as patch:
                    patch.delenv(name)
                    return self._runs(cwd, rest, stdin)
            case [*rest, ">", file]:
                ran = self._runs(cwd, rest, stdin)
                (cwd / file).write_text(ran.out)
                return ran
            case ["memcli", "watch", *rest] if "--help" not in rest:
                return _watched(cwd, command("watch", *rest))
            case ["nohup", "memcli", *rest, "&"]:
                return _watched(cwd, ["nohup", *command(*rest)])
            case ["memcli", *rest]:
                return self.types(cwd, *rest, stdin=stdin)
            case _:
                return _finished(cwd, words)


def said(err: str) -> tuple[str, str]:
    """The sentence and the command of a failure: its last two lines."""
    error, hint = err.splitlines()[-2:]
    assert (error[:7], hint[:5]) == ("Error: ", "Try: ")
    return error[7:], hint[5:]


def helps(ran: Ran) -> bool:
    """True if it did what it is for: `memcli status` tells by its exit code what it has found."""
    return ran.code == 0 or (ran.code in (3, 4) and ran.out.startswith("transcript "))


def _finished(cwd: Path, words: list[str]) -> Ran:
    ran = subprocess.run(words, capture_output=True, cwd=cwd, text=True, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def _watched(cwd: Path, words: list[str]) -> Ran:
    """Started, and stopped when it watches. Its thresholds are such that nothing is to be done."""
    log = cwd / f"watched-{os.getpid()}.log"
    quiet = {**environment(), "MEMCLI_INIT_TOKENS": "1000000"}
    with log.open("w") as out:
        process: subprocess.Popen[Any] = subprocess.Popen(words, stdout=out, stderr=out, env=quiet, cwd=cwd)
    last = SHOWS if "--metrics" in words else WATCHES
    try:
        assert eventually(lambda: last in log.read_text() or process.poll() is not None), log.read_text()
    finally:
        process.terminate()
        code = process.wait()
    return Ran(0 if code == STOPPED else code or 1, "", log.read_text())
