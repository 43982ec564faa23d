"""Section `peers`: what others need for the same session, and what is left of it afterwards."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks.bench import label
from scripts.benchmarks.facts import Facts, plain, recorded
from scripts.benchmarks.installed import ROOT, install_peer
from scripts.benchmarks.rounds import Failed, Program, Runner
from scripts.benchmarks.server import Server, with_key
from scripts.benchmarks.sidecars import forget
from scripts.benchmarks.table import Row, Target, milliseconds, not_run
from scripts.benchmarks.transcripts import CLAUDE_CODE, MB, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.benchmarks.bench import Bench
    from scripts.benchmarks.rounds import Rounds

FASTER = Target(30.0, at_least=True)
NOT_SLOWER = Target(1.0, at_least=True)

RECORDED = ROOT / "fixtures" / "recorded" / "claude-code-2.1.330-shelfmark.jsonl"

_LONG = 24 * MB
_SHORT = 4 * MB
_SESSION = "5e551011-0000-4000-8000-000000000001"
_PROJECT = "-home-somebody-ferry"
_WORKED_IN = "/home/somebody/ferry"
_READY, _NONE, _TREAT, _DIGEST, _RECALL, _JQ = (
    "memcli compact",
    "memcli compact, no memory",
    "cozempic treat -rx standard --execute",
    "cozempic digest update",
    "session-recall recall-after-compaction",
    "jq -c .type",
)
# Neither telephones home, nor renews itself, nor lays hooks while it is measured.
_QUIET = {f"COZEMPIC_NO_{what}": "1" for what in ("TELEMETRY", "AUTO_UPDATE", "GLOBAL_INIT", "AUTO_INIT", "RECEIPTS")}


class _Scene(NamedTuple):
    """A session where its host would keep it, below a home of its own, with a copy to go back to."""

    home: Path
    session: Path
    original: Path
    facts: Facts
    runner: Runner

    def restore(self) -> None:
        """The session is as its host left it."""
        shutil.copyfile(self.original, self.session)
        for backup in self.session.parent.glob("*.bak"):
            backup.unlink()

    def forget(self) -> None:
        """And there is no memory of it."""
        self.restore()
        forget(self.session.parent)

    def out(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.home / f"{name.partition(' ')[0]}.out"


def rows(bench: Bench) -> Iterator[Row]:
    """All of the section."""
    peers, missing = _installed(bench)
    for what, reason in missing.items():
        yield not_run(what, reason, FASTER)
    for size, ours, target in ((_LONG, _READY, FASTER), (_SHORT, _NONE, NOT_SLOWER)):
        scene = _generated(bench, size)
        yield from _compared(bench, scene, peers, ours, target)
        shutil.rmtree(scene.home)
    scene = _scene(bench, "recorded", RECORDED)
    yield from _compared(bench, scene._replace(facts=recorded(RECORDED)), peers, _READY)
    yield from _traditional(bench)


def _compared(
    bench: Bench, scene: _Scene, peers: dict[str, str], ours: str, target: Target | None = None
) -> Iterator[Row]:
    """What each costs on one session and, where our memory is ready, what is left of it."""
    size = label(scene.original.stat().st_size)
    programs = [_ours(bench, scene, ours), *_theirs(scene, peers)]
    measured, failed = _measured(scene.runner, programs, bench.few_rounds)
    for name, reason in failed.items():
        yield not_run(f"{name}, {size}", reason, target)
    for name in measured.costs:
        yield _row(measured, name, ours, f"{name}, {size}", target)
    if ours == _READY:
        yield from _kept(scene, [program for program in programs if program.name in measured.costs])


def _installed(bench: Bench) -> tuple[dict[str, str], dict[str, str]]:
    """The programs that are there, by package; and why others are not."""
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    packages: tuple[str, ...] = ("cozempic", "session-recall")
    if bench.quick:
        missing, packages = dict.fromkeys(packages, "it would have to be installed from the index"), ()
    for package in packages:
        try:
            found[package] = install_peer(bench.room / package, package).program(package)
        except Failed as reason:
            missing[package] = str(reason)
    if jq := shutil.which("jq"):
        found["jq"] = jq
    else:
        missing["jq"] = "it is not there"
    return found, missing


def _generated(bench: Bench, size: int) -> _Scene:
    """A session of which every text is told once."""
    original = bench.place(f"original-{size}", size) / "original.jsonl"
    facts = write(original, CLAUDE_CODE, bench.size(size), block=size)
    return _scene(bench, str(size), original)._replace(facts=facts)


def _scene(bench: Bench, name: str, original: Path) -> _Scene:
    directory = bench.place(f"peers-{name}", original.stat().st_size * 3)
    project = directory / ".claude" / "projects" / _PROJECT
    project.mkdir(parents=True)
    runner = Runner(bench.room, {**bench.runner.environment, "HOME": str(directory), **_QUIET})
    scene = _Scene(directory, project / f"{_SESSION}.jsonl", original, Facts([], [], [], []), runner)
    scene.restore()
    return scene


def _ours(bench: Bench, scene: _Scene, name: str) -> Program:
    """The swap of a memory that is ready, or of one that must be made. `update` leaves the tail prepared, as a watcher
    does once the session rests."""
    before = scene.forget
    if name == _READY:
        bench.update(scene.session)
        before = scene.restore
    return Program(name, bench.command("compact", "-q", scene.session), before=before, out=str(scene.out("memcli")))


def _theirs(scene: _Scene, peers: dict[str, str]) -> Iterator[Program]:
    session = str(scene.session)
    if cozempic := peers.get("cozempic"):
        treat = (cozempic, "treat", "-rx", "standard", "--execute", session)
        yield Program(_DIGEST, (cozempic, "digest", "update", "--session", session), before=scene.restore)
        yield Program(_TREAT, treat, before=scene.restore)
    if recall := peers.get("session-recall"):
        argv = (recall, "recall-after-compaction", "--session-id", _SESSION, "--cwd", _WORKED_IN)
        yield Program(_RECALL, argv, before=scene.restore, out=str(scene.out("session-recall")))
    if jq := peers.get("jq"):
        yield Program(_JQ, (jq, "-c", ".type", session), before=scene.restore)


def _measured(runner: Runner, programs: list[Program], rounds: int) -> tuple[Rounds, dict[str, str]]:
    """What the programs cost that work, and what is wrong with the others. Raises Failed if ours does not work."""
    working, failed = programs[:1], {}
    for program in programs[1:]:
        try:
            runner.run(program)
            working.append(program)
        except Failed as reason:
            failed[program.name] = str(reason)
    return runner.rounds(working, rounds), failed


def _row(measured: Rounds, name: str, ours: str, what: str, target: Target | None) -> Row:
    figure = f"{milliseconds(measured.cpu(name))} CPU"
    note = f"wall {milliseconds(measured.wall(name))}"
    if name == ours:
        return Row(what, figure, note=note)
    beside = f"{ours} {milliseconds(measured.cpu(ours))}"
    promised = None if name == _JQ else target
    return Row(what, figure, beside, measured.ratio(name, ours), target=promised, note=note)


# ------------------------------------------------------------------ what is left


def _kept(scene: _Scene, programs: list[Program]) -> Iterator[Row]:
    """Which facts of the session stand word for word in what each leaves for whoever goes on."""
    places = {
        _READY: scene.out("memcli"),
        _TREAT: scene.session,
        _DIGEST: scene.home / ".cozempic" / "behavioral-digest.md",
        _RECALL: scene.out("session-recall"),
    }
    whole = label(scene.original.stat().st_size)
    for program in programs:
        if place := places.get(program.name):
            scene.runner.run(program)
            left = place.read_bytes()
            yield Row(f"kept by {program.name}", f"{label(len(left))} of {whole}", note=scene.facts.kept(plain(left)))


# ------------------------------------------------------------------ the traditional way


def _traditional(bench: Bench) -> Iterator[Row]:
    """One blocking call of a model, of which the bench knows only how long it takes."""
    session = bench.place("traditional", MB) / "session.jsonl"
    shutil.copyfile(RECORDED, session)
    runner = Runner(bench.room, with_key(bench.runner.environment))
    bench.update(session)
    what = f"traditional: compact --fresh, a model of {bench.delay:g} s"
    try:
        with Server(bench.delay) as server:
            fresh = Program("fresh", bench.command("compact", "-q", "--fresh", *server.options(), session))
            measured = runner.single([Program(_READY, bench.command("compact", "-q", session)), fresh])
    except Failed as reason:
        yield not_run(what, str(reason))
        return
    figure, beside = f"waits {measured.wall('fresh').median:.1f} s", f"{_READY} {milliseconds(measured.wall(_READY))}"
    note = "wall; the server on loopback waits before it answers: users report a median of 137 s"
    yield Row(what, figure, beside, measured.ratio("fresh", _READY, "wall"), note=note)
