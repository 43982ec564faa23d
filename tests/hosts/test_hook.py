"""`memcli hook` as the client runs it: a process, facts on stdin, an answer on stdout, and never a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from memcli.hosts import claude_code, hook
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.transcript.encode.common import HANDED
from tests.cli.command import environment, memcli
from tests.commands.states import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.client import Client

NOTHING = (0, "", "")


@pytest.fixture(autouse=True)
def watched(client: Client) -> Iterator[None]:
    """Somebody watches already: no test here starts a watcher."""
    path = claude_code.lock_file(client.folder)
    path.parent.mkdir(parents=True)
    with Lock.acquire(path, "update", time.time()):  # no daemon: nobody is to be signalled
        yield


def context(client: Client, source: str) -> str:
    """What a session start hands to the model."""
    ran = client.hook("session-start", source=source)
    assert (ran.code, ran.err) == (0, "")
    if not ran.out:
        return ""
    told = json.loads(ran.out)["hookSpecificOutput"]
    assert told["hookEventName"] == "SessionStart"
    return str(told["additionalContext"])


@pytest.mark.parametrize("source", ["compact", "resume"])
def test_the_memory_is_handed_back(client: Client, source: str) -> None:
    memory = Place.of(remembered(client.session())).memory
    text = context(client, source)
    assert "please do step 0 of the plan" in text
    assert str(memory) in text
    assert len(text) <= 10_000


@pytest.mark.parametrize("source", ["startup", "clear", "something new"])
def test_a_fresh_session_is_told_nothing(client: Client, source: str) -> None:
    remembered(client.session())
    assert context(client, source) == ""


@pytest.mark.parametrize("source", ["compact", "resume"])
def test_without_a_memory_nothing_is_said(client: Client, source: str) -> None:
    client.session()
    assert context(client, source) == ""


def test_a_session_that_begins_with_its_memory_is_not_told_it_again(client: Client) -> None:
    remembered(client.session())
    small = memcli("compact", "-q", client.transcript).out
    client.transcript.write_text(small)
    remembered(client.transcript)
    assert context(client, "resume") == ""
    assert context(client, "compact") != ""


def test_what_was_handed_back_stays_until_the_next_compaction(client: Client) -> None:
    remembered(client.session())
    text = context(client, "compact")
    record = {"type": "attachment", "uuid": "u", "attachment": {"type": "hook_additional_context", "content": [text]}}
    with client.transcript.open("a") as file:
        file.write(json.dumps(record) + "\n")
    assert context(client, "resume") == ""
    assert context(client, "compact") == text


def test_a_compaction_right_after_a_resume_finds_it_handed_back(client: Client) -> None:
    remembered(client.session())
    assert context(client, "resume")
    assert context(client, "compact") == ""
    assert context(client, "compact")


def test_the_clients_own_summary_is_told_what_to_keep(client: Client) -> None:
    remembered(client.session())
    ran = client.hook("pre-compact", trigger="manual", custom_instructions=None)
    assert ran.out.startswith(hook.INSTRUCTIONS)
    assert "please do step 0 of the plan" in ran.out
    assert "## Current State" not in ran.out
    assert len(ran.out) <= 5_000


def test_words_of_any_language_are_told_in_any_locale(client: Client) -> None:
    path = client.session()
    path.write_bytes(path.read_bytes().replace(b"please do step 0", "die Mühle, 水車".encode()))
    remembered(path)
    assert "die Mühle, 水車" in client.hook("pre-compact", env={"PYTHONIOENCODING": "latin-1"}).out


def test_a_watcher_that_cannot_be_asked_keeps_nothing_from_the_client(client: Client) -> None:
    remembered(client.session())
    claude_code.lock_file(client.folder).write_text("")
    assert client.hook("pre-compact").out.startswith(hook.INSTRUCTIONS)
    assert "pre-compact: ValueError" in client.log


def test_what_a_hook_said_is_not_remembered_and_not_kept(client: Client) -> None:
    """The memory comes back in the transcript, as an attachment and as the output of the command."""
    path = remembered(client.session())
    told = context(client, "compact").replace("step 0", "step ninety-nine")
    shown = f"<local-command-stdout>Compacted\nPreCompact: {hook.INSTRUCTIONS}step ninety-nine</local-command-stdout>"
    leaf = json.loads(path.read_bytes().splitlines()[-1])["uuid"]
    here = {"parentUuid": leaf, "timestamp": "2026-05-04T11:00:00.000Z", "isSidechain": False}
    with path.open("a") as file:
        handed = {"type": "hook_additional_context", "content": [told], "hookEvent": "SessionStart"}
        file.write(json.dumps({"type": "attachment", "uuid": "a1", **here, "attachment": handed}) + "\n")
        here["parentUuid"] = "a1"
        file.write(
            json.dumps({"type": "user", "uuid": "a2", **here, "message": {"role": "user", "content": shown}}) + "\n"
        )
    remembered(path)
    assert "ninety-nine" not in Place.of(path).memory.read_text()
    compacted = memcli("compact", "-q", path).out
    assert hook.CONTEXT.partition("\n")[2][:40] not in compacted


def test_a_file_that_holds_the_mark_of_our_hooks_is_kept(client: Client) -> None:
    """Somebody who works on memcli itself has it in files."""
    path = client.session()
    leaf = json.loads(path.read_bytes().splitlines()[-1])["uuid"]
    here = {"parentUuid": leaf, "timestamp": "2026-05-04T11:00:00.000Z", "isSidechain": False}
    shown = {"type": "file", "filename": "hook.py", "content": {"type": "text", "text": f"{HANDED} dam_height"}}
    with path.open("a") as file:
        file.write(json.dumps({"type": "attachment", "uuid": "a1", **here, "attachment": shown}) + "\n")
        here["parentUuid"] = "a1"
        said = {"role": "user", "content": f"why is {HANDED} in it?"}
        file.write(json.dumps({"type": "user", "uuid": "a2", **here, "message": said}) + "\n")
    remembered(path)
    compacted = memcli("compact", "-q", path).out
    assert "dam_height" in compacted
    assert f"why is {HANDED} in it?" in Place.of(path).memory.read_text()


BROKEN = {
    "no JSON": b"{",
    "nothing": b"",
    "another value": b"[1]",
    "no transcript": b"{}",
    "a path that leads nowhere": b'{"transcript_path": "run.jsonl"}',
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("stdin", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("event", [*hook.EVENTS, "something-new"])
def test_nothing_breaks_the_client(client: Client, event: str, stdin: bytes) -> None:
    assert client.fed(event, stdin) == NOTHING


def test_a_damaged_head_is_logged_and_nothing_said(client: Client) -> None:
    place = Place.of(remembered(client.session()))
    (place.sidecar / "head").write_bytes(b"memcli-head 1 2 3\nxx")
    assert client.hook("session-start", source="compact") == NOTHING
    assert "session-start: ValueError" in client.log


def test_a_project_that_cannot_be_written_breaks_nothing(client: Client, own_home) -> None:
    gone = client.project / "file"
    gone.write_text("")
    assert client.hook("session-start", source="startup", transcript_path=str(gone / "x" / "y.jsonl")) == NOTHING
    assert list((own_home).rglob("hook.log"))


def test_in_a_client_that_summarizes_for_us_nothing_is_done(client: Client) -> None:
    remembered(client.session())
    assert client.hook("session-start", source="compact", env={hook.SUMMARIZING: "1"}) == NOTHING


def test_a_program_that_writes_for_us_knows_that_it_does(client: Client) -> None:
    """It may be a client that runs our hooks."""
    path = client.session()
    seen = client.project / "seen"
    memcli("update", "-q", path, "--command", f"sh -c 'printenv {hook.SUMMARIZING} > {seen}'")
    assert seen.read_text() == "1\n"


def test_an_answer_that_nobody_reads_is_no_failure(client: Client) -> None:
    remembered(client.session())
    reader, writer = os.pipe()
    os.close(reader)
    facts = json.dumps({"transcript_path": str(client.transcript), "source": "compact"}).encode()
    line = [sys.executable, "-m", "memcli", "hook", "session-start"]
    done = subprocess.run(line, input=facts, stdout=writer, stderr=subprocess.PIPE, env=environment(), check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_heavy_is_loaded(client: Client) -> None:
    remembered(client.session())
    program = "import sys; from memcli.__main__ import main; main(); print(*sys.modules, file=sys.stderr)"
    facts = json.dumps({"transcript_path": str(client.transcript), "source": "compact"}).encode()
    line = [sys.executable, "-c", program, "hook", "session-start"]
    done = subprocess.run(line, input=facts, capture_output=True, env=environment(), check=False)
    loaded = {name.partition(".")[0] for name in done.stderr.decode().split()}
    assert "additionalContext" in done.stdout.decode()
    assert not loaded & {"typer", "msgspec", "pathlib", "subprocess", "platformdirs", "typing", "tempfile", "rich"}


def test_a_person_is_told_what_it_is_for() -> None:
    ran = memcli("hook")
    assert (ran.code, ran.err.splitlines()[1]) == (2, "Try: memcli install claude-code --dry-run")
