"""`memcli compact` as a new session of the client: where it lies, what it is called, how it is resumed."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from memcli.hosts import claude_code
from tests.builders import MARK, is_tail, session_file
from tests.cli.command import Ran, environment, fails, memcli
from tests.cli.terminal import Terminal
from tests.commands.states import remembered
from tests.hosts.client import SESSION, Client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def client(tmp_path: Path) -> Client:
    made = Client(tmp_path / "project")
    remembered(made.session())
    return made


def compact(client: Client, *more: object) -> Ran:
    return memcli("compact", "--session", *more, cwd=client.project)


def made(client: Client, ran: Ran) -> Path:
    """The new session, by the one line that was printed."""
    assert ran.code == 0, ran.err
    claude, resume, name = ran.out.split()
    assert (claude, resume) == ("claude", "--resume")
    return client.folder / f"{name}.jsonl"


def test_a_new_session_lies_in_the_clients_folder(client: Client) -> None:
    before = client.transcript.read_bytes()
    path = made(client, compact(client))
    assert is_tail("claude-code", path.read_bytes(), before)
    assert {json.loads(line)["sessionId"] for line in path.read_bytes().splitlines()} == {path.stem}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert client.transcript.read_bytes() == before


def test_what_was_done_is_said_on_stderr(client: Client) -> None:
    assert "messages, ~" in compact(client).err
    assert compact(client, "-q").err == ""


def test_repeating_names_the_same_session(client: Client) -> None:
    path = made(client, compact(client))
    before = path.read_bytes()
    assert made(client, compact(client)) == path
    assert path.read_bytes() == before


def test_it_is_not_the_newest_until_somebody_goes_on_in_it(client: Client) -> None:
    path = made(client, compact(client))
    assert claude_code.newest_session(client.project) == client.transcript
    with path.open("ab") as file:
        file.write(b"\n")
    assert claude_code.newest_session(client.project) == path


def test_one_that_was_gone_on_in_is_left_as_it_is(client: Client) -> None:
    path = made(client, compact(client))
    grown = path.read_bytes() + b'{"type":"mode"}\n'
    path.write_bytes(grown)
    assert made(client, compact(client, client.transcript)) == path
    assert path.read_bytes() == grown


def test_another_tail_of_the_same_moment_is_another_session(client: Client) -> None:
    first, other = made(client, compact(client)), made(client, compact(client, "--keep-turns", 0))
    assert first != other
    assert first.read_bytes() != other.read_bytes()


def test_what_lies_elsewhere_goes_into_the_project_of_this_directory(client: Client, tmp_path: Path) -> None:
    path = session_file(tmp_path / "copy.jsonl")
    assert MARK in made(client, compact(client, path)).read_text()


def test_from_another_directory_the_way_is_told(client: Client, tmp_path: Path) -> None:
    ran = memcli("compact", "--session", client.transcript, cwd=tmp_path)
    assert ran.out.startswith(f"cd {client.project} && claude --resume ")


def test_a_pipeline_still_gets_the_transcript(client: Client) -> None:
    ran = memcli("compact", cwd=client.project)
    assert is_tail("claude-code", ran.out.encode(), client.transcript.read_bytes())
    assert [path.stem for path in client.folder.glob("*.jsonl")] == [SESSION]


def test_at_a_terminal_the_session_is_what_is_meant(client: Client) -> None:
    terminal = Terminal("compact", cwd=client.project)
    assert terminal.shows(r"claude --resume [0-9a-f-]{36}")
    assert terminal.end() == 0


def test_resuming_becomes_the_client(client: Client, tmp_path: Path) -> None:
    stand_in = tmp_path / "bin" / "claude"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "this is $1 $2 in $PWD"\n')
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{environment()['PATH']}"
    terminal = Terminal("compact", client.transcript, "--resume", PATH=path)
    assert terminal.shows(rf"this is --resume [0-9a-f-]{{36}} in {client.project}")
    assert terminal.end() == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--session", "--in-place"), "--session and --resume put the result where the client looks for it"),
        (("--session", "-o", "x"), "--session and --resume put the result where the client looks for it"),
        (("--resume", "--to", "messages"), "--session and --resume put the result where the client looks for it"),
        (("--resume",), "--resume needs a terminal to go on in"),
    ],
)
def test_what_makes_no_sense_is_said(client: Client, words: tuple[str, ...], sentence: str) -> None:
    assert fails(memcli("compact", *words, cwd=client.project)) == (2, f"{sentence}")


def test_other_formats_are_no_sessions_of_the_client(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl", "openai")
    code, sentence = fails(memcli("compact", path, "--session", cwd=tmp_path))
    assert (code, sentence) == (2, f"{path} is no session of Claude Code, Codex, pi or OpenClaw, which resume files")
