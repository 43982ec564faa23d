"""Section `watch`: how soon the daemon sees what happens, and what it costs while nothing does.

The bare loop is `watchfiles.watch` at 50/10 ms, which looks at what changed and does nothing else. It watches a twin of
what the daemon watches, which gets the same appends: what the daemon writes would keep it busy. That one file was
*noticed* is told by the kernel, when the daemon first reads it; of thousands at once it is told by the daemon, which
knows at once that they changed and reads them in their turn.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks import processes, sidecars
from scripts.benchmarks.inotify import READ, RENAMED_TO, Listener
from scripts.benchmarks.rounds import Failed, Spread, percentile, spread
from scripts.benchmarks.table import Row, Target, not_run
from scripts.benchmarks.transcripts import CLAUDE_CODE, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from scripts.benchmarks.bench import Bench

NOTICED, STARTED, STATED = Target(1.5), Target(2.0), Target(3.0)
IDLE = Target(0.2)
MEMORY = {1: Target(25.0), 10_000: Target(45.0)}
AT_ONCE = Target(1.0)
A_SWEEP = Target(30.0)

_APPENDS = 60
_COUNTS = (1, 1_000, 10_000)
_IN_A_DIRECTORY = 100
_WINDOWS = 3
_PATIENCE_SECONDS = 900.0
_MS = 1e6

_BARE = """
import os, sys, time
from watchfiles import watch
print("following", flush=True)
for changes in watch(*sys.argv[1:], watch_filter=None, debounce=50, step=10):
    for _, path in changes:
        os.stat(path)
    os.write(1, b"%d\\n" % time.monotonic_ns())
"""

# The embedded summarizer, that says when it was given a job.
_STOPWATCH = """
import sys, time
import msgspec
from memcli.memory.fitting import rendered
from memcli.memory.jobs import parse_job
clock = open(sys.argv[1], "ab", buffering=0)
for line in sys.stdin.buffer:
    clock.write(b"%d\\n" % time.monotonic_ns())
    sys.stdout.buffer.write(msgspec.json.encode(rendered(parse_job(line))) + b"\\n")
    sys.stdout.buffer.flush()
