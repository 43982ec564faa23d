"""What cannot work says why and what to try, in two lines, with the promised exit code."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.builders import session, session_file
from tests.cli.command import command, environment, fails, memcli
from tests.cli.hints import of
from tests.cli.offers import said

READERS = ["update", "compact", "status", "compare"]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde" * 9
FILES = {
    "pretty.jsonl": (b'{\n  "messages": [\n    {"role": "user", "content": "hi"}\n  ]\n}\n', "pretty-printed JSON"),
    "array.jsonl": (b'[{"role": "user", "content": "hi"}]\n', "one JSON array"),
    "run.traj": (b'{"trajectory": [], "history": [], "info": {}}\n', "SWE-agent trajectory"),
    "pic.png": (PNG, "binary file"),
    "notes.txt": (b"hello\nworld\n", "no JSON lines"),
    "packed.jsonl": (b"\x28\xb5\x2f\xfd" + b"\x01" * 40, "compressed with zstd"),
}


@pytest.mark.parametrize("verb", READERS)
def test_a_path_that_is_not_there(verb, tmp_path, person):
    code, sentence = fails(person.types(None, verb, tmp_path / "none.jsonl"))
    assert (code, sentence) == (3, f"no such file: {tmp_path / 'none.jsonl'}")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_transcript_is_named_for_what_it_is(name, tmp_path, person):
    data, kind = FILES[name]
    (tmp_path / name).write_bytes(data)
    code, sentence = fails(person.types(None, "compact", tmp_path / name))
    assert code == 1
    assert kind in sentence
    assert "supported are JSONL transcripts" in sentence


@pytest.mark.parametrize("verb", READERS)
def test_an_empty_file_holds_nothing_yet(verb, tmp_path, person):
    (tmp_path / "run.jsonl").touch()
    code, _ = fails(person.types(None, verb, tmp_path / "run.jsonl"))
    assert code == 3


@pytest.mark.parametrize("verb", READERS)
def test_a_directory_is_no_transcript(verb, tmp_path, person):
    code, sentence = fails(person.types(None, verb, tmp_path))
    assert code == 1
    assert "is a directory" in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path, person):
    session_file(tmp_path / "run.jsonl").chmod(0)
    code, sentence = fails(person.types(None, "compact", tmp_path / "run.jsonl"))
    assert code == 1
    assert "no access" in sentence


@pytest.mark.parametrize("verb", ["show", "history"])
def test_nothing_to_show_without_a_memory(verb, tmp_path, person):
    code, _ = fails(person.types(None, verb, session_file(tmp_path / "run.jsonl")))
    assert code == 3


def test_nobody_to_stop(tmp_path, person):
    code, sentence = fails(person.types(None, "stop", session_file(tmp_path / "run.jsonl")))
    assert (code, sentence) == (3, f"nobody watches {tmp_path / 'run.jsonl'}")


@pytest.mark.parametrize(
    "words",
    [
        ["--keep-turns", "1", "--keep-tokens", "2"],
        ["--to", "html"],
        ["--in-place", "-o", "x"],
        ["--keep-turns", "many"],
        ["--nonsense"],
    ],
)
def test_options_that_make_no_sense_are_a_usage_error(words, tmp_path, person):
    path = session_file(tmp_path / "run.jsonl")
    code, _ = fails(person.types(None, "compact", path, *words))
    assert code == 2
    assert path.read_bytes() == session("claude-code")


def test_an_unknown_verb_is_a_usage_error(person):
    assert person.types(None, "summarise").code == 2


def test_watching_in_a_directory_that_is_not_there(tmp_path):
    code, sentence = fails(memcli("watch", tmp_path / "no" / "run.jsonl"))
    assert code == 3
    assert "no such directory" in sentence


def test_a_budget_that_is_too_small_is_refused(tmp_path, person):
    assert person.types(None, "compact", session_file(tmp_path / "run.jsonl"), "--budget", 10).code == 2


@pytest.mark.parametrize("ready", [False, True], ids=["made now", "ready"])
def test_a_closed_pipe_ends_quietly(tmp_path, ready):
    """`memcli compact run.jsonl | head -c 1`"""
    path = session_file(tmp_path / "run.jsonl", turns=3, output="x" * 400_000)
    if ready:
        memcli("update", path)
    words = command("compact", path, "-q", "--keep-tokens", 10**8)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_ctrl_c_ends_quietly_with_130(tmp_path):
    words = command("compact", "-")
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        process.stdin.write(b"{" * 3_000_000)  # it reads while we write: the handlers stand
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


@of("edge.py: the current directory was removed")
@pytest.mark.parametrize(
    "words", [["status"], ["install", "claude-code", "--project"], ["service", "install", "x.jsonl"]]
)
def test_a_directory_that_was_removed_is_no_bug(words, tmp_path, own_home, person, monkeypatch):
    own_home.mkdir()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    ran = person.types(None, *words)
    assert fails(ran) == (1, "the current directory was removed")
    assert person.pastes(tmp_path, said(ran.err)[1]).code == 0
    assert os.getcwd() == str(own_home)


@of("edge.py: there is no home directory: HOME does not name one")
@pytest.mark.parametrize("words", [["install", "claude-code", "--dry-run"], ["service", "install", "--dry-run"]])
def test_a_user_without_a_home_is_no_bug(words, tmp_path, person, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~")  # which is what it comes to for a user whom the system does not know
    ran = person.types(tmp_path, *words)
    assert fails(ran) == (1, "there is no home directory: HOME does not name one")
    assert person.pastes(tmp_path, said(ran.err)[1]).code == 0


def test_pages_of_no_verb_are_not_written(tmp_path, person):
    assert fails(person.types(tmp_path, "man", "nope", "-o", "pages"))[0] == 2
    assert not (tmp_path / "pages").exists()


def test_a_file_where_a_directory_is_needed_cannot_be_made_one(tmp_path, person, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    (tmp_path / "notes").touch()
    ran = person.types(tmp_path, "chat", "notes/talk.jsonl")
    assert fails(ran) == (3, "no such directory: notes")
    assert said(ran.err)[1] == "ls -ld ."


def test_what_to_try_is_of_the_verb_that_was_typed(tmp_path, person, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    ran = person.types(tmp_path, "chat", "talk.jsonl", "--base-url", "localhost:11434")
    assert said(ran.err)[1].startswith("memcli chat --backend anthropic --base-url http://")


def test_where_nothing_was_installed_and_no_state_can_be_there_uninstall_has_nothing_to_say(
    tmp_path, person, monkeypatch
):
    (tmp_path / "in the way").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "in the way" / "state"))
    assert person.types(tmp_path, "uninstall", "claude-code", "-q") == (0, "", "")
