"""A program of the user's own that speaks the protocol: real processes over real pipes."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from memcli.memory.jobs import Job, ProseEdit, Result, Usage
from memcli.summarize.backends.program import Program
from memcli.summarize.options import Options
from memcli.summarize.progress import heard
from memcli.summarize.request import Failed
from tests.builders import LIMITS, PATIENCE
from tests.summarize.scripts import alive, python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JOB = Job("7-0", 4_000, b"a ledger", write=True, prompt="Write about the mill.", prose={"User Intent": "old"})

LOOP = """
import json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    name = job["job"]
    def say(**answer):
        print(json.dumps({{"v": 1, "job": name}} | answer), flush=True)
    {body}
"""


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Programs whose loop does `body` for each job."""
    hired: list[Program] = []

    def start(body: str, **options: Any) -> Program:
        line = python(tmp_path, LOOP.format(body=body.replace("\n", "\n    ")))
        hired.append(Program(Options(backend="program", summarizer=line, **options)))
        return hired[-1]

    yield start
    for program in hired:
        program.close()


def failed(program: Program) -> Failed:
    with pytest.raises(Failed) as caught:
        program.write(JOB)
    return caught.value


def test_text_is_answered_under_the_name_of_the_job(hire: Callable[..., Program]) -> None:
    result = hire("say(text='# Memory', model='mine', usage={'input_tokens': 5})").write(JOB)
    assert (result.job, result.text, result.model) == ("7-0", "# Memory", "mine")
    assert result.usage == Usage(input_tokens=5)


def test_edits_are_answered_and_usage_is_estimated_where_none_is_told(hire: Callable[..., Program]) -> None:
    result = hire("say(edits=[dict(section='User Intent', op='append', text='- more')])").write(JOB)
    assert result.edits == (ProseEdit("User Intent", "append", "- more"),)
    assert result.usage
    assert result.usage.estimated
    assert result.model.startswith("python")


def test_the_program_sees_prompt_and_prose_but_no_ledger(hire: Callable[..., Program]) -> None:
    shown = hire("say(text=' '.join(sorted(job)))").write(JOB).text.split()
    assert {"prompt", "prose", "budget"} <= set(shown)
    assert "ledger" not in shown


def test_one_process_does_all_jobs_many_at_a_time_in_its_own_order(hire: Callable[..., Program]) -> None:
    program = hire("""
held = globals().setdefault("held", [])
held.append(name)
if len(held) == 3:
    for name in reversed(held):
        say(text=f"{os.getpid()} {name}")
""")
    found: list[Result] = []
    jobs = [Job("same", 4_000, prompt=str(n)) for n in range(3)]
    threads = [threading.Thread(target=lambda job=job: found.append(program.write(job))) for job in jobs]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({result.text.split()[0] for result in found}) == 1
    assert len({result.text for result in found}) == 3


def test_what_it_says_on_the_way_is_passed_on(hire: Callable[..., Program]) -> None:
    said: list[str] = []
    with heard(lambda sentence, _: said.append(sentence)):
        hire("say(progress='reading')\nsay(progress='writing')\nsay(text='done')").write(JOB)
    assert said == ["reading", "writing"]


def test_a_program_that_dies_is_started_again_once_for_what_it_owed(
    tmp_path: Path, hire: Callable[..., Program]
) -> None:
    flag = str(tmp_path / "flag")
    body = (
        f"if not os.path.exists({flag!r}):\n    open({flag!r}, 'w').close()\n    sys.exit(1)\nsay(text='alive again')"
    )
    assert hire(body).write(JOB).text == "alive again"


def test_a_program_that_dies_each_time_fails_with_its_last_word(tmp_path: Path, hire: Callable[..., Program]) -> None:
    count = str(tmp_path / "count")
    failure = failed(hire(f"open({count!r}, 'a').write('x')\nsys.exit('no model here')")).failure
    assert failure.sentence.endswith("ended: no model here")
    assert not failure.permanent
    assert (tmp_path / "count").read_text() == "xx"


def test_a_program_that_hangs_is_killed_and_not_asked_again(tmp_path: Path, hire: Callable[..., Program]) -> None:
    pids = tmp_path / "pids"
    for seconds in LIMITS:
        program = hire(f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(600)", timeout=seconds)
        assert f"did not answer within {seconds:g} s" in failed(program).failure.sentence
        if pids.exists():
            break
    (pid,) = pids.read_text().split()
    assert not alive(int(pid))


def test_a_program_that_never_reads_does_not_hold_us_up(hire: Callable[..., Program], tmp_path: Path) -> None:
    line = python(tmp_path, "import time; time.sleep(600)", "deaf.py")
    program = Program(Options(backend="program", summarizer=line, timeout=1.0))
    began = time.monotonic()
    with pytest.raises(Failed, match="did not answer"):
        program.write(Job("a", 4_000, prompt="word " * 200_000))
    assert time.monotonic() - began < PATIENCE
    program.close()


@pytest.mark.parametrize(
    ("body", "why", "permanent"),
    [
        ("say(error='the disk is full')", "says: the disk is full", False),
        ("say(error='no licence', permanent=True)", "says: no licence", True),
        ("say(v=2, text='x')", "speaks version 2 of the protocol, not 1", True),
        ("say()", "answered neither edits nor text", False),
        ("print('loading the model...', flush=True)", "which is not the protocol", False),
        ("print('x' * 5_000_000, flush=True)", "a line of more than", False),
    ],
)
def test_what_went_wrong_is_one_sentence(hire: Callable[..., Program], body: str, why: str, permanent: bool) -> None:
    failure = failed(hire(body)).failure
    assert why in failure.sentence
    assert failure.permanent is permanent


def test_its_own_failure_is_passed_on(hire: Callable[..., Program]) -> None:
    failure = failed(hire("say(failure={'sentence': 'too\\nmany', 'retry_after': 9.0})")).failure
    assert (failure.sentence, failure.retry_after) == ("too many", 9.0)


def test_answers_to_nobody_are_passed_over(hire: Callable[..., Program]) -> None:
    assert hire("print(json.dumps(dict(v=1, job='of another', text='no')))\nsay(text='yes')").write(JOB).text == "yes"


def test_a_program_that_is_not_there_is_a_permanent_fault() -> None:
    program = Program(Options(backend="program", summarizer="/nowhere/at/all"))
    failure = failed(program).failure
    assert failure.permanent
    assert "cannot be started" in failure.sentence


def test_the_end_takes_the_program_along(hire: Callable[..., Program]) -> None:
    program = hire("say(text=str(os.getpid()))")
    pid = int(program.write(JOB).text)
    assert alive(pid)
    program.close()
    assert not alive(pid)
    assert pid != os.getpid()
