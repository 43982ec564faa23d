"""The real child asking a model: how it works together with a server, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from memcli.memory.jobs import Job, Result, Source, parse_answer
from tests.builders import PATIENCE, eventually, session
from tests.ledger.builders import folded, user
from tests.summarize.scripts import alive, python
from tests.summarize.wire import Answer, error, good, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.summarize.wire import Wire

CHILD = [sys.executable, "-m", "memcli.summarize"]


@pytest.fixture
def job(tmp_path: Path) -> bytes:
    """A job line that asks a model."""
    data = session("anthropic")
    path = tmp_path / "run.jsonl"
    path.write_bytes(data)
    source = Source(str(path), "anthropic", 0, len(data))
    asked = Job("7-0", 4_000, folded(user("mend the dam")).snapshot(), write=True, source=source)
    return msgspec.json.encode(asked) + b"\n"


@contextmanager
def child(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    pipe: Any = subprocess.PIPE
    environment = os.environ | {"ANTHROPIC_API_KEY": "key-of-the-test"}
    with subprocess.Popen([*CHILD, *options], stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def asking(wire: Wire, *options: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A child that asks this server."""
    return child("--backend", "anthropic", "--base-url", wire.url, *options)


def ask(process: subprocess.Popen[bytes], job: bytes) -> None:
    assert process.stdin
    process.stdin.write(job)
    process.stdin.flush()


def answer(process: subprocess.Popen[bytes]) -> Result:
    assert process.stdout
    while True:
        said = parse_answer(process.stdout.readline())
        if isinstance(said, Result):
            return said


def test_a_failing_model_is_no_error_the_memory_is_there_and_says_why(job: bytes) -> None:
    with serving(error(401, "authentication_error")) as wire, asking(wire) as process:
        ask(process, job)
        result = answer(process)
    assert (result.error, result.wrote) == ("", False)
    assert result.failure
    assert result.failure.permanent
    assert any("mend the dam" in block for block in result.blocks.values())


def test_the_end_of_stdin_ends_it_at_once_whatever_it_waits_for(job: bytes) -> None:
    with serving(Answer(b"", hold=True)) as wire, asking(wire, "--timeout", "86400") as process:
        ask(process, job)
        assert eventually(lambda: bool(wire.asked))
        assert process.stdin
        process.stdin.close()
        assert answer(process).error == "the summarizer was told to end"
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_command_it_waits_for(
    tmp_path: Path, job: bytes, number: signal.Signals, code: int
) -> None:
    pid = tmp_path / "pid"
    line = python(tmp_path, f"import os, time; open({str(pid)!r}, 'w').write(f'{{os.getpid()}}.'); time.sleep(600)")
    with child("--command", line) as process:
        ask(process, job)
        assert eventually(lambda: pid.exists() and pid.read_text().endswith("."))
        process.send_signal(number)
        assert process.wait(PATIENCE) == code
        assert process.stderr
        assert process.stderr.read() == b""
    assert not alive(int(pid.read_text()[:-1]))


def test_jobs_of_a_file_are_all_answered_although_it_ends_at_once(tmp_path: Path, job: bytes) -> None:
    (tmp_path / "jobs.jsonl").write_bytes(job * 2)
    with open(tmp_path / "jobs.jsonl", "rb") as jobs:
        ran = subprocess.run([*CHILD, "--command", "cat"], stdin=jobs, capture_output=True, check=False)
    found = [said for raw in ran.stdout.splitlines() if isinstance(said := parse_answer(raw), Result)]
    assert (ran.returncode, len(found)) == (0, 2)
    assert not any(result.error for result in found)


def test_many_jobs_wait_for_one_server_side_by_side(job: bytes) -> None:
    """The answer comes only when all four have asked."""
    with serving(Answer(b"", hold=True)) as wire, asking(wire, "--jobs", "4") as process:
        ask(process, job * 4)
        assert eventually(lambda: len(wire.asked) == 4)


def test_the_limit_on_memory_leaves_room_for_the_sdk_and_many_threads(job: bytes) -> None:
    with serving(good()) as wire, asking(wire, "--jobs", "16") as process:
        ask(process, job * 16)
        found = [answer(process) for _ in range(16)]
    assert not any("MemoryError" in result.error for result in found)
    assert len(wire.asked) >= 16


# ------------------------------------------------------------------ what is imported

ROOMS = """
import importlib, pkgutil, sys
import memcli
names = [m.name for m in pkgutil.walk_packages(memcli.__path__, "memcli.") if "__main__" not in m.name]
for name in names:
    importlib.import_module(name)
print(len(names), *sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_no_module_loads_the_sdk_when_it_is_imported() -> None:
    """Every verb, the daemon, and the summarizer itself: only a question to the Messages API loads it."""
    ran = subprocess.run([sys.executable, "-c", ROOMS], capture_output=True, check=True, text=True)
    count, *loaded = ran.stdout.split()
    assert int(count) > 100
    assert {"memcli", "typer"} <= set(loaded)
    assert not {"anthropic", "httpx2", "httpx", "pydantic"} & set(loaded)