"""


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    yield from _latencies(bench)
    for count in _COUNTS:
        try:
            yield from _many(bench, count)
        except Failed as reason:
            yield not_run(f"watch, {count:,} transcripts", str(reason), MEMORY.get(count))


# ------------------------------------------------------------------ from the append on


class _Heard(NamedTuple):
    """Milliseconds from an append to what followed; None where nothing did."""

    bare: float | None
    noticed: float | None
    started: float | None
    stated: float | None


def _latencies(bench: Bench) -> Iterator[Row]:
    """One transcript, of which every append ends a turn and begins the next."""
    scene = _Scene(bench)
    number = 5 if bench.quick else _APPENDS
    first, *appends = steps(CLAUDE_CODE, number + 3)
    scene.append(first)
    with Listener() as listener, scene.bare() as _, scene.daemon():
        for warm in appends[:2]:
            scene.append(warm)
            time.sleep(2)  # the child is being started, the first memory made
        listener.add(scene.transcript.parent, READ)
        listener.add(scene.sidecar, RENAMED_TO)
        heard = [scene.hear(listener, piece) for piece in appends[2:]]
    bare = [one.bare for one in heard if one.bare is not None]
    yield Row("bare watchfiles loop, append to noticed", _spelled(bare), note=_ends(bare, len(heard)))
    for what, times, target in (
        ("noticed", [one.noticed for one in heard], NOTICED),
        ("job started", [one.started for one in heard], STARTED),
        ("Current State in `now`", [one.stated for one in heard], STATED),
    ):
        yield _latency(f"watch, append to {what}", times, bare, target)
    shutil.rmtree(scene.directory)


def _latency(what: str, times: Sequence[float | None], bare: list[float], target: Target) -> Row:
    found = [one for one in times if one is not None]
    if not found or not bare or len(found) < 0.9 * len(times):
        return not_run(what, f"seen after {len(found)} of {len(times)} appends only", target)
    floor = spread(bare).median
    ratios = spread([one / floor for one in found])
    return Row(what, _spelled(found), f"bare loop {_spelled(bare)}", ratios, "x", target, _ends(found, len(times)))


def _spelled(times: list[float]) -> str:
    return f"p50 {spread(times).median:.1f} ms" if times else "never"


def _ends(times: list[float], appends: int) -> str:
    if not times:
        return f"none of {appends} appends"
    return f"p95 {percentile(times, 0.95):.1f} ms, max {max(times):.1f} ms, {len(times)} of {appends} appends"


class _Scene:
    """A transcript with its daemon, and its twin with the bare loop."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.directory = bench.place("latency", 10_000_000)
        self.transcript = self.directory / "watched" / "session.jsonl"
        self._twin = self.directory / "twin" / "session.jsonl"
        for path in (self.transcript, self._twin):
            path.parent.mkdir()
        self.sidecar = sidecars.sidecar(self.transcript)
        self._clock, self._bare = self.directory / "clock", self.directory / "bare"
        self._clock.touch()
        self._random = random.Random(1)

    def append(self, piece: bytes) -> tuple[int, int]:
        """Let both grow; when, in nanoseconds: the transcript, the twin."""
        times = [0, 0]
        order = [0, 1] if self._random.random() < 0.5 else [1, 0]
        for which in order:
            with (self.transcript, self._twin)[which].open("ab", buffering=0) as file:
                file.write(piece)
            times[which] = time.monotonic_ns()
        return times[0], times[1]

    def bare(self) -> processes.Running:
        """The bare loop."""
        argv = self._bench.python("-c", _BARE, self._twin.parent)
        return processes.running(argv, self._bench.runner.environment, self._bare)

    def daemon(self) -> processes.Running:
        """The daemon, as `memcli watch` starts it without a terminal, with a child that keeps time."""
        child = self.directory / "stopwatch.py"
        child.write_text(_STOPWATCH)
        orders = {
            "paths": [str(self.transcript)],
            "triggers": {"init_tokens": 1, "every_turn": True},
            "summarizer": list(self._bench.python(child, self._clock)),
        }
        argv = self._bench.python("-m", "memcli.watch.daemon", json.dumps(orders))
        return processes.running(argv, self._bench.runner.environment, self.directory / "said")

    def hear(self, listener: Listener, piece: bytes) -> _Heard:
        """Append, and see what follows within a second; then wait at random, so that no clock runs along."""
        listener.forget()
        now, stated = self.sidecar / "now", 0
        appended, twin = self.append(piece)
        size = self.transcript.stat().st_size
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            if not stated and (put := listener.when(now)):
                stated = put if sidecars.as_of(self.transcript) >= size else 0
                listener.forget_one(now)
            time.sleep(0.002)
        time.sleep(self._random.uniform(0.1, 0.4))
        return _Heard(
            _after(twin, _stamps(self._bare)),
            _after(appended, [listener.when(self.transcript)]),
            _after(appended, _stamps(self._clock)),
            _after(appended, [stated]),
        )


def _after(begun: int, stamps: Sequence[int]) -> float | None:
    """Milliseconds to the first stamp after the beginning."""
    return next(((stamp - begun) / _MS for stamp in stamps if stamp > begun), None)


def _stamps(path: Path) -> list[int]:
    return [int(line) for line in path.read_bytes().split() if line.isdigit()]


# ------------------------------------------------------------------ many transcripts


