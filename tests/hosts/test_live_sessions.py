"""Which sessions `watch --claude-code` follows."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from memcli.errors import AlreadyWatched
from memcli.hosts import claude_code, known
from memcli.hosts.claude_code import LiveSessions
from memcli.hosts.own import OWN_WORDS
from memcli.hosts.source import LIVE_SECONDS
from memcli.summarize.prompt import piece
from tests.builders import Script
from tests.hosts.client import SESSION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.client import Client

OTHER = "22222222-2222-4222-8222-222222222222"


def rest(path: Path, seconds: float = LIVE_SECONDS + 60) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def live(client: Client) -> set[Path]:
    return LiveSessions(client.folder).paths()


def test_a_session_that_is_written_to_is_live_and_an_old_one_is_not(client: Client) -> None:
    path = client.session()
    rest(client.session(name=OTHER))
    assert live(client) == {path}


def test_one_that_a_client_has_open_is_live_however_old(client: Client) -> None:
    path = rest(client.session())
    client.runs()
    assert live(client) == {path}


def test_a_client_that_is_gone_has_nothing_open(client: Client) -> None:
    rest(client.session())
    client.runs(pid=2**22 - 7)
    assert live(client) == set()


@pytest.mark.parametrize("said", ["", "{", "[]", '{"pid": "x", "sessionId": 1}', '{"sessionId": null}'])
def test_notes_of_clients_that_make_no_sense_are_passed_over(client: Client, said: str) -> None:
    path = client.session()
    place = claude_code.config_dir() / "sessions"
    place.mkdir(parents=True)
    (place / "1.json").write_text(said)
    assert live(client) == {path}


def test_sub_agents_and_our_own_files_are_no_sessions(client: Client) -> None:
    path = client.session()
    below = client.folder / SESSION / "subagents"
    below.mkdir(parents=True)
    (below / "agent-1.jsonl").write_bytes(path.read_bytes())
    (client.folder / f"{SESSION}.compacted.jsonl").write_bytes(path.read_bytes())
    assert live(client) == {path}


def test_a_session_of_our_own_summarizer_is_none(client: Client) -> None:
    client.session()
    question = f"{piece('system')}\n\nThe conversation."
    client.transcript.write_bytes(Script("claude-code").prompt(question).say("Notes.").data)
    assert live(client) == set()
    assert known.newest_session(client.project) is None


@pytest.mark.parametrize("quoted", [json.dumps({"content": piece("system")}), piece("system")])
def test_a_session_that_only_quotes_our_prompt_is_one(client: Client, quoted: str) -> None:
    client.session()
    client.transcript.write_bytes(Script("claude-code").prompt("read it").round("Reading.", "cat x", quoted).data)
    assert live(client) == {client.transcript}


def test_our_prompt_begins_with_the_words_we_look_for() -> None:
    assert piece("system").replace("\n", " ").encode().startswith(OWN_WORDS)


def test_all_projects_are_followed_together(client: Client, tmp_path: Path) -> None:
    from tests.hosts.client import Client

    there = Client(tmp_path / "another")
    assert LiveSessions(None).paths() == set()
    assert LiveSessions(None).paths() | {client.session(), there.session()} == LiveSessions(None).paths()


def test_a_source_has_one_watcher(client: Client) -> None:
    with LiveSessions(client.folder).acquire(time.time()):
        with pytest.raises(AlreadyWatched, match="of this project are already watched by process") as caught:
            LiveSessions(client.folder).acquire(time.time())
        assert caught.value.code == 5
        with LiveSessions(None).acquire(time.time()):
            pass


def test_a_folder_of_sessions_stands_for_its_project(client: Client) -> None:
    client.session()
    assert claude_code.project_dir(client.folder) == client.folder


def test_a_command_of_the_client_means_its_own_session(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path, newer = rest(client.session()), client.session(name=OTHER)
    assert known.newest_session(client.project) == newer
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", SESSION)
    assert known.newest_session(client.project) == path
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "unknown")
    assert known.newest_session(client.project) == newer
