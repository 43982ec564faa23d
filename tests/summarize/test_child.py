"""The summarizer child: every job is answered once, and no line takes it down."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import msgspec
import pytest

from memcli.ledger.ledger import Ledger
from memcli.memory.document import Document
from memcli.memory.fitting import rendered as summarize
from memcli.memory.jobs import VERSION, Job, Result, parse_answer
from memcli.memory.render import render
from memcli.memory.sections import NAMES, PINNED, USER_INTENT
from memcli.summarize.child import serve
from tests.ledger.builders import a_session, folded, user

DOORS = ([sys.executable, "-m", "memcli.summarize"], [sys.executable, "-m", "memcli", "summarize"])


def a_job(name: str = "7-0", said: str = "mend the dam", **more: object) -> Job:
    return Job(name, 4_000, folded(user(said)).snapshot(), **more)


def line(job: Job) -> bytes:
    return msgspec.json.encode(job) + b"\n"


def served(*lines: bytes) -> list[Result]:
    """What the loop answers, a result a line."""
    results = io.BytesIO()
    serve(lines, results, summarize)
    assert results.getvalue().endswith(b"\n" if results.getvalue() else b"")
    return [parse_answer(raw) for raw in results.getvalue().splitlines()]


def answered(raw: bytes) -> Result:
    return served(raw)[0]


# ------------------------------------------------------------------ in this process


def test_a_job_is_answered_with_the_memory_of_its_ledger() -> None:
    result = answered(line(Job("7-0", 4_000, folded(a_session()).snapshot())))
    wanted = render(folded(a_session()), 4_000)

    assert (result.job, result.backend, result.error, result.v) == ("7-0", "embedded", "", VERSION)
    assert result.blocks == {block.name: block.ledger for block in wanted.blocks}
    assert set(result.blocks) == set(NAMES[1:])


def test_the_answer_keeps_the_budget_of_the_job() -> None:
    ledger = Ledger()
    for n in range(400):
        ledger.fold(user(f"request {n}: change module_{n}.py so that function_{n} works " + "again " * 20))
    small, large = (
        sum(map(len, answered(line(Job("a", budget, ledger.snapshot()))).blocks.values())) for budget in (2_000, 8_000)
    )
    assert small < 2_000 * 4
    assert small < large < 8_000 * 4


def test_pins_and_an_older_memory_stand_in_the_answer() -> None:
    blocks = answered(line(a_job(pins=("never push",), opaque="- the mill stands at the river bend"))).blocks
    assert "never push" in blocks[PINNED]
    assert "the mill stands at the river bend" in "".join(blocks.values())


def test_the_same_job_has_the_same_answer() -> None:
    first, second = served(line(a_job()), line(a_job()))
    assert first.blocks == second.blocks


def test_every_job_is_answered_once() -> None:
    found = served(*(line(a_job(str(n), f"step {n}")) for n in range(5)))
    assert [result.job for result in found] == ["0", "1", "2", "3", "4"]
    assert all(f"step {n}" in result.blocks[USER_INTENT] for n, result in enumerate(found))


def test_blank_lines_are_no_jobs() -> None:
    assert [result.job for result in served(b"\n", b"  \n", line(a_job("a")), b"\n")] == ["a"]
    assert served() == []


@pytest.mark.parametrize("garbage", [b"hello\n", b"{}\n", b'{"job":\n', b"\xff\xfe\n", b"\x00\n", b"[" * 99_999])
def test_what_is_no_job_is_answered_with_a_permanent_error_and_the_next_is_done(garbage: bytes) -> None:
    bad, good = served(garbage, line(a_job()))

    assert bad.error.startswith("not a job")
    assert bad.permanent
    assert (bad.job, bad.blocks) == ("", {})
    assert good.blocks


@pytest.mark.parametrize("version", [0, VERSION + 1, 99])
def test_another_version_of_the_protocol_is_refused_for_good(version: int) -> None:
    result = answered(line(a_job(v=version)))
    assert result.error == f"protocol version {version} is not {VERSION}"
    assert (result.job, result.permanent, result.blocks) == ("7-0", True, {})


def test_a_ledger_that_cannot_be_read_costs_its_own_job_alone() -> None:
    bad, good = served(line(Job("bad", 4_000, b"no ledger")), line(a_job("good")))
    assert bad.job == "bad"
    assert bad.error
    assert (good.job, good.error) == ("good", "")


def test_the_time_that_a_job_took_is_told() -> None:
    assert 0 <= answered(line(a_job())).milliseconds < 60_000


def test_nobody_who_reads_ends_the_loop_loudly_and_not_by_swallowing_it() -> None:
    """`main` decides what to do about it."""
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError), open(writer, "wb", buffering=0) as results:
        serve([line(a_job())], results, summarize)


# ------------------------------------------------------------------ the real program


def run(lines: bytes, door: list[str] = DOORS[0]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(door, input=lines, capture_output=True, check=False)


@pytest.mark.parametrize("door", DOORS, ids=["module", "command"])
def test_the_program_answers_several_jobs_and_ends_with_its_stdin(door: list[str]) -> None:
    ran = run(line(a_job("a")) + b"hello\n" + line(a_job("b", v=9)) + line(a_job("c", "mend the mill")), door)
    found = {(result := parse_answer(raw)).job: result for raw in ran.stdout.splitlines()}

    assert (ran.returncode, ran.stderr, ran.stdout.count(b"\n")) == (0, b"", 4)
    assert {name: result.permanent for name, result in found.items()} == {"a": False, "": True, "b": True, "c": False}
    assert found["c"].blocks == answered(line(a_job("c", "mend the mill"))).blocks


def test_without_jobs_the_program_ends_in_silence() -> None:
    ran = run(b"")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_an_answer_comes_before_the_next_job_is_asked() -> None:
    """Nothing waits in a buffer: the daemon asks again only when it has read the answer."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(DOORS[0], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=buffered) as child:
        assert child.stdin
        assert child.stdout
        for name in ("a", "b"):
            child.stdin.write(line(a_job(name)))
            child.stdin.flush()
            assert parse_answer(child.stdout.readline()).job == name
        child.stdin.close()
        assert child.wait() == 0
        assert child.stdout.read() == b""


def test_the_program_goes_quietly_when_nobody_reads_its_answers() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        child = subprocess.run(DOORS[0], input=line(a_job()) * 3, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (child.returncode, child.stderr) == (0, b"")


def test_the_program_loads_no_command_line_and_no_watcher() -> None:
    """It is started for every update: what it imports is paid for each time."""
    code = "import sys, memcli.summarize.child as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert not {"typer", "rich", "watchfiles", "platformdirs", "subprocess"} & set(loaded)


def test_a_document_of_all_sections_can_be_made_of_an_answer() -> None:
    result = answered(line(a_job()))
    assert [block.name for block in Document().blocks] == list(result.blocks)