def _many(bench: Bench, count: int) -> Iterator[Row]:
    """So many transcripts in one daemon: at rest, then all at once. Raises Failed."""
    number = 1 if count == 1 else bench.some(count)
    crowd = _Crowd(bench, number, odd=bench.some(100) if count == max(_COUNTS) else 0)
    name = f"watch, {number:,} transcript{'s' if number > 1 else ''}"
    with crowd.bare() as bare, crowd.daemon() as daemon:
        begun = time.monotonic()
        if not processes.eventually(crowd.followed, _PATIENCE_SECONDS, look=0.05):
            raise Failed("the daemon does not follow all of them")
        yield Row(f"{name}: all followed", f"after {time.monotonic() - begun:.1f} s")
        yield from _at_rest(bench, name, daemon, bare, MEMORY.get(count), IDLE if count in MEMORY else None)
        if number > 1:
            yield from _all_at_once(crowd, name, daemon, AT_ONCE if count == max(_COUNTS) else None)
        if crowd.odd:
            yield _odd(crowd, name)
    shutil.rmtree(crowd.directory)


def _at_rest(
    bench: Bench, name: str, daemon: int, bare: int, memory: Target | None, idle: Target | None
) -> Iterator[Row]:
    seconds = 0.5 if bench.quick else 30.0
    time.sleep(seconds / 10)
    shares = [_shares((daemon, bare), seconds) for _ in range(_WINDOWS)]
    more = spread([own - floor for own, floor in shares])
    own, floor = (spread([share[which] for share in shares]).median for which in (0, 1))
    yield Row(f"{name}: idle CPU", f"{own:.2f} %", f"bare loop {floor:.2f} %", more, "% of a core more", idle)
    size, child = processes.private(daemon), processes.children(daemon)
    note = f"bare loop {processes.private(bare):.1f} MiB; {len(child)} child beside it"
    yield Row(f"{name}: private memory of the daemon", "", "", spread([size]), "MiB", memory, note)


