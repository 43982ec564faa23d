"""Any command as a writer: real processes, prompt in, text out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from memcli.summarize.backends.command import Command
from memcli.summarize.backends.processes import Group, end_all, words
from memcli.summarize.options import Options
from memcli.summarize.request import Failed, Request
from tests.builders import LIMITS, PATIENCE, eventually
from tests.summarize.scripts import REQUEST, alive, python

if TYPE_CHECKING:
    from pathlib import Path


def command(line: str, **options: Any) -> Command:
    return Command(Options(backend="command", command=line, **options))


def failed(line: str, request: Request = REQUEST, **options: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        command(line, **options).complete(request)
    return caught.value


def test_the_prompt_comes_on_stdin_and_the_answer_is_what_is_printed() -> None:
    reply = command("cat").complete(REQUEST)
    assert (reply.text, reply.model) == ("Write well.\n\nThe mill.", "cat")
    assert reply.usage.estimated
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0


def test_a_prompt_and_an_answer_of_megabytes_pass_each_other() -> None:
    """A program may write before it has read all: neither pipe may stop the other."""
    long = Request("", ({"role": "user", "content": "word " * 400_000},), 500)
    assert len(command("cat").complete(long).text) == 1_999_999


def test_a_program_that_reads_a_little_and_then_writes_much_is_not_waited_for_in_vain(tmp_path: Path) -> None:
    line = python(tmp_path, "import os; os.read(0, 5_000); print('x' * 1_000_000); os.read(0, 5_000)")
    long = Request("", ({"role": "user", "content": "word " * 400_000},), 500)
    assert len(command(line).complete(long).text) == 1_000_000


def test_a_program_need_not_read_its_prompt() -> None:
    long = Request("", ({"role": "user", "content": "word " * 400_000},), 500)
    assert command("echo done").complete(long).text == "done"


@pytest.mark.parametrize(
    ("line", "why", "permanent"),
    [
        ("sh -c 'echo first >&2; echo the model is away >&2; exit 3'", "exit code 3: the model is away", False),
        (f"{sys.executable} -c 'import os; os.kill(os.getpid(), 9)'", "was killed by signal 9", False),
        ("true", "printed nothing", False),
        ("sh -c 'exit 127'", "exit code 127", True),
        ("/nowhere/at/all", "cannot start all: No such file", True),
    ],
)
def test_what_went_wrong_is_one_sentence(line: str, why: str, permanent: bool) -> None:
    failure = failed(line).failure
    assert why in failure.sentence
    assert failure.permanent is permanent


def test_what_a_program_complains_of_is_cut_and_holds_no_secret() -> None:
    complaint = "sh -c 'echo key sk-ant-api03-" + "aB3x" * 20 + " " + "x" * 5_000 + " >&2; exit 1'"
    sentence = failed(complaint).failure.sentence
    assert "aB3x" not in sentence
    assert len(sentence) <= 300


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    line = python(
        tmp_path,
        f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
child.wait()
""",
    )
    noted = tmp_path / "pid"
    for seconds in LIMITS:
        assert f"did not answer within {seconds:g} s" in failed(line, timeout=seconds).failure.sentence
        if noted.exists() and noted.read_text():
            break
    pid = int(noted.read_text())
    assert eventually(lambda: not alive(pid))


def test_what_a_program_leaves_running_does_not_hold_its_answer_up() -> None:
    began = time.monotonic()
    assert command("sh -c 'sleep 600 & echo done'").complete(REQUEST).text == "done"
    assert time.monotonic() - began < PATIENCE


def test_a_program_that_prints_without_end_is_stopped() -> None:
    assert "printed more than" in failed("yes").failure.sentence


def test_the_environment_is_the_one_that_was_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILL", "turns")
    names = {line.partition("=")[0] for line in command("env").complete(REQUEST).text.splitlines()}
    assert "MILL" in names
    ours = {name for name in names - set(os.environ) if name.startswith(("ANTHROPIC", "MEMCLI", "CLAUDE"))}
    assert ours == {"MEMCLI_SUMMARIZING"}  # for our own hooks, if the command is a client that runs them


def test_text_that_is_no_utf8_is_text_all_the_same() -> None:
    assert command(r"printf '\377 yes'").complete(REQUEST).text == "\N{REPLACEMENT CHARACTER} yes"


@pytest.mark.parametrize("line", ["cat | tr a-z A-Z", "LOUD=1 cat", "echo $HOME", "cat > /dev/stderr", "a && b", "a;b"])
def test_a_line_that_needs_a_shell_gets_one(line: str) -> None:
    assert words(line) == ["/bin/sh", "-c", line]


@pytest.mark.parametrize("line", ["llm -m 'a | b'", 'ollama run "qwen3;x"', "script.py --x=1", "cat # no"])
def test_a_line_that_needs_no_shell_gets_none(line: str) -> None:
    assert words(line)[0] != "/bin/sh"


def test_a_pipe_of_the_users_works_and_is_called_by_its_first_program() -> None:
    made = command("LANG=C /bin/cat | tr a-z A-Z")
    assert made.complete(REQUEST).text == "WRITE WELL.\n\nTHE MILL."
    assert made.model == "cat"


@pytest.mark.parametrize("line", ["", "  ", "echo 'open"])
def test_what_is_no_command_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"empty|quotation"):
        command(line)


def test_all_that_runs_can_be_ended_at_once() -> None:
    groups = [Group(["sleep", "600"]) for _ in range(3)]
    end_all()
    assert [group.process.returncode for group in groups] == [-signal.SIGKILL] * 3
    end_all()


def test_a_program_does_not_outlive_us_even_if_we_are_killed() -> None:
    code = """
import sys, time
from memcli.summarize.backends.processes import Group
print(Group(["sleep", "600"]).process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as we:
        assert we.stdout
        pid = int(we.stdout.readline())
        assert alive(pid)
        we.kill()
    assert eventually(lambda: not alive(pid))
