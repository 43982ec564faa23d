"""Section `compact`: the swap, by each of its routes."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from scripts.benchmarks import floors, processes
from scripts.benchmarks.bench import label, shell
from scripts.benchmarks.rounds import PATIENCE_SECONDS, Failed, Program, spread
from scripts.benchmarks.sidecars import as_of, forget, is_prepared
from scripts.benchmarks.table import Row, Target, milliseconds, not_run
from scripts.benchmarks.transcripts import ANTHROPIC, CLAUDE_CODE, GB, KB, MB, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.benchmarks.bench import Bench
    from scripts.benchmarks.rounds import Rounds

_SIZES = (1 * MB, 100 * MB, 1 * GB, 4 * GB)
_TAIL = 1 * MB
_LONG_TAIL = 1 * GB
_FORBIDDEN = {"json", "re", "typing", "pathlib", "typer"}

ONCE = Target(1.25)
FLAT = Target(1.05)
PIPED = Target(1.5)
LONG_PIPED = Target(0.6)
REWRITTEN = Target(3.0)
PREPARED = Target(1.6)
EDITED = Target(2.5)
MADE_NOW = Target(0.7)


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    yield from _copied(bench)
    yield from _long_tail(bench, seen=True)
    yield from _long_tail(bench, seen=False)
    yield from _rewritten(bench)
    yield from _made_now(bench)


def _copied(bench: Bench) -> Iterator[Row]:
    """The tail is copied as it is: what a transcript of plain messages costs, however long it is."""
    ready: dict[int, Path] = {}
    for size in _SIZES:
        try:
            ready[size] = _prepared(bench, ANTHROPIC, size, _TAIL, seen=True)
        except Failed as reason:
            yield not_run(f"compact, copied, {label(size)}", str(reason), FLAT if size == _SIZES[-1] else None)
    if _SIZES[0] not in ready:
        return
    first = ready[_SIZES[0]]
    unseen = _prepared(bench, ANTHROPIC, _SIZES[0], _TAIL, seen=False)
    piped = Program("compact | cat", shell(f"{_line(bench, first)} | cat >/dev/null"))
    searched = Program("compact, unseen", _compact(bench, unseen))
    beside = [floors.python_pass(bench), floors.import_typer(bench), floors.tail(first, _TAIL), piped, searched]
    programs = {size: Program(f"compact {label(size)}", _compact(bench, path)) for size, path in ready.items()}
    measured = bench.runner.rounds([*beside, *programs.values()], bench.rounds)
    one = programs[_SIZES[0]].name
    tail = f"{label(bench.size(_TAIL))} tail, copied"
    yield _ratio(measured, one, floors.PASS, f"compact, {tail}", ONCE)
    yield _ratio(measured, one, floors.TYPER, f"compact, {tail}", Target(0.25))
    yield _ratio(measured, one, beside[2].name, f"compact, {tail}")
    yield _ratio(measured, searched.name, floors.PASS, f"compact, {tail}, no watcher saw it")
    for size in list(programs)[1:]:
        target = FLAT if size == _SIZES[-1] else None
        yield _ratio(measured, programs[size].name, one, f"compact, {label(size)} transcript", target)
    yield _ratio(measured, piped.name, floors.PASS, "compact | cat", PIPED)
    yield _modules(bench, first)
    _remove(*ready.values(), unseen)


def _long_tail(bench: Bench, *, seen: bool) -> Iterator[Row]:
    """Nobody has made a memory for long: the tail is a gigabyte, and goes through a pipe."""
    what = f"compact | cat, {label(bench.size(_LONG_TAIL))} tail{'' if seen else ', no watcher saw it'}"
    target = LONG_PIPED if seen else None
    try:
        transcript = _prepared(bench, ANTHROPIC, 1 * MB, _LONG_TAIL, seen=seen)
    except Failed as reason:
        yield not_run(what, str(reason), target)
        return
    piped = Program("compact | cat", shell(f"{_line(bench, transcript)} | cat >/dev/null"))
    measured = bench.runner.rounds([floors.cat_cat(transcript), piped], bench.few_rounds)
    row = _ratio(measured, piped.name, "cat | cat", what, target)
    yield row._replace(note=f"largest process {measured.peak(piped.name).median:.0f} MiB")
    _remove(transcript)


def _rewritten(bench: Bench) -> Iterator[Row]:
    """Claude Code: linked anew, without thinking, when it is asked for or by the watcher beforehand; and a memory that
    somebody edited, with the tail it was made with."""
    tailed, seen = (
        _prepared(bench, CLAUDE_CODE, 1 * MB, 200 * KB, words_only=False, seen=seen) for seen in (False, True)
    )
    bare = _prepared(bench, CLAUDE_CODE, 1 * MB, 0, words_only=False)
    restore = _Restore(bare.parent, _kept(bare))
    plain = Program("compact, rewritten", _compact(bench, tailed))
    ready = Program("compact, prepared", _compact(bench, seen))
    edited = Program("compact, edited", _compact(bench, bare), before=restore.edited)
    measured = bench.runner.rounds([floors.python_pass(bench), plain, ready, edited], bench.rounds)
    tail = f"compact, rewritten, {label(bench.size(200 * KB))} tail"
    yield _ratio(measured, ready.name, floors.PASS, f"{tail} that the watcher saw", PREPARED)
    yield _ratio(measured, plain.name, floors.PASS, f"{tail}, no watcher saw it", REWRITTEN)
    yield _ratio(measured, edited.name, floors.PASS, "compact, memory edited by hand", EDITED)
    _remove(tailed, seen, bare)


def _made_now(bench: Bench) -> Iterator[Row]:
    """No memory at all: it is made on the spot."""
    directory = bench.place("made-now", 4 * MB)
    transcript = directory / "session.jsonl"
    write(transcript, CLAUDE_CODE, bench.size(4 * MB))
    made = Program("compact, none", _compact(bench, transcript), before=lambda: forget(directory))
    measured = bench.runner.rounds([floors.python_pass(bench), made], bench.few_rounds)
    what = f"compact without a memory, {label(transcript.stat().st_size)}"
    wall = f"wall {milliseconds(measured.wall(made.name))}"
    yield Row(what, wall, _beside(measured, floors.PASS), measured.cpu(made.name), "s CPU", MADE_NOW)
    _remove(transcript)


# ------------------------------------------------------------------ transcripts with a memory


def _prepared(bench: Bench, format: str, size: int, tail: int, *, words_only: bool = True, seen: bool = False) -> Path:
    """A transcript with a memory, and a tail that came after it; `seen` by a daemon, but no reason for it to make
    another memory. Raises Failed.
    """
    name = f"{format}-{label(size)}-{label(tail)}{'-seen' if seen else ''}".replace(" ", "")
    transcript = bench.place(name, size + tail) / "session.jsonl"
    write(transcript, format, bench.size(size))
    bench.update(transcript)
    if tail:
        write(transcript, format, bench.size(tail), seed=2, words_only=words_only)
    if seen:
        _show(bench, transcript, at_rest=format == CLAUDE_CODE)
    out = transcript.with_name("out")
    bench.runner.run(Program("compact", _compact(bench, transcript), out=str(out)))
    if words_only and _end_of(out) != _end_of(transcript):
        raise Failed("the output of compact does not end as the transcript does")
    out.unlink()
    return transcript


def _show(bench: Bench, transcript: Path, *, at_rest: bool) -> None:
    """Let a daemon read all of a transcript, and with `at_rest` prepare its tail. Raises Failed."""
    never = 10**12
    argv = bench.command("watch", transcript, "--update-tokens", never, "--update-tool-calls", never)
    with processes.running(argv, bench.runner.environment, transcript.with_name("said")):
        size = transcript.stat().st_size
        if not processes.eventually(lambda: as_of(transcript) >= size, PATIENCE_SECONDS, look=0.05):
            raise Failed("the daemon did not read all of the transcript")
        if at_rest and not processes.eventually(lambda: is_prepared(transcript), PATIENCE_SECONDS, look=0.05):
            raise Failed("the daemon did not prepare the tail of the transcript")


def _end_of(transcript: Path) -> bytes:
    with transcript.open("rb") as file:
        file.seek(-1000, 2)
        return file.read()


def _kept(transcript: Path) -> Path:
    """A copy of a directory, to go back to."""
    kept = transcript.parent.with_name(f"{transcript.parent.name}-kept")
    shutil.copytree(transcript.parent, kept)
    return kept


class _Restore:
    """Puts back the files of memcli, as they were before a compaction, and edits them."""

    def __init__(self, directory: Path, kept: Path) -> None:
        self._directory = directory
        self._kept = kept

    def edited(self) -> None:
        """Somebody has added a line to the memory."""
        forget(self._directory)
        shutil.copytree(self._kept / ".memcli", self._directory / ".memcli")
        memory = next(self._kept.glob("*session-memory.md"))
        text, mark = memory.read_text(encoding="utf-8"), "## User Intent\n"
        longer = text.replace(mark, f"{mark}- The harbour master signs off each release.\n", 1)
        (self._directory / memory.name).write_text(longer, encoding="utf-8")


def _remove(*transcripts: Path) -> None:
    for transcript in transcripts:
        shutil.rmtree(transcript.parent)
        shutil.rmtree(transcript.parent.with_name(f"{transcript.parent.name}-kept"), ignore_errors=True)


# ------------------------------------------------------------------ programs and rows


def _compact(bench: Bench, transcript: Path) -> tuple[str, ...]:
    return bench.command("compact", "-q", transcript)


def _line(bench: Bench, transcript: Path) -> str:
    return shlex.join(_compact(bench, transcript))


def _ratio(measured: Rounds, name: str, floor: str, what: str, target: Target | None = None) -> Row:
    figure = f"{milliseconds(measured.cpu(name))} CPU"
    return Row(what, figure, _beside(measured, floor), measured.ratio(name, floor), target=target)


def _beside(measured: Rounds, floor: str) -> str:
    return f"{floor} {milliseconds(measured.cpu(floor))}"


def _modules(bench: Bench, transcript: Path) -> Row:
    names = loaded(bench, "compact", "-q", str(transcript))
    heavy = sorted(_FORBIDDEN & names)
    note = (
        f"loaded although it must not be: {', '.join(heavy)}" if heavy else "none of json, re, typing, pathlib, typer"
    )
    number = float(len(names)) if not heavy else float("inf")
    return Row("compact, modules", "", "", spread([number]), "modules", Target(40), note)


def loaded(bench: Bench, *arguments: str) -> set[str]:
    """The modules that a run of the installed command loads, those of Python's own start among them."""
    start = _ran(bench, bench.python("-c", "import sys; print(*sys.modules)")).stdout.split()
    said = _ran(bench, bench.python("-X", "importtime", *bench.command(*arguments))).stderr
    lines = [line for line in said.splitlines() if line.startswith("import time:")]
    return {*start, *(line.rpartition("|")[2].strip() for line in lines)} - {"imported package"}


def _ran(bench: Bench, argv: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env=bench.runner.environment, capture_output=True, text=True, check=False)
