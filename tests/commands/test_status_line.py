"""One line for a status bar, of the end of a transcript alone; and nothing where there is nothing to tell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from memcli.commands.standing import standing_of
from memcli.commands.status_line import LOOKED_AT, status_line
from tests.builders import FORMATS, session, session_file
from tests.cli.command import environment, memcli
from tests.commands.states import grown, remembered, rested, watched

LONG = "the wheel turns and the water runs; " * 60


@pytest.fixture
def line(capsys):
    """The line of a transcript, which is one line or nothing."""

    def told(*path: object) -> str:
        capsys.readouterr()
        assert status_line(*path) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert out == "" or out.index("\n") == len(out) - 1
        return out.rstrip("\n")

    return told


@pytest.mark.parametrize("format", FORMATS)
def test_it_tells_the_context_and_the_age_of_the_memory(tmp_path, line, format):
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    assert re.fullmatch(r"~?\d+ \| memory \ds old", line(path))


def test_without_a_memory_it_says_so(tmp_path, line):
    assert line(session_file(tmp_path / "run.jsonl")).endswith(" | no memory")


def test_who_watches_is_told_by_a_word(tmp_path, line):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    with watched(path):
        assert line(path).endswith(" | watched")


def test_the_limit_of_the_settings_tells_how_full_the_context_is(tmp_path, line, monkeypatch):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 8, output=LONG)
    monkeypatch.setenv("MEMCLI_CONTEXT_LIMIT", "10000")
    tokens, percent = re.match(r"~(\d+)k/10k (\d+)%", line(path)).groups()
    assert abs(int(percent) - 10 * int(tokens)) <= 5


def test_what_the_memory_does_not_cover_is_told_from_a_thousand_tokens_on(tmp_path, line):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    grown(path)
    assert "behind" not in line(path)
    with path.open("ab") as file:
        file.write(session("claude-code", 6, output=LONG))
    assert re.search(r"old, \d+k behind$", line(path))


def test_a_memory_of_another_transcript_is_named_as_such(tmp_path, line):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    session_file(path, "pi", 9)
    assert line(path).endswith(" | memory of another transcript")


def test_a_long_transcript_without_counts_is_estimated_from_its_end(tmp_path, line):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 250, output=LONG)
    assert path.stat().st_size > 2 * LOOKED_AT[0]
    whole = standing_of(path).session.reading.estimated
    assert abs(int(re.match(r"~(\d+)k", line(path))[1]) * 1000 - whole) < whole / 20


def test_what_is_not_covered_is_estimated_where_more_is_new_than_is_read(tmp_path, line):
    path = remembered(session_file(tmp_path / "run.jsonl", "anthropic"))
    with path.open("ab") as file:
        file.write(session("anthropic", 250, output=LONG))
    behind = standing_of(path).session.reading.estimated
    assert path.stat().st_size > 2 * LOOKED_AT[0]
    assert abs(int(re.search(r"(\d+)k behind", line(path))[1]) * 1000 - behind) < behind / 10


def test_of_several_transcripts_here_the_one_written_to_last_is_meant(tmp_path, line, monkeypatch):
    remembered(session_file(tmp_path / "old.jsonl"))
    rested(session_file(tmp_path / "other.jsonl"))
    monkeypatch.chdir(tmp_path)
    os.utime(tmp_path / "old.jsonl")
    assert line().endswith("s old")
    rested(tmp_path / "old.jsonl")
    os.utime(tmp_path / "other.jsonl")
    assert line().endswith("no memory")


def test_claude_code_names_transcript_and_window_on_stdin(tmp_path):
    path = session_file(tmp_path / "run.jsonl")
    said = {"transcript_path": str(path), "context_window": {"context_window_size": 1000}}
    ran = memcli("status", "--line", "-", stdin=json.dumps(said).encode())
    assert (ran.code, ran.err) == (0, "")
    assert re.match(r"~?\d+/1k \d+% \| no memory\n", ran.out)


@pytest.mark.parametrize("content", [b"", b"{", b"no JSON\n", b"\x00\xff\n", None])
def test_whatever_stands_there_it_does_not_fail(tmp_path, line, content):
    path = tmp_path / "run.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert line(path) == ""


@pytest.mark.parametrize("said", [b"", b"[]", b'{"transcript_path": 7}', b'{"transcript_path": "/no/such"}'])
def test_whatever_stands_on_stdin_it_does_not_fail(said):
    assert memcli("status", "--line", "-", stdin=said) == (0, "", "")


def test_with_other_options_it_is_the_same_line(tmp_path):
    """The door has a short way for the usual arguments."""
    path = session_file(tmp_path / "run.jsonl")
    assert memcli("status", path, "--line") == memcli("status", "--line", path)


@pytest.mark.parametrize("words", [["status", "--line", "run.jsonl"], ["status", "--line"]])
def test_nothing_heavy_is_loaded_for_it(tmp_path, words):
    """A status bar asks every few seconds."""
    remembered(session_file(tmp_path / "run.jsonl"))
    argv = [sys.executable, "-X", "importtime", "-m", "memcli", *words]
    ran = subprocess.run(argv, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    loaded = {one.rpartition("|")[2].strip() for one in ran.stderr.splitlines()}
    assert "old" in ran.stdout
    assert {"msgspec", "memcli.head"} <= loaded
    assert not loaded & {"typer", "pydantic", "memcli.session", "memcli.watch.loop", "asyncio"}
