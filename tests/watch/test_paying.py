"""A loop whose summarizer costs money: what is paid is in the books, whatever became of the transcript meanwhile."""

from __future__ import annotations

import time

import pytest

from memcli.memory.jobs import Failure, Job, Result
from memcli.session import Triggers
from memcli.sidecar import spending
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch.accounts import Accounts, Grant
from memcli.watch.health import Health
from tests.builders import Script, eventually, session_file
from tests.watch.playing import LONG, Play, play
from tests.watch.programs import program

WRITING = Triggers(init_tokens=200, update_tokens=200, write=True)

PAID = """
for line in sys.stdin:
    job = json.loads(line)
    write = job.get("write", False)
    if write:
        note(sys.argv[1], "job")
        print(json.dumps({"v": 1, "job": job["job"], "progress": "asking", "most": 0.5}), flush=True)
        while not os.path.exists(sys.argv[2]):
            time.sleep(0.01)
    call = {"backend": "anthropic", "model": "m", "usage": {}, "cost": 0.25}
    prose = {"User Intent": "the mill turns"} if write else job.get("prose", {})
    said = {"v": 1, "job": job["job"], "blocks": {"User Intent": "-"}, "prose": prose, "wrote": write}
    print(json.dumps({**said, "calls": [call] if write else []}), flush=True)
"""
"""Says that it may cost 50 cents, writes once a gate is open, and costs 25."""


PICKY = """
from memcli.memory.jobs import parse_job, Failure, Result
from memcli.memory.fitting import rendered
import msgspec
for line in sys.stdin.buffer:
    job = parse_job(line)
    said = rendered(job)
    if job.write:
        name = os.path.basename(job.source.path)
        note(sys.argv[1], name)
        failure = Failure("no ink", own=True) if name.startswith("bad") else None
        said = msgspec.structs.replace(said, wrote=failure is None, failure=failure)
    os.write(1, msgspec.json.encode(said) + b"\\n")
"""
"""Notes whom it is asked about, and writes for all but those whose names begin with `bad`."""


@pytest.fixture
def path(tmp_path):
    return session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)


@pytest.fixture
def paid(tmp_path):
    noted, gate = tmp_path / "noted", tmp_path / "gate"
    return program(PAID, noted, gate), noted, gate


def health() -> Health:
    return spending.value_of(Accounts("x").path, Health)


def left(budget: float = 1.0) -> float:
    return round(health().left(budget, time.time()), 6)


def test_what_was_paid_is_in_the_books_of_its_transcript(path, paid):
    command, _, gate = paid
    gate.touch()
    play([path], lambda loop: loop.says("updated", path), WRITING, summarizer=command, accounts=Accounts("x", 1.0))
    assert [one.call.cost for one in spending.spent(Place.of(path).sidecar)] == [0.25]
    assert left() == 0.75


def test_an_answer_about_a_file_that_is_gone_is_paid_all_the_same(path, paid):
    command, noted, gate = paid

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        path.write_text("no transcript any more\n")
        assert loop.says("ignored", path)
        gate.touch()
        assert eventually(lambda: left() == 0.75)

    play([path], story, WRITING, summarizer=command, accounts=Accounts("x", 1.0))


def test_an_answer_about_a_file_that_was_replaced_is_paid_and_so_is_the_next(path, paid):
    command, noted, gate = paid

    def story(loop: Play) -> None:
        assert eventually(noted.exists)
        fresh = path.with_name("fresh")
        fresh.write_bytes(Script("anthropic").turn(8, output=LONG).turn(9, output=LONG).data)
        fresh.replace(path)
        assert loop.says("replaced", path)
        gate.touch()
        assert loop.says("updated", path)
        assert eventually(lambda: left() == 0.5)

    play([path], story, WRITING, summarizer=command, accounts=Accounts("x", 1.0))
    assert len(spending.spent(Place.of(path).sidecar)) == 2


def test_as_many_are_paid_as_the_hour_allows_and_the_others_are_rendered(tmp_path, paid):
    command, _, gate = paid
    gate.touch()
    paths = [session_file(tmp_path / f"run{number}.jsonl", "anthropic", 2, output=LONG) for number in range(6)]

    def story(loop: Play) -> None:
        assert all(loop.says("updated", path) for path in paths)
        assert eventually(lambda: left() == 0.0)
        assert eventually(lambda: all(spending.noted(Place.of(path).sidecar) for path in paths))

    play([tmp_path], story, WRITING, summarizer=command, accounts=Accounts("x", 1.0))
    paid_for = [path for path in paths if spending.spent(Place.of(path).sidecar)]
    assert len(paid_for) == 4
    for path in paths:
        noted = spending.noted(Place.of(path).sidecar)
        assert bool(noted.failure) != (path in paid_for)
        assert bool(Store(Place.of(path)).generations.newest().prose) == (path in paid_for)


def test_a_job_that_is_given_up_at_the_end_counts_as_paid_as_far_as_it_may_have_been(path, paid):
    command, _, _ = paid
    play([path], lambda loop: loop.says("progress", path), WRITING, summarizer=command, accounts=Accounts("x", 1.0))
    assert left() == 0.5
    assert health().failures == 0


def test_without_a_budget_what_is_paid_is_known_too(path, paid):
    command, _, gate = paid
    gate.touch()
    play([path], lambda loop: loop.says("updated", path), WRITING, summarizer=command, accounts=Accounts("x"))
    assert left() == 0.75


def test_a_transcript_that_no_model_can_write_for_keeps_no_other_waiting(tmp_path):
    """And is not asked about again itself, however often its memory is made."""
    noted, bad, good = tmp_path / "noted", tmp_path / "bad.jsonl", tmp_path / "good.jsonl"

    def story(loop: Play) -> None:
        session_file(bad, "anthropic", 2, output=LONG)
        assert loop.says("updated", bad)
        with bad.open("ab") as file:
            file.write(Script("anthropic", serial=900).turn(8, output=LONG).data)
        assert loop.says("updated", bad, 2)
        session_file(good, "anthropic", 2, output=LONG)
        assert loop.says("updated", good)

    play([tmp_path], story, WRITING, summarizer=program(PICKY, noted), accounts=Accounts("x"))
    assert noted.read_text().split() == ["bad.jsonl", "good.jsonl"]


def test_what_was_owed_is_asked_for_when_its_own_pause_is_over(tmp_path):
    """While another transcript still waits for its own."""
    noted, bad, owed = tmp_path / "noted", tmp_path / "bad.jsonl", tmp_path / "owed.jsonl"
    for path in (bad, owed):
        session_file(path, "anthropic", 2, output=LONG)
    accounts = Accounts("x")

    def story(loop: Play) -> None:
        assert loop.says("updated", bad)
        assert loop.says("updated", owed)
        spending.changed(accounts.path, Health, lambda health: Health())
        assert eventually(noted.exists)

    accounts.settled(None, Grant(Job("1", 4000, write=True)), Result("1", failure=Failure("no key")), time.time())
    note = spending.Noted(time.time(), "x", accounts.path.name, "no ink", 1, "no ink", time.time() + 1000)
    Place.of(bad).make()
    spending.note(Place.of(bad).sidecar, note)
    play([tmp_path], story, WRITING, summarizer=program(PICKY, noted), accounts=accounts, idle=0.5)
    assert noted.read_text().split() == ["owed.jsonl"]
