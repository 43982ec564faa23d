"""Section `startup`: what every verb costs before its own work.

A verb that takes a transcript is given one in a directory that is not there: it comes as far as its own first step,
and says so. The others are asked for their help.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from scripts.benchmarks import floors
from scripts.benchmarks.rounds import Failed, Program
from scripts.benchmarks.table import Row, Target, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.benchmarks.bench import Bench
    from scripts.benchmarks.rounds import Rounds

SAME = Target(1.15)

_SOME = 5  # one verb in so many, to see that it works
_NOT_THERE = "nowhere/session.jsonl"
_EXPECTED = (1, 2, 3)
_HELP = f"{floors.HELLO} --help"


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    verbs = _verbs(bench)
    hello = floors.hello(bench)
    helped = Program(_HELP, (*hello.argv[:-1], "--help"))
    works = [_work(bench, verb) for verb in verbs if _takes_transcript(bench, verb)]
    helps = [Program(f"{verb} --help", bench.command(*verb.split(), "--help")) for verb in verbs]
    measured = bench.runner.rounds([floors.python_pass(bench), hello, helped, *works, *helps], bench.rounds)
    yield _row(measured, hello.name, floors.PASS)
    for program in works:
        yield _row(measured, program.name, hello.name, SAME)
    for program in helps:
        yield _row(measured, program.name, helped.name, SAME)


def _verbs(bench: Bench) -> list[str]:
    """As the help lists them, so that none can be forgotten. Raises Failed."""
    listed = _help(bench).partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    verbs = [line.split()[0] for line in listed if line.startswith("  ") and not line.startswith("   ")]
    if not verbs:
        raise Failed("memcli --help lists no verbs")
    return verbs[2::_SOME] if bench.quick else verbs


def _help(bench: Bench, *verb: str) -> str:
    argv = bench.command(*verb, "--help")
    return subprocess.run(argv, env=bench.runner.environment, capture_output=True, text=True, check=False).stdout


def _takes_transcript(bench: Bench, verb: str) -> bool:
    return "[PATH]" in _help(bench, verb).partition("\n\n")[0]


def _work(bench: Bench, verb: str) -> Program:
    return Program(f"{verb} {_NOT_THERE}", bench.command(verb, _NOT_THERE), codes=_EXPECTED)


def _row(measured: Rounds, name: str, floor: str, target: Target | None = None) -> Row:
    figure, beside = milliseconds(measured.cpu(name)), milliseconds(measured.cpu(floor))
    return Row(name, f"{figure} CPU", f"{floor} {beside}", measured.ratio(name, floor), target=target)
