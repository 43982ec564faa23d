"""No failure in the source is without a test that does what it offers. Here the rarer ones are made, by the part that
makes them; the commoner ones in `test_what_to_try`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import pytest
import typer

import memcli
from memcli import cli, edge
from memcli.agent import watching
from memcli.agent.background import Background
from memcli.agent.endpoint import Endpoint
from memcli.agent.place import check_place
from memcli.agent.rules import checked, known, rules
from memcli.commands import chat, packed, service, stop, target, units
from memcli.commands import session_file as as_session
from memcli.commands import watch as watch_verb
from memcli.commands.compact import Wish, compact
from memcli.commands.man import man
from memcli.commands.watch import Live
from memcli.errors import MemcliError
from memcli.hosts import known as hosts
from memcli.hosts.installation import Installation
from memcli.hosts.source import held
from memcli.making import writer
from memcli.memory.fitting import rendered
from memcli.session import Triggers
from memcli.settings import Settings
from memcli.sidecar import backups
from memcli.sidecar.place import Place
from memcli.sidecar.presence import Presence
from memcli.summarize.__main__ import parsed
from memcli.summarize.options import Options
from memcli.summarize.options import checked as checked_options
from memcli.transcript.recognise import no_messages, recognise
from memcli.watch import ask, once, spot, taking
from memcli.watch.children import Summarizers
from memcli.watch.daemon import Orders, loop_of
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper
from memcli.watch.limit import write_compacted
from memcli.watch.taking import Maker, taken_from
from tests.builders import session, session_file
from tests.cli import test_failures, test_what_to_try
from tests.cli.command import ROOT
from tests.cli.hints import OF, of, sites, spoke
from tests.cli.offers import helps
from tests.commands.states import rested
from tests.e2e import test_chat
from tests.e2e.daemon import Daemon
from tests.hosts.client import Client
from tests.hosts.recorded import begin, upgraded
from tests.messages_api import Server
from tests.messages_api.answers import Talking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memcli.memory.jobs import Job, Result
    from tests.cli.offers import Person

MAKERS = (test_chat, test_failures, test_what_to_try)
"""Other tests that make failures: imported, they have added them to OF."""

GONE = 2**22 + 1
"""No process has this number."""

NOTES = "## Active Work\nunchanged\n<!-- end -->"
PROGRAMS = {
    "llm": f"print({NOTES!r})",
    "claude": f"import json; print(json.dumps({{'type': 'result', 'result': {NOTES!r}}}))",
    "summarizer.py": "import json, sys\nfor line in sys.stdin:\n"
    f"    print(json.dumps({{'v': 1, 'job': json.loads(line)['job'], 'edits': [], 'text': {NOTES!r}}}), flush=True)",
}
"""Programs of the user's own that are named in hints: each has nothing to add to the notes."""


class Case(NamedTuple):
    """How a failure is made in a directory with `run.jsonl`, and how what it offers is looked at."""

    make: Callable[[Path], object]
    look: str = "helps"


# ------------------------------------------------------------------ states in which something fails


def other_watcher(room: Path) -> None:
    """Two watch the sessions of one project."""
    project = elsewhere(room)
    begin(hosts.named("pi"), project)  # type: ignore[arg-type]  # it records its sessions
    os.chdir(project)
    source = hosts.source_of("pi", str(project))
    lock = source.acquire(0.0)
    try:
        hosts.source_of("pi", str(project)).acquire(0.0)
    finally:
        lock.release()


def batch(room: Path) -> Path:
    talk = {"messages": [json.loads(line) for line in session("openai").splitlines()]}
    (room / "talks.jsonl").write_text(json.dumps(talk) + "\n")
    return room / "talks.jsonl"


def untouched(room: Path) -> memcli.Session:
    return memcli.Session(room / "talk.jsonl", strategy="traditional")


def begun(room: Path) -> memcli.Session:
    talk = untouched(room)
    talk.add({"role": "user", "content": "mend the dam"})
    return talk


