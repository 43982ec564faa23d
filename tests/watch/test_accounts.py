"""Leave to ask a model, and what it came to; shared by all daemons of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.memory.jobs import Call, Failure, Job, Result, Usage
from memcli.sidecar import spending
from memcli.userdirs import state_dir
from memcli.watch.accounts import Accounts, Grant
from memcli.watch.health import HOUR_SECONDS, TRIES

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_000_000.0
NAME = "anthropic\nclaude-haiku-5-5\n\n\n"


def job(name: str = "9-0", *, write: bool = True) -> Job:
    return Job(name, 4000, write=write)


def answered(cost: float | None = 0.0, **more: object) -> Result:
    call = Call("anthropic", "claude-haiku-5-5", Usage(100, output_tokens=10), 5, cost, "2026-11-12")
    return Result("9-0", {"User Intent": "-"}, calls=(call,), **{"wrote": True, **more})


def rejected(accounts: Accounts, sidecar: Path, wall: float = NOW) -> None:
    """The model's answer about this transcript could not be taken."""
    accounts.settled(sidecar, Grant(job()), failed(own=True), wall)


@pytest.fixture
def sidecar(tmp_path):
    """Gives the sidecar of a transcript by its number."""

    def made(number: int) -> Path:
        (tmp_path / str(number)).mkdir(exist_ok=True)
        return tmp_path / str(number)

    return made


def failed(**how: object) -> Result:
    return Result("9-0", {"User Intent": "-"}, failure=Failure("no ink", **how))


def test_a_job_for_no_model_is_granted_as_it_is():
    accounts = Accounts(NAME, 0.0)
    assert accounts.granted(job(write=False), NOW) == (job(write=False), "")


def test_without_a_budget_nothing_bounds_the_price():
    assert Accounts(NAME).granted(job(), NOW).job.max_cost is None


def test_a_job_may_spend_what_the_hour_has_left():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.settled(None, Grant(job()), answered(0.25), NOW)
    assert accounts.granted(job(), NOW).job.max_cost == 0.75


def test_a_spent_budget_refuses_the_model_and_not_the_memory():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.settled(None, Grant(job()), answered(1.0), NOW)
    granted, refused = accounts.granted(job(), NOW + 1)
    assert (granted.write, refused) == (False, "the hourly budget of $1 is spent")
    assert accounts.retry_at(NOW + 1) == NOW + HOUR_SECONDS


def test_a_person_who_asks_is_not_told_to_come_back_later():
    accounts = Accounts(NAME)
    accounts.settled(None, Grant(job()), failed(), NOW)
    assert accounts.granted(job(), NOW + 1).refused == "no ink; next try in 29 s"
    assert accounts.granted(job(), NOW + 1, asked=True).job.write


def test_a_person_who_asks_cannot_spend_what_is_not_there():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.settled(None, Grant(job()), answered(1.0), NOW)
    assert not accounts.granted(job(), NOW + 1, asked=True).job.write


def test_backing_off_survives_a_restart():
    Accounts(NAME).settled(None, Grant(job()), failed(), NOW)
    assert Accounts(NAME).granted(job(), NOW + 1).refused
    assert Accounts(NAME).retry_at(NOW + 1) == NOW + 30.0


def test_another_model_is_another_matter():
    Accounts(NAME).settled(None, Grant(job()), failed(permanent=True), NOW)
    assert Accounts("anthropic\nanother\n\n\n").granted(job(), NOW + 1).refused == ""


def test_two_daemons_never_spend_the_same_dollar():
    """The second one is refused what the first one's job may still need."""
    first, second = Accounts(NAME, 1.0), Accounts(NAME, 1.0)
    assert first.granted(job(), NOW).job.max_cost == 1.0
    assert second.granted(job(), NOW).refused == "the hourly budget of $1 is spent or held for another update"
    first.bounded(0.4, NOW)
    assert second.granted(job(), NOW).job.max_cost == pytest.approx(0.6)
    first.settled(None, Grant(job()), answered(0.1), NOW)
    second.settled(None, Grant(job()), answered(0.2), NOW)
    assert first.granted(job(), NOW).job.max_cost == pytest.approx(0.7)


def test_what_a_child_may_have_spent_before_it_died_counts_as_spent():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.bounded(0.4, NOW)
    accounts.settled(None, Grant(job()), Result("9-0", error="the summarizer ended"), NOW)
    assert accounts.granted(job(), NOW + 60).job.max_cost == pytest.approx(0.6)


def test_a_child_that_died_before_it_asked_anybody_spent_nothing():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.settled(None, Grant(job()), Result("9-0", error="the summarizer ended"), NOW)
    assert accounts.granted(job(), NOW + 60).job.max_cost == 1.0


def test_a_daemon_that_was_killed_leaves_what_its_job_may_have_spent():
    killed = Accounts(NAME, 1.0)
    killed.granted(job(), NOW)
    killed.bounded(0.4, NOW)
    assert Accounts(NAME, 1.0).granted(job(), NOW + 60).job.max_cost == pytest.approx(0.6)


def test_a_job_that_is_given_up_is_paid_as_far_as_it_went():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.bounded(0.4, NOW)
    accounts.dropped(NOW)
    assert accounts.granted(job(), NOW).job.max_cost == pytest.approx(0.6)


