from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memcli import edge
from memcli.edge import near
from memcli.errors import MemcliError, NoMemory, TryAgain

ROOT = Path(__file__).parents[1]


def raising(error: BaseException) -> int:
    def main() -> int:
        raise error

    return edge.run(main)


def a_program(body: str) -> list[str]:
    """A process whose `main` is `body`, run under the edge."""
    code = f"import sys, os, time\nfrom memcli import edge\ndef main():\n  {body}\nsys.exit(edge.run(main))"
    return [sys.executable, "-c", code]


@pytest.fixture(autouse=True)
def own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` sets a handler for its process; here the process is pytest's."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (4, 4)])
def test_what_main_returns_is_the_exit_code(returned: int | None, code: int) -> None:
    assert edge.run(lambda: returned) == code


@pytest.mark.parametrize("kind", [MemcliError, NoMemory, TryAgain])
def test_an_expected_failure_is_two_lines_and_its_code(
    kind: type[MemcliError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(kind("no session memory beside run.jsonl", "memcli update run.jsonl")) == kind.code
    said = capsys.readouterr()
    assert said.err == "Error: no session memory beside run.jsonl\nTry: memcli update run.jsonl\n"
    assert said.out == ""


def test_a_name_with_control_characters_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    raising(MemcliError("no file a\nb\x1b[31mc\u202ed", "ls"))
    assert capsys.readouterr().err.splitlines()[0] == r"Error: no file a\nb\x1b[31mc\u202ed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
        (edge.Terminated(), 143),
        (SystemExit(), 0),
        (SystemExit(3), 3),
    ],
)
def test_being_stopped_is_a_code_and_no_words(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "dup2", lambda *_: None)  # pytest needs its stdout
    assert raising(error) == code
    assert capsys.readouterr().err == ""


def test_a_bug_is_one_line_and_a_log_to_send(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(ZeroDivisionError("division by zero")) == 70
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "Error: memcli has a bug: ZeroDivisionError: division by zero"
    log = Path(shlex.split(hint.removeprefix("Try: "))[1])
    assert log.is_relative_to(own_home)
    assert "Traceback" in log.read_text()
    assert "Python 3." in log.read_text()


def test_the_log_names_no_home(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raising(ValueError(f"{own_home}/secret/run.jsonl"))
    (log,) = own_home.rglob("*.log")
    assert str(own_home) not in log.read_text()
    assert "~/secret/run.jsonl" in log.read_text()


def test_the_log_of_a_user_who_lives_at_the_root_keeps_its_slashes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    raising(ValueError("no /a/path"))
    (log,) = tmp_path.rglob("*.log")
    assert "no /a/path" in log.read_text()


def test_a_bug_without_a_place_for_its_log_is_still_told(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_home.write_text("a file, not a home")
    assert raising(ZeroDivisionError("division by zero")) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "df -h d"), (errno.EACCES, "ls -ld d"), (errno.ENOENT, "ls -ld d")]
)
def test_what_a_machine_does_to_us_is_no_bug(
    number: int, hint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path)
    assert raising(OSError(number, os.strerror(number), "d/a b")) == 1
    error, tried = capsys.readouterr().err.splitlines()
    assert "d/a b" in error
    assert tried == f"Try: {hint}"


def test_of_a_rename_that_may_not_be_the_place_where_it_leads_to_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.jsonl").touch()
    assert raising(OSError(errno.EACCES, "Permission denied", "spare.tmp", None, "run.jsonl")) == 1
    told = capsys.readouterr().err
    assert told == "Error: no access to run.jsonl: permission denied\nTry: ls -ld . run.jsonl\n"


def test_a_directory_that_is_not_there_is_not_offered_to_be_looked_at(tmp_path: Path) -> None:
    assert near(f"{tmp_path}/no/such/file") == near(f"{tmp_path}/file") == shlex.quote(str(tmp_path))
    assert near("file") == near("no/file") == "."


@pytest.mark.parametrize("error", [OSError("no number"), OSError(errno.EBADF, "Bad file descriptor", "x")])
def test_another_oserror_is_a_bug(error: OSError, capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(error) == 70
    assert "has a bug" in capsys.readouterr().err


def test_a_wrong_command_line_is_typer_s_complaint_in_our_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    app = typer.Typer(rich_markup_mode=None)
    app.command()(lambda: None)
    assert edge.run(lambda: app(["--nope"], prog_name="memcli", standalone_mode=False)) == 2
    assert capsys.readouterr().err == "Error: No such option: --nope\nTry: memcli --help\n"


def test_head_ends_it_quietly() -> None:
    """The reader goes away after one line, while the writer has much more to say."""
    body = "[print('line') for _ in range(100_000)]"
    command = f"{shlex.join(a_program(body))} | head -1; echo code ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout == "line\ncode 141\n"
    assert ran.stderr == ""


def test_what_waits_in_the_buffer_when_the_reader_is_gone_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = a_program("print('never read')")
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_unwinds_before_it_ends(number: signal.Signals, code: int) -> None:
    body = "try: print('ready', flush=True); time.sleep(600)\n  finally: print('looked after')"
    with subprocess.Popen(a_program(body), stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"looked after\n"
    assert process.returncode == code
