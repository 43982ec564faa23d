"""The loop of the child: many jobs at a time, each answered once, whatever one of them does."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.jobs import Job, Progress, Result, parse_answer
from memcli.summarize.child import LINE_BYTES, lines, serve
from memcli.summarize.progress import say
from tests.builders import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest


def line(name: str, *, write: bool = False) -> bytes:
    return msgspec.json.encode(Job(name, 4_000, write=write)) + b"\n"


def served(
    jobs: Iterator[bytes] | list[bytes], write: Callable[[Job], Result], workers: int = 4, **more: float
) -> list[Result]:
    results = io.BytesIO()
    serve(jobs, results, write, workers, **more)
    return [parse_answer(raw) for raw in results.getvalue().splitlines()]


def test_results_come_as_they_are_done_and_not_in_the_order_of_the_jobs() -> None:
    second_is_done = threading.Event()

    def write(job: Job) -> Result:
        assert job.job == "second" or second_is_done.wait()
        second_is_done.set()
        return Result(job.job)

    assert [result.job for result in served([line("first"), line("second")], write)][-1] == "first"


def test_no_more_jobs_are_done_at_a_time_than_there_are_workers() -> None:
    busy, most, lock, pair = 0, 0, threading.Lock(), threading.Barrier(2)

    def write(job: Job) -> Result:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        pair.wait()
        with lock:
            busy -= 1
        return Result(job.job)

    assert len(served([line(str(n)) for n in range(12)], write, workers=2)) == 12
    assert most == 2


def test_a_job_that_fails_takes_no_other_down() -> None:
    def write(job: Job) -> Result:
        if job.job == "bad":
            raise RecursionError("too deep")
        return Result(job.job)

    found = {result.job: result for result in served([line("bad"), line("good")], write, workers=1)}
    assert found["bad"].error == "RecursionError: too deep"
    assert not found["bad"].permanent
    assert not found["good"].error


def test_an_answer_that_cannot_be_written_is_an_error_of_its_job() -> None:
    half = "\ud83d"
    (found,) = served([line("a")], lambda job: Result(job.job, {"Files": half}))
    assert found.error.startswith("the answer is no text")


def test_a_job_that_overruns_is_answered_in_its_place_and_the_next_is_done() -> None:
    release = threading.Event()

    def write(job: Job) -> Result:
        if job.job == "slow":
            release.wait()
        return Result(job.job)

    found = served([line("slow"), line("quick")], write, workers=1, seconds=2.0)
    release.set()
    assert [(result.job, result.error) for result in found] == [
        ("slow", "nothing was heard of it for 2 s"),
        ("quick", ""),
    ]


def test_a_job_that_tells_how_far_it_is_may_take_longer() -> None:
    def write(job: Job) -> Result:
        for _ in range(60):
            say("still at it")
            time.sleep(0.05)
        return Result(job.job)

    results = io.BytesIO()
    serve([line("long")], results, write, 1, 2.0)
    assert parse_answer(results.getvalue().splitlines()[-1]).error == ""


def test_what_an_overrun_job_says_later_is_dropped() -> None:
    release, said_late = threading.Event(), threading.Event()
    results = io.BytesIO()

    def write(job: Job) -> Result:
        release.wait()
        say("still at it")
        said_late.set()
        return Result(job.job)

    serve([line("slow")], results, write, 1, 0.05)
    release.set()
    said_late.wait()
    assert results.getvalue().count(b"\n") == 1


def test_what_is_said_on_the_way_stands_under_the_name_of_its_job() -> None:
    def write(job: Job) -> Result:
        say(f"asking for {job.job}")
        return Result(job.job)

    results = io.BytesIO()
    serve([line("a"), line("b")], results, write, 2)
    found = [parse_answer(raw) for raw in results.getvalue().splitlines()]
    told = [answer for answer in found if isinstance(answer, Progress)]
    assert sorted((answer.job, answer.progress) for answer in told) == [("a", "asking for a"), ("b", "asking for b")]
    assert len(found) == 4


def test_outside_of_a_job_nobody_listens() -> None:
    say("hello")


def test_when_the_jobs_end_only_those_that_ask_a_model_are_given_up() -> None:
    begun, release = threading.Semaphore(0), threading.Event()

    def write(job: Job) -> Result:
        begun.release()
        assert release.wait() if job.write else eventually(lambda: b"told to end" in results.getvalue())
        return Result(job.job)

    def jobs() -> Iterator[bytes]:
        yield line("asks", write=True)
        yield line("renders")
        begun.acquire()
        begun.acquire()

    results = io.BytesIO()
    serve(jobs(), results, write, 2, patient=False)
    release.set()
    found = {(result := parse_answer(raw)).job: result.error for raw in results.getvalue().splitlines()}
    assert found == {"asks": "the summarizer was told to end", "renders": ""}


def test_a_line_longer_than_any_job_is_refused_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memcli.summarize.child.LINE_BYTES", 100)
    stream = io.BytesIO(b"x" * 100 + b"\n" + b"y" * 350 + b"\n" + line("good"))
    found = served(lines(stream), lambda job: Result(job.job), workers=1)
    assert sorted(result.job for result in found) == ["", "", "good"]
    assert LINE_BYTES > 1_000_000
