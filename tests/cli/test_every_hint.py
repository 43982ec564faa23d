"""No failure in the source is without a test of what it offers: the rarer ones, made by the part that makes them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typer

import memcli
from memcli import cli, edge, settings
from memcli.agent.rules import checked, known
from memcli.commands import chat, packed, service, target, units
from memcli.commands import session_file as as_session
from memcli.commands import watch as watch_verb
from memcli.commands.compact import Wish, compact
from memcli.commands.watch import Live
from memcli.errors import MemcliError
from memcli.hosts.installation import Installation
from memcli.hosts.known import named
from memcli.hosts.source import acquired
from memcli.making import writer
from memcli.session import Triggers
from memcli.settings import Settings
from memcli.sidecar import backups
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.presence import Presence
from memcli.summarize.__main__ import parsed
from memcli.summarize.backends.choose import choose
from memcli.summarize.options import Options
from memcli.summarize.options import checked as checked_options
from memcli.transcript.recognise import no_messages, recognise
from memcli.watch import ask, spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper
from memcli.watch.limit import write_compacted
from memcli.watch.taking import Maker, taken_from
from tests.builders import session, session_file
from tests.cli import test_what_to_try
from tests.cli.command import ROOT, environment
from tests.cli.hints import sites, spoke
from tests.commands.states import rested
from tests.hosts.recorded import begin, upgraded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM: Any = typer.main.get_command(cli.app)
GONE = 2**22 + 1
"""No process has this number."""


class Case(NamedTuple):
    """How a failure is made in a directory with `run.jsonl`, and how what it offers is looked at."""

    make: Callable[[Path], object]
    look: str = "runs"


def twice(room: Path) -> None:
    with Lock.acquire(room / "lock", "watch", 0.0):
        acquired(room / "lock", 0.0, "pi", whole=True)


def batch(room: Path) -> Path:
    talk = {"messages": [json.loads(line) for line in session("openai").splitlines()]}
    (room / "talks.jsonl").write_text(json.dumps(talk) + "\n")
    return room / "talks.jsonl"


def torn(room: Path) -> memcli.Session:
    talk = memcli.Session(room / "talk.jsonl", strategy="traditional")
    talk.add({"role": "user", "content": "mend the dam"})
    with (room / "talk.jsonl").open("ab") as file:
        file.write(b"\n")
    return talk


def untouched(room: Path) -> memcli.Session:
    return memcli.Session(room / "talk.jsonl", strategy="traditional")


def unread(room: Path) -> None:
    write_compacted(Keeper(Place.of(room / "none.jsonl"), Triggers()))


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
    "agent/conversation.py: {} was changed by somebody else": Case(
        lambda room: torn(room).add({"role": "assistant", "content": "Done."}), "known"
    ),
    "agent/rules.py: there is no setting {}": Case(lambda _: known({"modell": "m"})),
    "agent/rules.py: {} is no strategy; there are {}": Case(lambda _: checked("fast"), "known"),
    "agent/session.py: nothing was said in {} yet": Case(lambda room: untouched(room).compact_now(), "known"),
    "agent/watching.py: no such directory: {}": Case(lambda room: memcli.watch(room / "no" / "x.jsonl")),
    "commands/chat.py: {} is a directory": Case(chat._check, "known"),
    "commands/chat.py: no such directory: {}": Case(lambda room: chat._check(room / "no" / "x.jsonl")),
    "commands/compact.py: {} is compressed: it is read, never written": Case(
        lambda room: compact(str(packed_run(room)), Wish(in_place=True))
    ),
    "commands/compact.py: _check_host()": Case(
        lambda room: compact(str(spoken_to(room)), Wish(in_place=True, keep_turns=0, quiet=True))
    ),
    "commands/session_file.py: _written()": Case(
        lambda room: as_session.session_file(spoken_to(room), Wish(keep_turns=0, quiet=True), resume=False)
    ),
    "commands/session_file.py: session_file()": Case(
        lambda room: as_session.session_file(in_database(room), Wish(quiet=True), resume=False)
    ),
    "commands/packed.py: {} cannot be decompressed: {}": Case(lambda room: packed.unpacked(damaged(room)), "looks"),
    "commands/service.py: neither systemd nor launchd is here to keep a service running": Case(
        lambda _: service._manager(), "known"
    ),
    "commands/session_file.py: {} does not begin as a session of {}": Case(
        lambda room: as_session.session_file(headless(room), Wish(quiet=True), resume=False)
    ),
    "commands/session_file.py: no program `{}` is on PATH; the new session waits: {}": Case(
        lambda _: as_session._become(["no-such-client"], None, "npm install -g client"), "given"
    ),
    "commands/target.py: no transcript in this directory, and no agent has a session of it": Case(
        lambda room: target.target(None, "show") if not os.chdir(elsewhere(room)) else None
    ),
    "commands/units.py: systemd cannot start anything in a directory of this name: {}": Case(
        lambda _: units.systemd(["memcli"], "/two\nlines"), "known"
    ),
    "commands/watch.py: no such directory: {}": Case(
        lambda room: watch_verb.watch([room / "no" / "x"], {}, Live(), quiet=True, verbose=False)
    ),
    "edge.py: cannot write{}: {}": Case(lambda room: fails_with(28, room / "x")),
    "edge.py: no access to {}: {}": Case(lambda room: fails_with(13, room / "run.jsonl")),
    "edge.py: cannot use {}: {}": Case(lambda room: fails_with(2, room / "no" / "x")),
    "hosts/installation.py: {} cannot be edited: {}": Case(
        lambda room: Installation(broken(room)).to_install(), "looks"
    ),
    "hosts/source.py: acquired()": Case(twice, "known"),
    "making/writer.py: --backend command needs a command": Case(
        lambda _: writer.chosen(Settings(backend="command")), "known"
    ),
    "making/writer.py: no key for the anthropic backend is in the environment": Case(
        lambda _: writer.chosen(Settings(backend="anthropic"))
    ),
    "making/writer.py: the prompt file {} cannot be read": Case(
        lambda room: writer.chosen(Settings(backend="embedded", prompt_file=str(room / "no" / "x")))
    ),
    "settings.py: {} cannot be read: {}": Case(
        lambda room: settings.load({}, {"MEMCLI_CONFIG": str(room / "no.toml")}, room)
    ),
    "sidecar/backups.py: {} grew while it was compacted": Case(
        lambda room: backups.replace(Place.of(room / "run.jsonl").claim(), b"", 1)
    ),
    "sidecar/place.py: _explained()": Case(lambda room: in_the_way(room).make()),
    "sidecar/presence.py: cannot write in {}: {}": Case(lambda room: nowhere(room) or Presence.start()),
    "summarize/__main__.py: error()": Case(lambda _: parsed(["--nonsense"])),
    "summarize/backends/choose.py: --command is no command: {}": Case(
        lambda _: choose(Options(backend="command", command="'")), "known"
    ),
    "summarize/backends/choose.py: --summarizer is no command: {}": Case(
        lambda _: choose(Options(backend="program", summarizer="'")), "known"
    ),
    "summarize/options.py: --backend command needs --command": Case(
        lambda _: checked_options(Options(backend="command"), "update"), "known"
    ),
    "summarize/options.py: --backend program needs --summarizer": Case(
        lambda _: checked_options(Options(backend="program"), "update"), "known"
    ),
    "summarize/options.py: {} is no http address": Case(
        lambda _: checked_options(Options(base_url="ftp://x"), "update"), "known"
    ),
    "summarize/options.py: --jobs must be 1 or more, --timeout above 0 and at most a day": Case(
        lambda _: checked_options(Options(jobs=0), "update")
    ),
    "transcript/recognise.py: {} holds no complete record yet": Case(recognised(b'{"type":'), "known"),
    "transcript/recognise.py: {} holds no conversation message yet, only bookkeeping records": Case(
        lambda room: throw(no_messages(str(room / "run.jsonl"))), "known"
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
    "watch/follower.py: {} holds one whole conversation a line, which cannot be followed": Case(
        lambda room: spot.head_now(Follower(str(batch(room)), Place.of(batch(room)), Triggers()))
    ),
    "watch/limit.py: nothing to compact in {}": Case(unread, "known"),
    "watch/taking.py: taken_from()": Case(
        lambda room: taken_from(elsewhere(room) / "empty", Place.of(room / "x"), "stdin", Maker(Triggers()))
    ),
}

ELSEWHERE = {
    "agent/endpoint.py: the process that asks the model has ended": "tests/e2e/test_chat.py",
    "agent/session.py: this session keeps its memory the {} way": "tests/agent/test_session.py",
    "agent/session.py: the compaction was given up": "tests/agent/test_session.py",
    "agent/watching.py: the watcher did not start within {} s": "tests/agent/test_watching.py",
    "commands/chat.py: _failed()": "tests/e2e/test_chat.py",
    "commands/watch.py: _project()": "tests/hosts/test_openclaw.py",
    "commands/packed.py: nothing here can decompress {}": "tests/commands/test_packed.py",
    "commands/service.py: systemd does not run for this user: {}": "tests/cli/test_service.py",
    "commands/service.py: systemctl {} failed: {}": "tests/cli/test_service.py",
    "commands/service.py: launchctl is not there": "tests/cli/test_service.py",
    "commands/service.py: launchctl bootstrap failed: {}": "tests/cli/test_service.py",
    "commands/session_file.py: {} holds something else": "tests/commands/test_session_file.py",
    "commands/stop.py: process {} has not ended yet": "tests/commands/test_update.py",
    "commands/target.py: several transcripts here: {}": "tests/cli/test_what_to_try.py",
    "hosts/installation.py: {} was changed meanwhile": "tests/hosts/test_installation.py",
    "watch/spot.py: {} is being replaced": "tests/e2e/test_concurrent.py",
    "watch/taking.py: {} is being replaced: {}": "tests/commands/test_compact.py",
    "settings.py: {} is no valid TOML: {}": "tests/cli/test_what_to_try.py",
    "sidecar/lock.py: {} is already watched by {}": "tests/cli/test_what_to_try.py",
    "watch/ask.py: the daemon {} did not answer within {} s": "tests/cli/test_what_to_try.py",
    "watch/once.py: no memory of {} was made in {} s": "tests/watch/test_once.py",
}
"""Failures that need a service manager, a hanging process or a race, which no test makes by its will: the tests that
come nearest to them. What they offer is looked at here as words only."""


def packed_run(room: Path) -> Path:
    subprocess.run(["zstd", "-q", str(room / "run.jsonl")], check=True)
    return room / "run.jsonl.zst"


def damaged(room: Path) -> Path:
    (room / "bad.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"\x01" * 40)
    return room / "bad.jsonl.zst"


def spoken_to(room: Path) -> Path:
    """An OpenClaw session."""
    return rested(begin(named("openclaw"), room))  # type: ignore[arg-type]


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


def elsewhere(room: Path) -> Path:
    (room / "elsewhere").mkdir()
    (room / "elsewhere" / "empty").touch()
    return room / "elsewhere"


def broken(room: Path) -> Path:
    (room / "settings.json").write_text("{")
    return room


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


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one transcript; `memcli` is on PATH."""
    rested(session_file(tmp_path / "run.jsonl"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "memcli").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m memcli "$@"\n')
    (tmp_path / "bin" / "memcli").chmod(0o755)
    for name in ("XDG_STATE_HOME", "TMPDIR"):  # a case may set them: they are then put back
        monkeypatch.setenv(name, os.environ.get(name, str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def looked_at(hint: str, how: str, room: Path) -> bool:
    """Whether what is offered is there to be done."""
    if how == "known":
        return are_known(hint)
    if how == "python":
        messages = [{"role": "user", "content": "mend the dam"}]
        eval(hint, {"memcli": memcli, "messages": messages, "session": untouched(room)})
        return True
    if how == "given":
        return hint == "npm install -g client"
    paths = {**environment(), "PATH": f"{room / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", hint], env=paths, capture_output=True, text=True, check=False, timeout=60)
    return ran.returncode == 0 or (how == "looks" and ran.returncode not in (126, 127))


def are_known(hint: str) -> bool:
    """True if the words after `memcli` are a verb and options that it takes."""
    words = shlex.split(hint, comments=True)
    words = [word for word in words[words.index("memcli") + 1 :] if word != "&"]
    if words[0] == "x":
        return True  # a verb that is known only when it happens
    command = PROGRAM.commands[words[0]]
    return words[1:] == ["--help"] or bool(command.make_context("memcli", words[1:]))


@pytest.mark.parametrize("name", CASES)
def test_what_a_failure_offers_can_be_done(name: str, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        if "neither systemd" in name:
            patch.setenv("PATH", str(room))
        with pytest.raises(MemcliError) as caught:
            CASES[name].make(room)
    assert spoke(name, caught.value.sentence, caught.value.hint)
    assert looked_at(caught.value.hint, CASES[name].look, room), str(caught.value)


def test_every_failure_of_the_source_has_its_test() -> None:
    assert set(sites()) - {*CASES, *ELSEWHERE, *test_what_to_try.PLACES} == set()


def test_no_test_is_of_a_failure_that_is_gone() -> None:
    assert {*CASES, *ELSEWHERE, *test_what_to_try.PLACES} - set(sites()) == set()


def test_the_failures_of_the_table_are_made_there() -> None:
    assert set(test_what_to_try.PLACES.values()) <= {*test_what_to_try.STATES, *test_what_to_try.WATCHES}
    assert all((ROOT / path).is_file() for path in ELSEWHERE.values())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_the_others_offer_is_known(name: str) -> None:
    """As far as it stands in the source."""
    for site in sites()[name]:
        hint = site.hint.replace("{}", "x")
        if hint.startswith("memcli "):
            assert are_known(hint)
        elif hint.startswith("pip install"):
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert "zstd" in extras
        else:
            assert hint.split()[0] in ("journalctl", "launchctl", "cat", "x", "export", "memcli.Session(x,")
