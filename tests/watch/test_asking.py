"""A child that is waited for; a child that says how far it is; a child that may have been paid."""

from __future__ import annotations

import sys
import threading
from queue import SimpleQueue

import pytest

from memcli.memory.jobs import Job
from memcli.watch.children import DEADLINE_SECONDS, Answered, Asking, GivenUp, Progressed, Summarizers
from tests.builders import LIMITS, PATIENCE, eventually

SAYS = """
import json, sys, time
for line in sys.stdin:
    job = json.loads(line)["job"]
    for most in (None, 0.25):
        print(json.dumps({"v": 1, "job": job, "progress": "asking", "most": most}), flush=True)
    print(json.dumps({"v": 1, "job": job, "blocks": {"User Intent": "-"}}), flush=True)
"""
SAYS_AND_DIES = """
import json, sys
open(sys.argv[1], "a").write("asked ")
job = json.loads(sys.stdin.readline())["job"]
print(json.dumps({"v": 1, "job": job, "progress": "asking", "most": 0.25}), flush=True)
"""
DIES = "import sys; open(sys.argv[1], 'a').write('asked '); sys.stdin.readline()"
HANGS = "import sys, time; open(sys.argv[1], 'a').write('asked '); sys.stdin.readline(); time.sleep(600)"


def argv(program: str, *args: object) -> list[str]:
    return [sys.executable, "-c", program, *map(str, args)]


def job(name: str = "j1", *, write: bool = True) -> Job:
    return Job(name, 4000, write=write)


@pytest.fixture
def ask():
    """Asks one program one job, and ends it."""
    made = []

    def start(program: str, *args: object, patience: float = PATIENCE, heard=lambda _: None, **more: object):
        made.append(Asking(argv(program, *args), patience, heard))
        return made[-1].ask(job(**more))

    yield start
    for asking in made:
        asking.close()


def test_who_waits_is_told_how_far_it_is_and_what_it_may_cost(ask):
    told: list[Progressed] = []
    result = ask(SAYS, heard=told.append)
    assert (result.job, result.blocks) == ("j1", {"User Intent": "-"})
    assert [(far.job, far.sentence, far.most) for far in told] == [("j1", "asking", None), ("j1", "asking", 0.25)]


def test_who_gives_up_waits_no_longer_and_ends_the_child(tmp_path):
    given_up, noted = threading.Event(), tmp_path / "asked"
    asking = Asking(argv(HANGS, noted), 600.0, given_up=given_up)
    teller = threading.Thread(target=lambda: eventually(noted.exists) and given_up.set())
    teller.start()
    with pytest.raises(GivenUp):
        asking.ask(job())
    asking.close()
    teller.join()


def test_a_child_that_dies_is_asked_again_once(ask, tmp_path):
    assert ask(DIES, tmp_path / "log").error == "the summarizer ended"
    assert (tmp_path / "log").read_text() == "asked asked "


def test_a_child_that_may_have_been_paid_is_not_asked_again(ask, tmp_path):
    assert ask(SAYS_AND_DIES, tmp_path / "log").error == "the summarizer ended"
    assert (tmp_path / "log").read_text() == "asked "


def test_a_model_that_hangs_is_not_asked_again(ask, tmp_path):
    for seconds in LIMITS:
        assert ask(HANGS, tmp_path / "log", patience=seconds).error == "the summarizer took too long"
        if (tmp_path / "log").exists():
            break
    assert (tmp_path / "log").read_text() == "asked "


def test_a_program_that_cannot_be_started_is_an_error():
    asking = Asking(["/no/such/program"], 5.0)
    assert asking.ask(job()).error == "cannot start /no/such/program: No such file or directory"
    asking.close()


def waiting(patience: float) -> tuple[Summarizers, SimpleQueue]:
    inbox: SimpleQueue = SimpleQueue()
    return Summarizers(inbox.put, argv("import sys; sys.stdin.read()"), patience), inbox


def errors(inbox: SimpleQueue) -> list[tuple[str, str]]:
    found = []
    while not inbox.empty():
        if isinstance(message := inbox.get(), Answered):
            found.append((message.result.job, message.result.error))
    return found


def test_each_sentence_on_the_way_gives_it_its_time_anew():
    """A long conversation is asked about in parts; only a silent child is taken for dead."""
    summarizers, inbox = waiting(100.0)
    summarizers.ask("a", job(), 0.0)
    for now in (90.0, 180.0, 270.0):
        summarizers.progressed(Progressed("a", "j1", "asking"), now)
        summarizers.tick(now + 99.0)
        assert errors(inbox) == []
    summarizers.tick(371.0)
    assert errors(inbox) == [("j1", "the summarizer took too long")]
    summarizers.close()


def test_what_is_only_rendered_has_less_time_and_is_asked_again():
    summarizers, inbox = waiting(1000.0)
    summarizers.ask("a", job("rendered", write=False), 0.0)
    summarizers.tick(DEADLINE_SECONDS + 1)
    assert errors(inbox) == []
    summarizers.tick(2 * DEADLINE_SECONDS + 2)
    assert errors(inbox) == [("rendered", "the summarizer took too long")]
    summarizers.close()


def test_a_sentence_about_no_job_of_ours_changes_nothing():
    summarizers, inbox = waiting(100.0)
    summarizers.ask("a", job(), 0.0)
    summarizers.progressed(Progressed("b", "j1", "asking", 5.0), 90.0)
    summarizers.tick(101.0)
    assert errors(inbox) == [("j1", "the summarizer took too long")]
    summarizers.close()
