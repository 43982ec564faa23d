"""Summarizer children: tiny real programs that answer, crash, hang and talk nonsense."""

from __future__ import annotations

import os
import sys
from queue import SimpleQueue

import pytest

from memcli.memory.jobs import Job
from memcli.watch.children import DEADLINE_SECONDS, IDLE_SECONDS, Answered, Asking, ChildGone, Progressed, Summarizers
from tests.builders import LIMITS, PATIENCE, eventually
from tests.summarize.scripts import alive

ANSWERS = """
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"v": 1, "job": job["job"], "blocks": {"User Intent": job["ledger"]}}), flush=True)
"""
CRASHES = "import sys; sys.stdin.readline(); sys.exit(3)"
HANGS = "import sys, time; sys.stdin.readline(); time.sleep(600)"
SPEAKS = """
import json, sys
for line in sys.stdin:
    name = json.loads(line)["job"]
    print(json.dumps({"v": 1, "job": name, "progress": "thinking"}), flush=True)
"""
BABBLES = "import sys; sys.stdin.readline(); print('hello', flush=True); sys.stdin.read()"
GRANDCHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
print("started", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hire():
    """Starts summarizers that run a program, and ends them with the test."""
    hired = []

    def start(program: str, *args: str) -> tuple[Summarizers, SimpleQueue]:
        inbox: SimpleQueue = SimpleQueue()
        hired.append(Summarizers(inbox.put, [sys.executable, "-c", program, *args]))
        return hired[-1], inbox

    yield start
    for summarizers in hired:
        summarizers.close()


def job(name: str = "j1", ledger: bytes = b"facts") -> Job:
    return Job(name, 4000, ledger)


def handle(summarizers: Summarizers, inbox: SimpleQueue, now: float = 0.0) -> Answered:
    """As the loop does, until an answer comes."""
    while True:
        message = inbox.get(timeout=PATIENCE)
        if isinstance(message, Answered):
            summarizers.answered(message, now)
            return message
        summarizers.gone(message, now)


def test_a_job_is_answered_under_its_own_name(hire):
    summarizers, inbox = hire(ANSWERS)
    summarizers.ask("a.jsonl", job(), 0.0)
    answered = handle(summarizers, inbox)
    assert (answered.owner, answered.result.job, answered.result.error) == ("a.jsonl", "j1", "")


def test_two_transcripts_may_use_the_same_job_name(hire):
    summarizers, inbox = hire(ANSWERS)
    summarizers.ask("a.jsonl", job(), 0.0)
    summarizers.ask("b.jsonl", job(), 0.0)
    assert {handle(summarizers, inbox).owner for _ in range(2)} == {"a.jsonl", "b.jsonl"}


def test_one_child_serves_all(hire):
    summarizers, inbox = hire(ANSWERS)
    for number in range(3):
        summarizers.ask("a.jsonl", job(f"j{number}"), 0.0)
    first = summarizers.pid
    for _ in range(3):
        handle(summarizers, inbox)
    assert summarizers.pid == first


@pytest.mark.parametrize("program", [CRASHES, BABBLES], ids=["crashes", "babbles"])
def test_a_broken_child_costs_two_tries_and_then_an_error(hire, program):
    summarizers, inbox = hire(program)
    summarizers.ask("a.jsonl", job(), 0.0)
    first = summarizers.pid
    message = inbox.get(timeout=PATIENCE)
    assert message == ChildGone(first)
    summarizers.gone(message, 0.0)
    assert summarizers.pid not in (0, first)
    assert handle(summarizers, inbox).result.error == "the summarizer ended"


def test_a_hanging_child_is_killed_at_its_deadline(hire):
    summarizers, inbox = hire(HANGS)
    summarizers.ask("a.jsonl", job(), 0.0)
    summarizers.tick(DEADLINE_SECONDS - 1)
    assert inbox.empty()
    summarizers.tick(DEADLINE_SECONDS + 1)
    summarizers.tick(3 * DEADLINE_SECONDS)
    assert handle(summarizers, inbox).result.error == "the summarizer took too long"


def written() -> Job:
    return Job("j1", 4000, b"facts", write=True)


def test_a_sign_of_life_names_the_job_it_is_about(hire):
    summarizers, inbox = hire(SPEAKS)
    summarizers.ask("a.jsonl", written(), 0.0)
    assert inbox.get(timeout=PATIENCE) == Progressed("a.jsonl", "j1", "thinking")


def test_a_job_that_a_model_writes_has_time_as_long_as_something_is_heard_of_it(hire):
    summarizers, _ = hire(SPEAKS)
    summarizers.ask("a.jsonl", written(), 0.0)
    first = summarizers.pid
    for now in (DEADLINE_SECONDS - 1, 2 * DEADLINE_SECONDS - 2):
        summarizers.progressed(Progressed("a.jsonl", "j1", "thinking"), now)
        summarizers.tick(now + DEADLINE_SECONDS - 1)
        assert summarizers.pid == first


def test_once_it_falls_silent_it_is_killed_as_any_other(hire):
    summarizers, _ = hire(SPEAKS)
    summarizers.ask("a.jsonl", written(), 0.0)
    first = summarizers.pid
    summarizers.progressed(Progressed("a.jsonl", "j1", "thinking"), 100.0)
    summarizers.tick(100.0 + DEADLINE_SECONDS + 1)
    assert first not in (0, summarizers.pid)
    assert not os.path.exists(f"/proc/{first}")


@pytest.mark.parametrize(
    ("question", "about"),
    [(job(), "j1"), (written(), "j2")],
    ids=["of a job that is only rendered", "of another job"],
)
def test_words_win_no_time(hire, question, about):
    summarizers, _ = hire(SPEAKS)
    summarizers.ask("a.jsonl", question, 0.0)
    first = summarizers.pid
    summarizers.progressed(Progressed("a.jsonl", about, "thinking"), DEADLINE_SECONDS - 1)
    summarizers.tick(DEADLINE_SECONDS + 1)
    assert summarizers.pid != first


def test_who_asks_and_waits_is_as_patient():
    """The program takes longer than the patience is, but never without a word for so long."""
    program = """
import json, sys, time
name = json.loads(sys.stdin.readline())["job"]
for _ in range(20):
    print(json.dumps({"v": 1, "job": name, "progress": "thinking"}), flush=True)
    time.sleep(float(sys.argv[1]) / 16)
print(json.dumps({"v": 1, "job": name, "blocks": {"Files": "- a"}}), flush=True)
sys.stdin.read()
"""

    def waited_for(seconds: float) -> bool:
        said: list[str] = []
        child = Asking([sys.executable, "-c", program, str(seconds)], seconds, lambda told: said.append(told.sentence))
        answered = child.ask(written())
        child.close()
        return (answered.blocks, said) == ({"Files": "- a"}, ["thinking"] * 20)

    assert any(map(waited_for, LIMITS))


def test_a_program_that_does_not_exist_is_an_error_not_a_crash():
    inbox: SimpleQueue = SimpleQueue()
    Summarizers(inbox.put, ["/nowhere/at/all"]).ask("a.jsonl", job(), 0.0)
    assert inbox.get(timeout=PATIENCE).result.error == "cannot start /nowhere/at/all: No such file or directory"


def test_an_idle_child_is_let_go_and_another_comes_when_needed(hire):
    summarizers, inbox = hire(ANSWERS)
    summarizers.ask("a.jsonl", job(), 0.0)
    handle(summarizers, inbox, now=1.0)
    summarizers.tick(IDLE_SECONDS + 2.0)
    assert summarizers.pid == 0
    summarizers.ask("a.jsonl", job("j2"), 100.0)
    assert handle(summarizers, inbox).result.job == "j2"


def test_closing_ends_the_whole_process_group(hire, tmp_path):
    """A summarizer may start programs of its own."""
    noted = tmp_path / "pid"
    summarizers, inbox = hire(GRANDCHILD, str(noted))
    summarizers.ask("a.jsonl", job(), 0.0)
    inbox.get(timeout=PATIENCE)
    grandchild = int(noted.read_text())
    summarizers.close()
    assert eventually(lambda: not alive(grandchild))


def test_an_answer_to_nothing_is_dropped(hire):
    summarizers, inbox = hire('print(\'{"v": 1, "job": "other"}\', flush=True)\n' + ANSWERS)
    summarizers.ask("a.jsonl", job(), 0.0)
    assert inbox.get(timeout=PATIENCE).result.job == "j1"


def test_a_line_without_end_is_a_fault_and_not_a_full_memory(hire):
    """A child that prints for ever is ended like one that talks nonsense."""
    endless = "import os, sys; sys.stdin.readline()\nwhile True: os.write(1, b'x' * 1_000_000)"
    summarizers, inbox = hire(endless)
    summarizers.ask("a.jsonl", job(), 0.0)
    assert handle(summarizers, inbox).result.error == "the summarizer ended"


def test_half_an_answer_is_none(hire):
    """The child dies in the middle of its line."""
    summarizers, inbox = hire("""import sys; sys.stdin.readline(); sys.stdout.write('{"v":1,"job":"0:j')""")
    summarizers.ask("a.jsonl", job(), 0.0)
    assert handle(summarizers, inbox).result.error == "the summarizer ended"


def test_a_child_that_answers_some_and_dies_owes_only_the_others(hire, tmp_path):
    """It answers one job in its life: two jobs take two lives, and none is answered twice."""
    one = ANSWERS.replace("flush=True)", "flush=True); sys.exit(0)")
    summarizers, inbox = hire(one)
    for name in ("j1", "j2"):
        summarizers.ask("a.jsonl", job(name), 0.0)
    answers = [handle(summarizers, inbox) for _ in range(2)]
    assert sorted((one.result.job, one.result.error) for one in answers) == [("j1", ""), ("j2", "")]


def test_a_child_that_starts_slowly_is_waited_for(hire, tmp_path):
    """Jobs wait in its pipe until it reads them: its deadline counts from the question, not from its first word."""
    gate = tmp_path / "gate"
    slow = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\n" + ANSWERS
    summarizers, inbox = hire(slow, str(gate))
    for name in ("j1", "j2"):
        summarizers.ask("a.jsonl", job(name), 0.0)
    summarizers.tick(DEADLINE_SECONDS - 1)
    assert inbox.empty()
    gate.touch()
    assert [handle(summarizers, inbox).result.job for _ in range(2)] == ["j1", "j2"]


def test_a_child_that_does_not_read_holds_up_nobody(hire):
    """Its pipe is full after 64 KiB: the question is given to a thread, and the loop goes on."""
    summarizers, _ = hire("import time; time.sleep(600)")
    summarizers.ask("a.jsonl", job(ledger=b"f" * 5_000_000), 0.0)
    summarizers.ask("b.jsonl", job(ledger=b"f" * 5_000_000), 0.0)
    summarizers.close()
    assert summarizers.pid == 0


def test_every_child_that_was_dropped_was_waited_for(hire):
    """No zombie stays for as long as the daemon lives, however often its summarizer dies."""
    summarizers, inbox = hire(CRASHES)
    pids = set()
    for number in range(3):
        summarizers.ask("a.jsonl", job(f"j{number}"), 0.0)
        pids.add(summarizers.pid)
        assert handle(summarizers, inbox).result.error
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_what_a_child_says_on_stderr_is_no_answer(hire):
    noisy = ANSWERS.replace("    job = ", "    print('{}', file=sys.stderr); job = ")
    summarizers, inbox = hire(noisy)
    summarizers.ask("a.jsonl", job(), 0.0)
    assert handle(summarizers, inbox).result.error == ""
