"""Programs that do the least that could be done: what the figures of memcli are held against."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from scripts.benchmarks.bench import shell
from scripts.benchmarks.rounds import Program

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.benchmarks.bench import Bench

PASS = "python -c pass"
TYPER = "python -c 'import typer'"
HELLO = "typer hello-world"

# What a line costs that is read and decoded, and nothing else. Tells its own CPU, without the start of Python.
JSON_LOOP = """
import json, sys, time
begun = time.process_time()
with open(sys.argv[1], "rb") as file:
    for line in file:
        json.loads(line)
print(time.process_time() - begun)
"""

_HELLO = """
import typer

app = typer.Typer()


@app.command()
def main(name: str) -> None:
    print(f"Hello {name}")


app()
"""


def python_pass(bench: Bench) -> Program:
    """Python, and nothing."""
    return Program(PASS, bench.python("-c", "pass"))


def import_typer(bench: Bench) -> Program:
    """The library of the command line, imported and not used."""
    return Program(TYPER, bench.python("-c", "import typer"))


def hello(bench: Bench) -> Program:
    """The smallest program with typer that takes an argument."""
    script = bench.room / "hello.py"
    script.write_text(_HELLO)
    return Program(HELLO, bench.python(script, "you"))


def cat(path: Path) -> Program:
    """The whole file through cat."""
    return Program("cat", ("cat", str(path)))


def count_lines(path: Path) -> Program:
    """The lines of the file."""
    return Program("wc -l", ("wc", "-l", str(path)))


def tail(path: Path, size: int) -> Program:
    """The bytes of the tail alone."""
    return Program(f"tail -c {size}", ("tail", "-c", str(size), str(path)))


def cat_cat(path: Path) -> Program:
    """The file through a pipe."""
    return Program("cat | cat", shell(f"cat {shlex.quote(str(path))} | cat >/dev/null"))
