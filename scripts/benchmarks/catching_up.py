"""Section `catchup`: reading a backlog, beside a loop that decodes each line with json and does nothing else.

Both tell the CPU of their loop alone, without Python's start and imports.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from scripts.benchmarks import floors
from scripts.benchmarks.bench import label
from scripts.benchmarks.installed import ROOT
from scripts.benchmarks.rounds import Failed, Program, spread
from scripts.benchmarks.table import Row, Target, not_run
from scripts.benchmarks.transcripts import ANTHROPIC, CLAUDE_CODE, GB, MB, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.benchmarks.bench import Bench
    from scripts.benchmarks.rounds import Rounds, Spread

WITHOUT_LEDGER = Target(2.0, at_least=True)
WITH_LEDGER = Target(0.2, at_least=True)
SAME_PEAK = Target(1.1)

_BACKLOG = 100 * MB
_LARGE = 4 * GB
_OWN_LEAST_BYTES = 300_000

# What the daemon does with new bytes, up to the ledger or with it: lines, entries, who lives, cuts, tokens, snapshots.
_SESSION = """
import gc, os, sys, time
from memcli.ledger import fold, present
from memcli.session import Session, Triggers
from memcli.transcript import patterns
from memcli.transcript.recognise import recognise
from memcli.watch.tail import CHUNK_BYTES
path, folds = sys.argv[1], sys.argv[2] == "with"
if not folds:
    fold.Fold.fold = present.Present.fold = lambda self, entry: None
file = os.open(path, os.O_RDONLY)
first = os.pread(file, CHUNK_BYTES, 0)
for one in gc.get_objects():
    if isinstance(one, patterns.Pattern):
        one.match  # is compiled by that, which belongs to the start; nothing of the transcript is read before its time
session = Session(recognise(first, path), Triggers())
begun = time.process_time()
while chunk := os.read(file, CHUNK_BYTES):
    session.receive(chunk, 0.0)
spent = time.process_time() - begun
if not session.messages:
    sys.exit("no messages were read")
print(spent)
"""

_NAMES = ("json", "wc", "without", "with")


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    for format in (CLAUDE_CODE, ANTHROPIC):
        yield from _generated(bench, format)
    for session in _sessions(bench):
        yield from _read(bench, session, session.name[:24])
    yield from _peaks(bench)


def _generated(bench: Bench, format: str) -> Iterator[Row]:
    try:
        directory = bench.place(f"catchup-{format}", _BACKLOG)
    except Failed as reason:
        yield not_run(f"catch-up without ledger, {format}", str(reason), WITHOUT_LEDGER)
        yield not_run(f"catch-up with ledger, {format}", str(reason), WITH_LEDGER)
        return
    transcript = directory / "session.jsonl"
    write(transcript, format, bench.size(_BACKLOG))
    yield from _read(bench, transcript, f"{format}, {label(transcript.stat().st_size)}")
    shutil.rmtree(directory)


def _sessions(bench: Bench) -> list[Path]:
    """Recorded sessions: those of the tree, and those of the user."""
    own = [path for directory in bench.sessions for path in sorted(directory.glob("**/*.jsonl"))]
    recorded = sorted((ROOT / "fixtures" / "recorded").glob("*.jsonl"))
    return [path for path in (*recorded, *own) if path.stat().st_size >= _OWN_LEAST_BYTES]


def _read(bench: Bench, transcript: Path, what: str) -> Iterator[Row]:
    """The figures of one transcript."""
    speeds: dict[str, list[float]] = {name: [] for name in _NAMES}
    try:
        for _ in range(max(1, bench.few_rounds)):
            for name in _NAMES:
                speeds[name].append(_speed(bench, name, transcript))
    except Failed as reason:
        yield not_run(f"catch-up, {what}", str(reason), WITHOUT_LEDGER)
        return
    json = f"json.loads loop {spread(speeds['json']).median:,.0f} MB/s"
    for name, target in (("without", WITHOUT_LEDGER), ("with", WITH_LEDGER)):
        ratios = spread([one / other for one, other in zip(speeds[name], speeds["json"], strict=True)])
        yield Row(f"catch-up {name} ledger, {what}", _shown(speeds[name]), json, ratios, target=target)
    yield Row(f"wc -l, {what}", _shown(speeds["wc"]), json)


def _shown(speeds: list[float]) -> str:
    return f"{spread(speeds).median:,.1f} MB/s"


def _speed(bench: Bench, name: str, transcript: Path) -> float:
    """MB a second of CPU. Raises Failed."""
    megabytes = transcript.stat().st_size / MB
    if name == "wc":
        return megabytes / max(bench.runner.run(floors.count_lines(transcript)).cpu, 1e-4)
    code = ("-c", floors.JSON_LOOP, transcript) if name == "json" else ("-c", _SESSION, transcript, name)
    ran = subprocess.run(bench.python(*code), env=bench.runner.environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise Failed(f"reading {name} ledger failed: {ran.stderr.strip().splitlines()[-1:]}")
    return megabytes / max(float(ran.stdout), 1e-6)


def _peaks(bench: Bench) -> Iterator[Row]:
    """The whole command, its child included, on a small backlog and on a large one: the memory it needs."""
    what = f"peak of memcli update, {label(bench.size(_LARGE))} beside {label(bench.size(_BACKLOG))}"
    try:
        paths = [_backlog(bench, size) for size in (_BACKLOG, _LARGE)]
        programs = [Program(name, bench.command("update", "-q", path)) for name, path in zip("sl", paths, strict=True)]
        measured = bench.runner.single(programs)
    except Failed as reason:
        yield not_run(what, str(reason), SAME_PEAK)
        return
    small, large = measured.peak("s"), measured.peak("l")
    ratio = measured.ratio("l", "s", "peak")
    yield Row(what, f"{large.median:.1f} MiB", f"{small.median:.1f} MiB", ratio, target=SAME_PEAK, note=_pace(measured))
    for path in paths:
        shutil.rmtree(path.parent)


def _backlog(bench: Bench, size: int) -> Path:
    transcript = bench.place(f"peak-{size}", size) / "session.jsonl"
    write(transcript, ANTHROPIC, bench.size(size))
    return transcript


def _pace(measured: Rounds) -> str:
    seconds: list[Spread] = [measured.cpu(name) for name in "sl"]
    return f"CPU {seconds[0].median:,.1f} s and {seconds[1].median:,.1f} s"
