"""Every failure names a command that works: here it is run, as a person would paste it.

The transcript has a blank in its name, and the commands run in another directory than the one it lies in.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.watch import ask
from tests.builders import session, session_file
from tests.cli.hints import of, spoke
from tests.cli.offers import said
from tests.commands.states import grown, remembered, rested

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(tmp_path):
    (tmp_path / "room").mkdir()
    return rested(session_file(tmp_path / "room" / "my run.jsonl"))


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def bare(path: Path) -> None:
    """No memory yet."""


def empty(path: Path) -> None:
    path.write_bytes(b"")


def among_others(path: Path) -> None:
    """Beside files that are no transcripts, or none yet."""
    path.with_name("a.jsonl").write_text('{"id": 1}\n')
    path.with_name("yours.jsonl").touch()


def stale(path: Path) -> None:
    grown(remembered(path))


def foreign(path: Path) -> None:
    session_file(remembered(path), "pi")


def batch(path: Path) -> None:
    talk = json.dumps({"messages": [json.loads(line) for line in session("openai").splitlines()]})
    path.write_text(f"{talk}\n{talk}\n")


def pretty(path: Path) -> None:
    talk = [json.loads(line) for line in session("anthropic").splitlines()]
    path.write_text(json.dumps({"messages": talk}, indent=2))


def packed(path: Path) -> None:
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


STATES: dict[str, tuple[Callable[[Path], None], list[str], int]] = {
    "show without a memory": (bare, ["show", "{run}"], 3),
    "show of pretty-printed JSON": (pretty, ["show", "{run}"], 1),
    "check of a stale memory": (stale, ["update", "--check", "{run}"], 4),
    "update of many conversations": (batch, ["update", "{run}"], 2),
    "update of a line that is not there": (batch, ["update", "{run}", "--line", "7"], 3),
    "update of a packed file": (packed, ["update", "{run}.gz"], 1),
    "update of pretty-printed JSON": (pretty, ["update", "{run}"], 1),
    "history without a memory": (bare, ["history", "{run}"], 3),
    "check without a memory": (bare, ["update", "--check", "{run}"], 3),
    "check of a foreign memory": (foreign, ["update", "--check", "{run}"], 4),
    "a line of a transcript": (bare, ["update", "{run}", "--line", "1"], 2),
    "a value of the wrong kind": (bare, ["update", "{run}", "--budget", "many"], 2),
    "a verb nobody knows": (bare, ["summarise", "{run}"], 2),
    "output over the transcript": (bare, ["compact", "{run}", "-o", "{run}"], 2),
    "an option nobody knows": (bare, ["compact", "{run}", "--nonsense"], 2),
    "a budget too small": (bare, ["update", "{run}", "--budget", "10"], 2),
    "a transcript that is not there": (bare, ["compact", "{run}x"], 3),
    "a transcript that is not there among others": (among_others, ["compact", "{room}/your.jsonl"], 3),
    "a directory to show": (remembered, ["show", "{room}"], 1),
    "a directory to compact": (bare, ["compact", "{room}"], 1),
    "a directory with others to compact": (among_others, ["compact", "{room}"], 1),
    "another format than there is": (bare, ["compact", "{run}", "--to", "xml"], 2),
    "two tails": (bare, ["compact", "{run}", "--keep-turns", "1", "--keep-tokens", "1"], 2),
    "a tail of less than nothing": (bare, ["compact", "{run}", "--keep-turns", "-1"], 2),
    "stdin in place": (bare, ["compact", "-", "--in-place"], 2),
    "many conversations in place": (batch, ["compact", "{run}", "--in-place"], 2),
    "stdin to be watched": (bare, ["watch", "-"], 2),
    "a file in a file to be watched": (bare, ["watch", "{run}/x.jsonl"], 3),
    "stdin where a place is needed": (bare, ["update", "-"], 2),
    "output in place": (bare, ["compact", "{run}", "--in-place", "-o", "x"], 2),
    "a session of another client": (batch, ["compact", "{run}", "--session"], 2),
    "undo of nothing": (remembered, ["undo", "{run}"], 3),
    "undo of an empty transcript": (empty, ["undo", "{run}"], 3),
    "a report nobody prints": (bare, ["schema", "nonsense"], 2),
    "a shell nobody completes in": (bare, ["completion", "tcsh"], 2),
    "a page nobody wrote": (bare, ["man", "nonsense"], 2),
    "a client nobody knows": (bare, ["install", "nonsense"], 2),
    "a service that is not there": (bare, ["service", "uninstall"], 3),
    "a service of what watch does not take": (bare, ["service", "install", "--nonsense"], 2),
    "a group without a verb": (bare, ["config", "nonsense"], 2),
    "two places to install in": (bare, ["install", "claude-code", "--project", "--user"], 2),
    "nobody to say yes": (bare, ["install", "claude-code", "--project", "--json"], 2),
    "a hook of nobody": (bare, ["hook"], 2),
    "a session elsewhere": (bare, ["compact", "{run}", "--session", "--in-place"], 2),
    "to resume where nobody is": (bare, ["compact", "{run}", "--resume"], 2),
    "an argument too many": (bare, ["where", "{run}", "{run}"], 2),
}


PLACES = {
    "commands/target.py: no session memory beside {}": "show without a memory",
    "commands/standing.py: no session memory beside {}": "check without a memory",
    "commands/standing.py: the memory beside {} is of another transcript": "check of a foreign memory",
    "commands/standing.py: the memory of {} is {} messages behind": "check of a stale memory",
    "commands/source.py: {} holds {} conversations, one a line": "update of many conversations",
    "commands/source.py: {} has no conversation at line {}": "update of a line that is not there",
    "commands/source.py: {} is one conversation, it has no line to choose": "a line of a transcript",
    "transcript/recognise.py: {} is compressed with {}": "update of a packed file",
    "transcript/recognise.py: {} is pretty-printed JSON, not JSONL": "update of pretty-printed JSON",
    "transcript/recognise.py: {} is empty": "an empty transcript",
    "edge.py: _complaint()": "a verb nobody knows",
    "settings.py: senseless()": "a budget too small",
    "commands/target.py: no such file: {}": "a transcript that is not there",
    "commands/target.py: {} needs a file: what comes on stdin has no place for a memory": "stdin where a place is needed",
    "commands/target.py: {} is a directory": "a directory to show",
    "commands/watch.py: stdin cannot be watched: it is compacted at its end": "stdin to be watched",
    "commands/compact.py: {} is a directory": "a directory to compact",
    "commands/compact.py: --to {}: there are `messages` and `markdown`": "another format than there is",
    "commands/compact.py: --keep-turns and --keep-tokens ask for two different tails": "two tails",
    "commands/compact.py: --keep-{} {}: a tail has no negative size": "a tail of less than nothing",
    "commands/compact.py: --in-place goes with a transcript's own format and place": "output in place",
    "commands/compact.py: -o {} is the transcript itself": "output over the transcript",
    "commands/compact.py: {} holds one conversation a line, no transcript": "many conversations in place",
    "commands/session_file.py: {} is no session of {}, which resume files": "a session of another client",
    "sidecar/backups.py: {} was not compacted in place": "undo of nothing",
    "commands/schema.py: there is no report {}": "a report nobody prints",
    "commands/completion.py: no completion for {}: there is bash, zsh and fish": "a shell nobody completes in",
    "commands/man.py: there is no verb {}": "a page nobody wrote",
    "commands/install.py: there is nothing to {} for {}": "a client nobody knows",
    "commands/install.py: --project and --user name two places": "two places to install in",
    "commands/install.py: nobody is there to say yes to this change": "nobody to say yes",
    "commands/hook.py: a client runs this, at one of {}; {} was given": "a hook of nobody",
    "commands/service.py: no service is installed: there is no {}": "a service that is not there",
    "commands/stop.py: nobody watches {}": "nobody to stop",
    "commands/update.py: {} is a directory": "a directory to update",
    "commands/watch.py: --project and --all go with --claude-code, --codex, --pi or --openclaw": "all sessions of nobody",
    "commands/watch.py: --project and --all ask for different sessions": "two kinds of sessions",
    "commands/watch.py: one watcher follows one host": "sessions of two clients",
    "commands/session_file.py: --session and --resume put the result where the client looks for it": "a session elsewhere",
    "commands/session_file.py: --resume needs a terminal to go on in": "to resume where nobody is",
}
"""Which of these failures a place in the source makes (`tests.cli.hints`)."""


@pytest.mark.parametrize("name", STATES)
def test_the_command_that_is_offered_works(name, run, elsewhere, person):
    prepare, words, code = STATES[name]
    prepare(run)
    failure = person.types(elsewhere, *(word.format(run=run, room=run.parent) for word in words))
    assert (failure.code, failure.out) == (code, "")
    sentence, hint = said(failure.err)
    assert all(spoke(place, sentence, hint) for place, state in PLACES.items() if state == name)
    assert person.pastes(elsewhere, hint).code == 0


WATCHES: dict[str, tuple[Callable[[Path], None], list[str], int]] = {
    "an empty transcript": (empty, ["update", "{run}"], 3),
    "show of an empty transcript": (empty, ["show", "{run}"], 3),
    "nobody to stop": (bare, ["stop", "{run}"], 3),
    "a directory to update": (bare, ["update", "{room}"], 1),
    "sessions of two clients": (bare, ["watch", "--codex", "--pi"], 2),
    "all sessions of nobody": (bare, ["watch", "{run}", "--all"], 2),
    "two kinds of sessions": (bare, ["watch", "--claude-code", "--all", "--project", "{room}"], 2),
}


@pytest.mark.parametrize("name", WATCHES)
def test_a_watcher_that_is_offered_starts(name, run, elsewhere, person):
    prepare, words, code = WATCHES[name]
    prepare(run)
    failure = person.types(elsewhere, *(word.format(run=run, room=run.parent) for word in words))
    assert (failure.code, failure.out) == (code, "")
    sentence, hint = said(failure.err)
    assert all(spoke(place, sentence, hint) for place, state in PLACES.items() if state == name)
    assert hint.startswith("memcli watch ")
    assert person.pastes(elsewhere, hint).code == 0


def test_after_what_was_offered_the_first_command_works(run, elsewhere, person):
    stale(run)
    check = ("update", "--check", run)
    person.pastes(elsewhere, said(person.types(elsewhere, *check).err)[1])
    assert person.types(elsewhere, *check) == (0, "", "")


@of("commands/target.py: several transcripts here: {}")
def test_of_several_transcripts_one_is_offered(run, person):
    session_file(run.with_name("other.jsonl"))
    run.with_name("an empty one.jsonl").touch()
    failure = person.types(run.parent, "update")
    assert failure.code == 2
    assert person.pastes(run.parent, said(failure.err)[1]).code == 0


@of("sidecar/lock.py: {} is already watched by {}")
def test_who_watches_is_shown_when_a_lock_is_in_the_way(run, elsewhere, person):
    remembered(run)
    with Lock.acquire(Place.of(run).lock, "watch", 0.0):
        failure = person.types(elsewhere, "compact", "--in-place", run)
        sentence, hint = said(failure.err)
        shown = person.pastes(elsewhere, hint)
    assert failure.code == 5
    assert sentence == f"my run.jsonl is already watched by process {os.getpid()} (watch)"
    assert f"process {os.getpid()} (watch)" in shown.out


@of("watch/ask.py: the daemon {} did not answer within {} s")
def test_a_daemon_that_is_too_slow_is_asked_with_more_patience(run, elsewhere, person):
    """We are the daemon: the first time it is deaf, then it answers."""
    place = Place.of(remembered(run))
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    with Lock.acquire(place.lock, "watch", 0.0):
        failure = person.types(elsewhere, "update", run, "--wait", "0", "-q")
        signal.signal(signal.SIGUSR1, lambda *_: ask.answer(place.sidecar, "is current"))
        again = person.pastes(elsewhere, said(failure.err)[1])
    signal.signal(signal.SIGUSR1, before)
    assert failure.code == 75
    assert (again.code, "is current" in again.err) == (0, True)


@of("settings.py: {} is no valid TOML: {}", "settings.py: {} cannot be read: {}")
@pytest.mark.parametrize("where", ["variable", "file", "broken file", "missing file"])
def test_a_setting_that_makes_no_sense_does_not_lock_its_owner_out(run, where, monkeypatch, person):
    if where == "variable":
        monkeypatch.setenv("MEMCLI_BUDGET", "none")
    elif where == "missing file":
        monkeypatch.setenv("MEMCLI_CONFIG", str(run.with_name("no.toml")))
    else:
        run.with_name("memcli.toml").write_text("budget = 'none'\n" if where == "file" else "budget = \n")
    failure = person.types(run.parent, "update", run)
    assert failure.code == 2
    assert person.pastes(run.parent, said(failure.err)[1]).code == 0


class Reader(io.StringIO):
    """Somebody at a terminal who says yes, after a while in which the client has written its settings."""

    def __init__(self, settings: Path) -> None:
        super().__init__("y\n")
        self.settings = settings

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:
        self.settings.parent.mkdir()
        self.settings.write_text("{}")
        sys.stderr.write("\n")  # the terminal shows the key that was pressed
        return super().readline(size)


@of("commands/install.py: _carry_out()")
def test_what_was_changed_while_a_person_read_the_plan_is_planned_anew_in_the_same_place(elsewhere, person):
    failure = person.types(
        elsewhere, "install", "claude-code", "--project", stdin=Reader(elsewhere / ".claude" / "settings.json")
    )
    assert failure.code == 75
    shown = person.pastes(elsewhere, said(failure.err)[1])
    assert (shown.code, str(elsewhere / ".claude") in shown.out) == (0, True)
