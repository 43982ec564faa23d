"""What the shell does to our streams: closed, full, cut off, interrupted."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest

from tests.builders import eventually, session, session_file
from tests.cli.command import Ran, command, environment
from tests.commands.states import remembered


@pytest.fixture
def run(tmp_path):
    return remembered(session_file(tmp_path / "run.jsonl"))


def shell(line: str, *args: object) -> Ran:
    """A line of bash in which `memcli` is followed by these arguments."""
    words = f"{shlex.join(command(*args))} {line}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, env=environment(), check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("words", [["show"], ["update"], ["compact", "--to", "messages"]])
def test_a_closed_stdout_is_no_bug_and_nothing_is_printed_into_our_files(run, words):
    """Else a file that is opened next gets the number of stdout."""
    before = run.read_bytes()
    ran = shell(">&-", *words, run)
    assert ran.code == 0
    assert "Error" not in ran.err
    assert run.read_bytes() == before


def test_a_closed_stderr_costs_the_words_and_not_the_work(tmp_path):
    path = session_file(tmp_path / "run.jsonl")
    assert shell("2>&-", "update", path) == (0, "", "")
    assert path.with_name("session-memory.md").exists()


def test_a_closed_stdin_is_an_empty_one():
    ran = shell("<&-", "compact", "-")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "Error: stdin is empty\nTry: memcli compact --help\n"


def test_a_dash_for_the_output_is_stdout(run):
    ran = shell("", "compact", "-q", "-o", "-", run)
    assert (ran.code, ran.out) == (0, shell("", "compact", "-q", run).out)
    assert not (run.parent / "-").exists()


@pytest.mark.parametrize("words", [["show"], ["where"], ["compact"], ["compact", "--to", "messages"]])
def test_a_full_disk_is_told_in_two_lines(run, words):
    ran = shell(">/dev/full", *words, run)
    assert ran.code == 1
    error, hint = ran.err.splitlines()[-2:]
    assert "no space left on device" in error.lower()
    assert hint.startswith("Try: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_while_it_reads_it_leaves_no_spool_behind(tmp_path, number, code):
    (tmp_path / "spools").mkdir()
    with subprocess.Popen(
        command("compact", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), "TMPDIR": str(tmp_path / "spools")},
    ) as process:
        assert process.stdin
        process.stdin.write(session("pi"))
        process.stdin.flush()
        assert eventually(lambda: os.listdir(tmp_path / "spools") != [])
        process.send_signal(number)
        assert process.wait() == code
        assert process.stderr.read() == b""
    assert os.listdir(tmp_path / "spools") == []


def test_a_bug_is_70_with_a_log_that_can_be_shown_and_no_traceback_on_the_terminal(run, tmp_path, own_home):
    """The bug is put in from outside, by a module that Python loads before any program."""
    (tmp_path / "sitecustomize.py").write_text(
        "import memcli.commands.where as verb\nverb.where = lambda *_, **__: 1 // 0\n"
    )
    words = [sys.executable, "-m", "memcli", "where", str(run)]
    paths = {**environment(), "PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}"}
    ran = subprocess.run(words, capture_output=True, text=True, env=paths, check=False)
    assert ran.returncode == 70
    error, hint = ran.stderr.splitlines()
    assert error.startswith("Error: memcli has a bug: ZeroDivisionError")
    log = subprocess.run(
        ["bash", "-c", hint.removeprefix("Try: ").partition("  (")[0]], capture_output=True, text=True, check=True
    )
    assert "ZeroDivisionError" in log.stdout
    assert str(own_home) not in log.stdout