def torn(room: Path) -> memcli.Session:
    talk = begun(room)
    with (room / "talk.jsonl").open("ab") as file:
        file.write(b"\n")
    return talk


def another_way(room: Path) -> None:
    with memcli.Session(room / "talk.jsonl") as talk:
        talk.compact_now("cached")


def given_up(room: Path) -> None:
    enough = threading.Event()
    enough.set()
    begun(room)._compact(None, (None, None), enough)


def ended_endpoint(_: Path) -> None:
    endpoint = Endpoint(Options(backend="anthropic"))
    endpoint._process.kill()
    try:
        endpoint.ask([{"role": "user", "content": "mend the dam"}], 9, lambda _: None)
    finally:
        endpoint.close()


def late_watcher(room: Path) -> None:
    background = Background([room / "run.jsonl"], rules({}))
    try:
        watching._await(background, [room / "run.jsonl"], 0.0)
    finally:
        background.stop()


def late_memory(room: Path) -> None:
    keeper = Keeper(Place.of(room / "run.jsonl"), Triggers())
    keeper.open("update", time.time())
    try:
        spot.read_to_end(keeper)
        summarizers = Summarizers(SimpleQueue().put, None, 1.0)
        once._Once(keeper, summarizers, SimpleQueue(), None, lambda _: None, -1.0).until_current()
    finally:
        keeper.close()


def shown(room: Path, metrics: str) -> None:
    loop_of(Orders((str(room / "run.jsonl"),), Triggers(), quiet=True, metrics=metrics), print)


def replaced(path: Path, format: str) -> None:
    """Another session stands there, under the same name."""
    os.replace(session_file(path.with_suffix(".fresh"), format), path)


def restless(room: Path) -> None:
    """Whenever it was read, another one stands there."""
    formats = iter(["pi", "codex", "openai"])

    def answered(job: Job) -> Result:
        replaced(room / "run.jsonl", next(formats))
        return rendered(job)

    spot.head_now(Follower(str(room / "run.jsonl"), Place.of(room / "run.jsonl"), Triggers()), answer=answered)


def replaced_once(room: Path) -> None:
    path = str(room / "run.jsonl")
    head = spot.head_now(Follower(path, Place.of(room / "run.jsonl"), Triggers()))
    replaced(room / "run.jsonl", "pi")
    taking._known(path, head, taking.MADE, None)


def recognised(data: bytes) -> Callable[[Path], object]:
    def make(room: Path) -> None:
        (room / "some.jsonl").write_bytes(data)
        recognise(data, str(room / "some.jsonl"), ended=True)

    return make


def in_the_way(room: Path) -> Place:
    """Neither beside the transcript nor in the user's directory can anything be made."""
    (room / ".memcli").touch()
    (room / "state").touch()
    os.environ["XDG_STATE_HOME"] = str(room / "state")
    return Place.of(room / "run.jsonl")


def packed_run(room: Path) -> Path:
    subprocess.run(["zstd", "-q", str(room / "run.jsonl")], check=True)
    return room / "run.jsonl.zst"