def test_an_answer_at_an_unknown_price_costs_what_it_could_at_most():
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.bounded(0.4, NOW)
    accounts.settled(None, Grant(job()), answered(None), NOW)
    assert accounts.granted(job(), NOW).job.max_cost == pytest.approx(0.6)


def test_what_it_came_to_stands_beside_the_transcript(tmp_path):
    accounts = Accounts(NAME)
    accounts.settled(tmp_path, Grant(job()), answered(0.25), NOW)
    accounts.settled(tmp_path, Grant(job()), failed(), NOW + 1)
    assert [one.call.cost for one in spending.spent(tmp_path)] == [0.25]
    noted = spending.noted(tmp_path)
    assert (noted.name, noted.failure, noted.made) == ("anthropic claude-haiku-5-5", "no ink", NOW + 1)


def test_a_refusal_is_noted_as_the_reason_why_nobody_wrote(tmp_path):
    accounts = Accounts(NAME, 0.0)
    granted = accounts.granted(job(), NOW)
    accounts.settled(tmp_path, granted, Result("9-0"), NOW)
    assert spending.noted(tmp_path).failure == "the hourly budget of $0 is spent"


def test_no_command_line_is_noted(tmp_path):
    """It may hold a secret."""
    Accounts("command\n\n\nask --key hunter2\n").settled(tmp_path, Grant(job()), answered(), NOW)
    assert b"hunter2" not in (tmp_path / spending.NOTE).read_bytes()


def test_an_answer_that_is_not_taken_makes_its_transcript_wait_and_no_other(sidecar):
    """Whichever process asks."""
    rejected(Accounts(NAME), sidecar(1))
    assert Accounts(NAME).granted(job(), NOW + 1, sidecar(1)).refused == "no ink; next try in 29 s"
    assert Accounts(NAME).retry_at(NOW + 1, sidecar(1)) == NOW + 30
    assert Accounts(NAME).granted(job(), NOW + 1, sidecar(2)).job.write
    assert Accounts(NAME).retry_at(NOW + 1) == NOW + 1


def test_a_transcript_that_waits_for_one_model_may_ask_another(sidecar):
    rejected(Accounts(NAME), sidecar(1))
    assert Accounts("anthropic\nanother\n\n\n").granted(job(), NOW + 1, sidecar(1)).job.write


def test_a_transcript_waits_the_longer_the_more_often_it_fails_until_it_is_answered(sidecar):
    accounts = Accounts(NAME)
    rejected(accounts, sidecar(1))
    rejected(accounts, sidecar(1), NOW + 30)
    assert accounts.retry_at(NOW + 31, sidecar(1)) == NOW + 90
    accounts.settled(sidecar(1), Grant(job()), answered(), NOW + 90)
    assert accounts.retry_at(NOW + 91, sidecar(1)) == NOW + 91


def test_a_fault_of_the_server_takes_no_transcripts_own_pause_away(sidecar):
    accounts = Accounts(NAME)
    rejected(accounts, sidecar(1))
    rejected(accounts, sidecar(1), NOW + 30)
    accounts.settled(sidecar(1), Grant(job()), failed(), NOW + 31)
    assert accounts.retry_at(NOW + 31, sidecar(1)) == NOW + 90
    assert accounts.retry_at(NOW + 31, sidecar(2)) == NOW + 61


def test_one_transcript_that_always_fails_stops_no_other(sidecar):
    for time in range(20):
        rejected(Accounts(NAME), sidecar(1), NOW + 3600 * time)
    assert Accounts(NAME).granted(job(), NOW + 3600 * 19, sidecar(2)).job.write


def test_a_model_that_fails_with_every_transcript_is_at_fault_itself(sidecar):
    accounts = Accounts(NAME)
    for number in range(TRIES - 1):
        rejected(accounts, sidecar(number))
    assert accounts.granted(job(), NOW, sidecar(TRIES)).job.write
    rejected(accounts, sidecar(TRIES))
    assert accounts.granted(job(), NOW, sidecar(TRIES + 1)).refused == "no ink; next try in 30 s"


def test_a_good_answer_in_between_clears_a_model(sidecar):
    accounts = Accounts(NAME)
    for number in range(2 * TRIES):
        rejected(accounts, sidecar(number))
        accounts.settled(sidecar(99), Grant(job()), answered(), NOW)
    assert accounts.granted(job(), NOW, sidecar(100)).job.write


def test_without_a_state_directory_the_process_remembers_for_itself():
    state_dir().parent.mkdir(parents=True)
    state_dir().write_text("a file stands in its place")
    accounts = Accounts(NAME, 1.0)
    accounts.granted(job(), NOW)
    accounts.settled(None, Grant(job()), answered(0.25), NOW)
    assert accounts.granted(job(), NOW).job.max_cost == 0.75


def test_a_damaged_health_file_begins_anew():
    accounts = Accounts(NAME, 1.0)
    accounts.path.parent.mkdir(parents=True)
    accounts.path.write_bytes(b"\xff{")
    assert accounts.granted(job(), NOW).job.max_cost == 1.0