def _shares(pids: Sequence[int], seconds: float) -> list[float]:
    """Per cent of a core that each used, in the same seconds."""
    before, begun = [processes.cpu(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begun
    return [100 * (processes.cpu(pid) - spent) / took for pid, spent in zip(pids, before, strict=True)]


def _all_at_once(crowd: _Crowd, name: str, daemon: int, target: Target | None) -> Iterator[Row]:
    """Every transcript gets an append, as fast as possible; then the same while the daemon cannot listen."""
    found, seconds = crowd.find(crowd.plain, lambda: crowd.append_all(crowd.plain))
    yield _found(f"{name}: appended at once, all found", found, len(crowd.plain), seconds, target)
    os.kill(daemon, signal.SIGSTOP)

    def append_unheard() -> None:
        crowd.append_all(crowd.plain)
        crowd.append_all(crowd.plain)
        os.kill(daemon, signal.SIGCONT)

    found, seconds = crowd.find(crowd.plain, append_unheard)
    what = f"{name}: after the kernel's queue ran over"
    yield _found(what, found, len(crowd.plain), seconds, A_SWEEP if target else None)


def _odd(crowd: _Crowd, name: str) -> Row:
    """What events do not tell, or tell wrongly: replaced, truncated, recreated, new with its directory, linked."""
    changed: list[Path] = []
    found, seconds = crowd.find(changed, lambda: changed.extend(crowd.change_oddly()))
    missed = set(map(str, changed)) - crowd.noticed
    lost = sorted({os.path.basename(os.path.dirname(path)).partition("-")[0] for path in missed})
    row = _found(f"{name}: replaced, cut, made anew, new, linked", found, len(changed), seconds, A_SWEEP)
    return row._replace(note=f"not all found of: {', '.join(lost)}" if lost else row.note)


def _found(what: str, found: int, of: int, seconds: float, target: Target | None) -> Row:
    """A row that cannot hold unless all were found."""
    lasted = Spread(*[seconds if found == of else float("inf")] * 3)
    return Row(what, f"{found:,} of {of:,}", "", lasted, "s", target)


class _Crowd:
    """Many transcripts below one directory, and `odd` of each kind that is changed in other ways than by appends."""

    def __init__(self, bench: Bench, number: int, odd: int) -> None:
        self._bench = bench
        self.directory = bench.place(f"crowd-{number}", number * 20_000)
        self.tree, self.outside, self._twin = (self.directory / name for name in ("tree", "outside", "twin"))
        for directory in (self.tree, self.outside, self._twin):
            directory.mkdir()
        self._opening, self._more = (_short(piece) for piece in steps(CLAUDE_CODE, 2))
        self.odd = odd
        self.plain = self._made(self.tree, number)
        self._made(self._twin, number)
        self._kinds = {kind: self._made(self.tree, odd, kind) for kind in ("replaced", "cut", "anew") if odd}
        self._linked = self._made(self.outside, odd, "linked") if odd else []
        for path in self._linked:
            (self.tree / f"linked-{path.name}").symlink_to(path)
        self.noticed: set[str] = set()
        """The transcripts of which the daemon told that something happened to them."""
        self._rest = b""

    def _made(self, top: Path, number: int, kind: str = "many") -> list[Path]:
        paths = [top / f"{kind}-{serial // _IN_A_DIRECTORY}" / f"{serial}.jsonl" for serial in range(number)]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self._opening)
        return paths

    def bare(self) -> processes.Running:
        """The bare loop."""
        argv = self._bench.python("-c", _BARE, self._twin)
        return processes.running(argv, self._bench.runner.environment, self.directory / "bare")

    def daemon(self) -> processes.Running:
        """The daemon, detached."""
        argv = self._bench.command("watch", "-v", self.tree, "--backend", "embedded")
        return processes.running(argv, self._bench.runner.environment, self.directory / "said")

    def followed(self) -> bool:
        """True once the daemon has named all of them."""
        kinds = len(self._kinds) + 1 if self.odd else 0
        return (self.directory / "said").read_bytes().count(b" following ") >= len(self.plain) + kinds * self.odd

    def find(self, paths: Sequence[Path], change: Callable[[], object]) -> tuple[int, float]:
        """How many of the changed paths the daemon told of, and how many seconds after the last change the last."""
        self.noticed.clear()
        with (self.directory / "said").open("rb") as said:
            said.seek(0, os.SEEK_END)
            change()
            wanted, changed = set(map(str, paths)), time.monotonic()
            processes.eventually(lambda: self._all_told(said, wanted), A_SWEEP.limit * 2, look=0.02)
            return len(wanted & self.noticed), time.monotonic() - changed

    def _all_told(self, said: BinaryIO, wanted: set[str]) -> bool:
        """Read on in what the daemon says."""
        *lines, self._rest = (self._rest + said.read()).split(b"\n")
        for line in lines:
            _, event, *path = line.decode().split()
            self.noticed.update(path[:1] if event == "noticed" else ())
        return wanted <= self.noticed

    def append_all(self, paths: Sequence[Path]) -> None:
        """One append each."""
        for path in paths:
            with path.open("ab", buffering=0) as file:
                file.write(self._more)

    def change_oddly(self) -> list[Path]:
        """Change some in every way; where."""
        for path in self._kinds["replaced"]:
            spare = path.with_suffix(".spare")
            spare.write_bytes(self._opening * 2)
            spare.replace(path)
        for path in self._kinds["cut"]:
            path.write_bytes(self._opening[: len(self._opening) // 2])
        for path in self._kinds["anew"]:
            path.unlink()
            path.write_bytes(self._opening * 2)
        self.append_all(self._linked)
        new = []
        for serial in range(self.odd):
            path = self.tree / f"new-{serial}" / "session.jsonl"
            path.parent.mkdir()
            path.write_bytes(self._opening)
            new.append(path)
        return [*(path for paths in self._kinds.values() for path in paths), *self._linked, *new]


def _short(piece: bytes) -> bytes:
    """Some lines of it: ten thousand of them shall fit."""
    return b"".join(line + b"\n" for line in piece.splitlines() if len(line) < 1500)
