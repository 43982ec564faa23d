"""`memcli` as its users run it: a process, with exit code, stdout and stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "memcli", *map(str, args)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def memcli(*args: object, stdin: bytes = b"", cwd: Path | None = None) -> Ran:
    done = subprocess.run(command(*args), input=stdin, capture_output=True, env=environment(), cwd=cwd, check=False)
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


def fails(ran: Ran) -> tuple[int, str]:
    """Exit code and the sentence of an expected failure, which is two lines on stderr and nothing on stdout."""
    first, second = ran.err.splitlines()[-2:]
    assert ran.out == ""
    assert first.startswith("Error: ")
    assert second.startswith("Try: ")
    return ran.code, first.removeprefix("Error: ")