def damaged(room: Path) -> Path:
    (room / "bad.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"\x01" * 40)
    return room / "bad.jsonl.zst"


def spoken_to(room: Path) -> Path:
    """An OpenClaw session."""
    return rested(begin(hosts.named("openclaw"), room))  # type: ignore[arg-type]


def in_database(room: Path) -> Path:
    """An OpenClaw session beside the database that holds the others."""
    path = spoken_to(room)
    upgraded(path)
    return path


def headless(room: Path) -> Path:
    """A Codex rollout that has lost its first record."""
    lines = session("codex").splitlines(keepends=True)
    (room / "rollout.jsonl").write_bytes(b"".join(lines[1:]))
    return rested(room / "rollout.jsonl")


def occupied(room: Path) -> None:
    """Where the new session is to lie somebody has another one."""
    client = Client(room / "project")
    path = rested(client.session())
    for _ in range(3):  # it has two names
        as_session.session_file(path, Wish(quiet=True), resume=False)
        for fresh in set(client.folder.glob("*.jsonl")) - {path}:
            fresh.write_bytes(session("claude-code", 2))


def elsewhere(room: Path) -> Path:
    (room / "elsewhere").mkdir()
    (room / "elsewhere" / "empty").touch()
    return room / "elsewhere"


def broken(room: Path) -> Path:
    (room / "settings.json").write_text("{")
    return room


def changed_meanwhile(room: Path) -> None:
    installation = Installation(room / ".claude")
    plan = installation.to_install()
    (room / ".claude").mkdir()
    (room / ".claude" / "settings.json").write_text("{}")
    installation.carry_out(plan)


def nowhere(room: Path) -> None:
    (room / "in the way").touch()
    os.environ["XDG_STATE_HOME"] = os.environ["TMPDIR"] = str(room / "in the way")


def made(room: Path) -> Place:
    place = Place.of(room / "run.jsonl")
    place.make()
    return place


def throw(error: MemcliError) -> None:
    raise error


def fails_with(number: int, path: Path) -> None:
    """What the edge makes of an error of the disk."""
    error = edge.expected(OSError(number, os.strerror(number), str(path)))
    assert error is not None
    raise error


def manager(room: Path, name: str, refuses: str) -> None:
    """A service manager of ours, first on PATH, that refuses what is asked for with this word."""
    script = f"#!/bin/sh\ncase $* in *{refuses}*) echo refused >&2; exit 1 ;; esac\n"
    for program in (name, "journalctl"):
        (room / "bin" / program).write_text(script)
        (room / "bin" / program).chmod(0o755)


# ------------------------------------------------------------------ failures, one by one


CASES: dict[str, Case] = {
    "agent/compaction.py: keep_turns and keep_tokens ask for two different tails": Case(
        lambda room: memcli.compact(room / "run.jsonl", keep_turns=1, keep_tokens=1), "python"
    ),
    "agent/compaction.py: a tail has no negative size": Case(
        lambda room: memcli.compact(room / "run.jsonl", keep_turns=-1), "python"
    ),
    "agent/compaction.py: no such file: {}": Case(lambda room: memcli.compact(room / "no" / "x.jsonl")),
    "agent/compaction.py: there is no message to compact": Case(lambda _: memcli.compact([]), "python"),
    "agent/compaction.py: these are no messages: {}": Case(lambda _: memcli.compact([3]), "python"),  # type: ignore[list-item]
    "agent/conversation.py: {} is no transcript of Messages, one a line": Case(
        lambda room: memcli.Session(room / "run.jsonl", strategy="traditional")
    ),
    "agent/conversation.py: this is no message: {}": Case(lambda room: untouched(room).add({"role": "x"}), "python"),
    "agent/conversation.py: this message is no JSON: {}": Case(
        lambda room: untouched(room).add({"role": "user", "content": [{"type": "text", "text": "x", "at": object()}]}),
        "python",
    ),
    "agent/conversation.py: {} was changed by somebody else": Case(
        lambda room: torn(room).add({"role": "assistant", "content": "Done."})
    ),
    "agent/endpoint.py: the process that asks the model has ended": Case(ended_endpoint),
    "agent/rules.py: there is no setting {}": Case(lambda _: known({"modell": "m"})),
    "agent/rules.py: {} is no strategy; there are {}": Case(lambda _: checked("fast"), "talks"),
    "agent/place.py: no such directory: {}": Case(lambda room: check_place(room / "no" / "x.jsonl"), "mends"),
    "agent/session.py: nothing was said in {} yet": Case(lambda room: untouched(room).compact_now(), "talks"),
    "agent/session.py: this session keeps its memory the {} way": Case(another_way, "python"),
    "agent/session.py: the compaction was given up": Case(given_up),
    "agent/watching.py: the watcher did not start within {} s": Case(late_watcher),
    "commands/chat.py: {} is a directory": Case(chat._check, "talks"),
    "commands/chat.py: a conversation is kept in a file; stdin is what is said": Case(
        lambda _: chat._check(Path("-")), "talks"
    ),
    "commands/compact.py: {} is compressed: it is read, never written": Case(
        lambda room: compact(str(packed_run(room)), Wish(in_place=True))
    ),
    "commands/man.py: {} is no directory": Case(
        lambda room: man([], room / "run.jsonl", typer.main.get_command(cli.app))
    ),
    "commands/compact.py: _check_host()": Case(
        lambda room: compact(str(spoken_to(room)), Wish(in_place=True, keep_turns=0, quiet=True))
    ),
    "commands/session_file.py: _written()": Case(
        lambda room: as_session.session_file(spoken_to(room), Wish(keep_turns=0, quiet=True), resume=False)
    ),
    "commands/compact.py: require_files()": Case(
        lambda room: compact(str(in_database(room)), Wish(in_place=True, quiet=True))
    ),
    "commands/units.py: systemd cannot start anything in a directory of this name: {}": Case(
        lambda _: units.systemd(["memcli"], "/two\nlines")
    ),
    "commands/packed.py: {} cannot be decompressed: {}": Case(lambda room: packed.unpacked(damaged(room)), "tells"),
    "commands/session_file.py: {} does not begin as a session of {}": Case(
        lambda room: as_session.session_file(headless(room), Wish(quiet=True), resume=False)
    ),
    "commands/session_file.py: {} holds something else": Case(occupied),
    "commands/target.py: no transcript in this directory, and no agent has a session of it": Case(
        lambda room: target.target(None, "show") if not os.chdir(elsewhere(room)) else None
    ),
    "commands/watch.py: no such directory: {}": Case(
        lambda room: watch_verb.watch([], {}, Live(("pi",), room / "no"), quiet=True, verbose=False)
    ),
    "edge.py: cannot write{}: {}": Case(lambda room: fails_with(28, room / "x")),
    "edge.py: no access to {}: {}": Case(lambda room: fails_with(13, room / "run.jsonl")),
    "edge.py: cannot use {}: {}": Case(lambda room: fails_with(2, room / "no" / "x")),
    "hosts/installation.py: {} cannot be edited: {}": Case(
        lambda room: Installation(broken(room)).to_install(), "tells"
    ),
    "hosts/installation.py: {} was changed meanwhile": Case(changed_meanwhile),
    "hosts/source.py: acquired()": Case(other_watcher),
    "making/writer.py: --backend command needs a command": Case(
        lambda _: writer.chosen(Settings(backend="command")), "writes"
    ),
    "making/writer.py: no key for the anthropic backend is in the environment": Case(
        lambda _: writer.chosen(Settings(backend="anthropic")), "mends"
    ),
    "making/writer.py: the prompt file {} cannot be read": Case(
        lambda room: writer.chosen(Settings(backend="embedded", prompt_file=str(room / "no" / "x")))
    ),
    "sidecar/backups.py: {} grew while it was compacted": Case(
        lambda room: backups.replace(Place.of(room / "run.jsonl").claim(), b"", 1)
    ),
    "sidecar/place.py: _explained()": Case(lambda room: in_the_way(room).make()),
    "sidecar/presence.py: cannot write in {}: {}": Case(lambda room: nowhere(room) or Presence.start()),
    "summarize/__main__.py: error()": Case(lambda _: parsed(["--nonsense"])),
    "summarize/options.py: this backend needs --{}": Case(lambda _: parsed(["--backend", "program"])),
    "summarize/options.py: --{} is no command: {}": Case(lambda _: writer.chosen(Settings(summarizer="'")), "writes"),
    "summarize/options.py: {} is no http address": Case(
        lambda _: writer.chosen(Settings(backend="anthropic", base_url="ftp://x")), "writes"
    ),
    "summarize/options.py: --jobs must be 1 or more, --timeout above 0 and at most a day": Case(
        lambda _: checked_options(Options(jobs=0), "update")
    ),
    "transcript/recognise.py: {} holds no complete record yet": Case(recognised(b'{"type":')),
    "transcript/recognise.py: {} holds no conversation message yet, only bookkeeping records": Case(
        lambda room: throw(no_messages(str(room / "run.jsonl")))
    ),
    "transcript/recognise.py: {} is a SWE-agent trajectory, one JSON document": Case(
        recognised(b'{"trajectory": [], "history": [], "info": {}}\n')
    ),
    "transcript/recognise.py: {} is a Gemini CLI session, one JSON document": Case(
        recognised(b'{"sessionId": "s", "projectHash": "p", "messages": []}\n')
    ),
    "transcript/recognise.py: {} is a log of one model call, one JSON document": Case(
        recognised(b'{"messages": [{"role": "user", "content": "hi"}], "response": {}}\n')
    ),
    "transcript/recognise.py: {} holds no JSON lines": Case(recognised(b"hello\nworld\n")),
    "transcript/recognise.py: {} is a binary file": Case(recognised(bytes(range(8)) * 40)),
    "transcript/recognise.py: {} is one JSON array, not JSONL": Case(
        recognised(b'[{"role": "user", "content": "hi"}]\n')
    ),
    "transcript/recognise.py: {} is JSONL, but of no transcript format known": Case(
        recognised(b'{"a": 1}\n{"a": 2}\n')
    ),
    "watch/ask.py: the daemon {} has just ended": Case(
        lambda room: ask.ask(made(room).sidecar, GONE, 0.0, room / "run.jsonl")
    ),
    "watch/exposure.py: --metrics names neither a file nor a port": Case(lambda room: shown(room, "")),
    "watch/exposure.py: --metrics {}: a collector takes files named *.prom": Case(lambda room: shown(room, "m.txt")),
    "watch/exposure.py: cannot write {}: {}": Case(lambda room: shown(room, "run.jsonl/m.prom")),
    "watch/exposure.py: cannot listen on {}:{}: {}": Case(lambda room: shown(room, "192.0.2.1:9")),
    "watch/follower.py: {} holds one whole conversation a line, which cannot be followed": Case(
        lambda room: spot.head_now(Follower(str(batch(room)), Place.of(batch(room)), Triggers()))
    ),
    "watch/limit.py: nothing to compact in {}": Case(
        lambda room: write_compacted(Keeper(Place.of(room / "run.jsonl"), Triggers()))
    ),
    "watch/once.py: no memory of {} was made in {} s": Case(late_memory),
    "watch/spot.py: {} is being replaced": Case(restless),
    "watch/taking.py: taken_from()": Case(
        lambda room: taken_from(elsewhere(room) / "empty", Place.of(room / "x"), "stdin", Maker(Triggers()))
    ),
    "watch/taking.py: {} is being replaced: {}": Case(replaced_once),
}

ELSEWHERE = {
    "commands/packed.py: nothing here can decompress {}": ("scripts/package-check", "pip install 'memcli[zstd]'"),
    "commands/session_file.py: no program `{}` is on PATH; the new session waits: {}": ("scripts/npm.py", '"install"'),
    "commands/watch.py: _project()": ("tests/hosts/test_openclaw.py", "openclaw sessions export-trajectory --help"),
}
"""Hints with programs of others that a package index gives: the scripts that take them, and the words there. OpenClaw
itself is in none; of its command only the words are looked at."""


@pytest.fixture(scope="module")
def model() -> Iterator[Server]:
    """Who answers where a model is asked."""
    with Server(Talking()) as server:
        yield server


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one transcript, and the programs that the user has."""
    rested(session_file(tmp_path / "run.jsonl"))
    (tmp_path / "bin").mkdir()
    for name, code in PROGRAMS.items():
        path = tmp_path / name if name.endswith(".py") else tmp_path / "bin" / name
        path.write_text(f"#!{sys.executable}\n{code}\n")
        path.chmod(0o755)
    for name in ("XDG_STATE_HOME", "TMPDIR"):  # a case may set them: they are then put back
        monkeypatch.setenv(name, os.environ.get(name, str(tmp_path)))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    Path.home().mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled(hint: str, server: str) -> str:
    """A hint with what a user would put in the place of what it cannot know."""
    known = {"API_KEY=...": "API_KEY=k", "MODEL": "mill-7b", "NAME": "mill-7b", "http://localhost:11434": server}
    for place, value in known.items():
        hint = hint.replace(place, value)
    return hint


def evaluated(hint: str, room: Path) -> bool:
    """True if this line of Python does no harm to its author."""
    messages = [{"role": "user", "content": "mend the dam"}]
    answer = SimpleNamespace(to_dict=lambda: {"role": "assistant", "content": "Done."})
    known = {"memcli": memcli, "messages": messages, "answer": answer, "session": begun(room)}
    found = eval(hint, known)
    if isinstance(found, memcli.Session):
        found.close()
    return True


@pytest.mark.parametrize("name", CASES)
def test_what_a_failure_offers_helps(
    name: str, room: Path, person: Person, model: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, look = CASES[name]
    with pytest.raises(MemcliError) as caught:
        make(room)
    assert spoke(name, caught.value.sentence, caught.value.hint)
    hint = filled(caught.value.hint, model.url)
    if look == "python":
        assert evaluated(hint, room)
        return
    if look == "talks":
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
    ran = person.pastes(room.cwd(), hint)
    assert helps(ran) or (look == "tells" and ran.code not in (126, 127)), (hint, ran)
    assert look != "writes" or "generation 1" in ran.err
    if look == "mends":
        make(room)


# ------------------------------------------------------------------ what takes more than a line to make


@of("commands/service.py: neither systemd nor launchd is here to keep a service running")
def test_without_a_manager_a_watcher_of_its_own_is_offered(room: Path, person: Person, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(room))
        with pytest.raises(MemcliError) as caught:
            service.install(service.Wish())
    assert helps(person.pastes(room, caught.value.hint))


@pytest.mark.parametrize(
    ("platform", "name", "refuses", "site"),
    [
        ("linux", "systemctl", "show", "systemd does not run for this user: {}"),
        ("linux", "systemctl", "daemon-reload", "systemctl {} failed: {}"),
        ("darwin", "launchctl", "bootstrap", "launchctl bootstrap failed: {}"),
        ("darwin", "", "", "launchctl is not there"),
    ],
)
@of(
    "commands/service.py: systemd does not run for this user: {}",
    "commands/service.py: systemctl {} failed: {}",
    "commands/service.py: launchctl bootstrap failed: {}",
    "commands/service.py: launchctl is not there",
)
def test_where_a_manager_refuses_there_is_a_way_to_see_more(
    platform: str, name: str, refuses: str, site: str, room: Path, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name:
        manager(room, name, refuses)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(MemcliError) as caught:
        service.install(service.Wish(quiet=True))
    assert spoke(f"commands/service.py: {site}", caught.value.sentence, caught.value.hint)
    assert helps(person.pastes(room, caught.value.hint))


@of("commands/stop.py: process {} has not ended yet")
def test_a_watcher_that_hangs_can_be_ended(room: Path, person: Person) -> None:
    path = room / "run.jsonl"
    daemon = Daemon(room / "log", path)
    assert daemon.says("following")
    daemon.process.send_signal(signal.SIGSTOP)
    with pytest.raises(MemcliError) as caught:
        stop.stop(path, quiet=True, patience=0.0)
    assert helps(person.pastes(room, caught.value.hint))
    assert daemon.process.wait() == -signal.SIGKILL
    assert held(Place.of(path).lock) is None


# ------------------------------------------------------------------ that none is missing


def test_every_failure_of_the_source_has_its_test_and_every_test_its_failure() -> None:
    assert {*CASES, *ELSEWHERE, *OF, *test_what_to_try.PLACES} == set(sites())


def test_the_failures_of_the_table_are_made_there() -> None:
    assert set(test_what_to_try.PLACES.values()) <= {*test_what_to_try.STATES, *test_what_to_try.WATCHES}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_needs_programs_of_others_is_done_elsewhere(name: str) -> None:
    path, words = ELSEWHERE[name]
    assert words in (ROOT / path).read_text()
