"""Small programs that stand for what a user may configure, written into a directory."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from memcli.summarize.request import Request

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = Request("Write well.", ({"role": "user", "content": "The mill."},), 500)


def python(directory: Path, code: str, name: str = "program.py") -> str:
    """The command line of a Python program."""
    path = directory / name
    path.write_text(code, encoding="utf-8")
    return shlex.join([sys.executable, str(path)])


def executable(directory: Path, code: str, name: str) -> str:
    """A Python program that is called by its name alone."""
    path = directory / name
    path.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    path.chmod(0o755)
    return shlex.quote(str(path))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
