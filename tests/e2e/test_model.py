"""`memcli update` and `memcli watch` with a model, as processes: exit codes, what is said, what is left behind, what it costs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

import pytest

from memcli.sidecar import spending
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.builders import Script, eventually, session_file
from tests.cli.command import fails, memcli
from tests.commands.states import grown, remembered, rested

LONG = "the wheel turns and the water runs; " * 60
PROSE = "The user wants the plan done step by step."
OFTEN = ("--init-tokens", "200", "--update-tokens", "200", "--min-update-tokens", "0")


@pytest.fixture(autouse=True)
def a_model(messages_api, monkeypatch):
    """Every process of a test finds the server, and nothing else."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", messages_api.url)
    monkeypatch.setenv("MEMCLI_DIALECT", "anthropic")


@pytest.fixture
def path(tmp_path) -> Path:
    return rested(session_file(tmp_path / "run.jsonl", turns=2, output=LONG))


@pytest.fixture(autouse=True)
def nobody_left_behind(tmp_path, monkeypatch):
    """No child and no grandchild of a process we started lives when the test ends; each inherits a variable of ours."""
    monkeypatch.setenv("STARTED_BY_A_TEST", f"mark-of-{tmp_path}")
    yield
    assert eventually(lambda: marked(tmp_path) == []), marked(tmp_path)


def marked(tmp_path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (process / "environ").read_bytes()
            if f"mark-of-{tmp_path}\0".encode() in environment and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def generation(path):
    return Store(Place.of(path)).generations.newest()


def status(path, *more: str) -> dict:
    return json.loads(memcli("status", path, "--json", *more).out)


# ------------------------------------------------------------------ update


def test_an_update_is_written_by_the_model_and_the_next_one_goes_on_from_it(path, messages_api):
    first = memcli("update", path)
    assert (first.code, first.out) == (0, "")
    assert generation(path).model == "claude-haiku-5-5"
    grown(path)
    assert memcli("update", rested(path)).code == 0
    assert [call.outcome for call in generation(path).calls] == ["accepted"]
    assert "step 7 of the plan" in Place.of(path).memory.read_text()
    assert len(messages_api.log.asked()) == 2
    assert status(path, "--cost")["cost"]["accepted"] == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("401", "answered 401"), ("hang", "did not answer within"), ("half-json*2", "the answer was not taken")],
)
def test_a_model_that_fails_is_a_warning_and_the_update_is_done(path, messages_api, monkeypatch, fault, reason):
    monkeypatch.setenv("MEMCLI_TIMEOUT", "8" if fault == "hang" else "60")
    messages_api.script(fault)
    ran = memcli("update", path)
    assert (ran.code, ran.out) == (0, "")
    assert "memcli: no model wrote (" in ran.err
    assert reason in ran.err
    assert "generation 1, covers" in ran.err
    assert "please do step 1 of the plan" in Place.of(path).memory.read_text()
    assert memcli("update", path, "--check").code == 0
    found = status(path)
    assert (found["state"], found["summarizer"]["failures"]) == ("current", 1)
    assert reason in found["summarizer"]["reason"]
    assert reason in memcli("status", path).out


def test_who_asks_again_after_a_failure_is_not_told_to_wait(path, messages_api):
    messages_api.script("401")
    memcli("update", path)
    assert "no model" not in memcli("update", path).err
    assert generation(path).prose
    assert status(path)["summarizer"]["failures"] == 0


def test_a_server_that_is_not_there_costs_no_more_than_its_name(path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    ran = memcli("update", path)
    assert ran.code == 0
    assert "127.0.0.1:9 cannot be reached" in ran.err


def test_without_a_key_the_model_is_refused_and_status_tells_it(path, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.delenv("ANTHROPIC_BASE_URL")
    monkeypatch.setenv("MEMCLI_BACKEND", "anthropic")
    assert fails(memcli("update", path)) == (2, "no key for the anthropic backend is in the environment")
    assert "no key for the anthropic backend" in memcli("status", path).out


def test_a_command_that_hangs_is_ended_with_all_it_started(path, monkeypatch):
    monkeypatch.setenv("MEMCLI_TIMEOUT", "1")
    ran = memcli("update", path, "--command", "sh -c 'sleep 600 & sleep 600'")
    assert ran.code == 0
    assert "sh did not answer within 1 s" in ran.err


# ------------------------------------------------------------------ budget


def test_a_question_that_could_cost_more_than_is_left_is_not_asked(path, messages_api):
    ran = memcli("update", path, "--max-cost-per-hour", "0.000001")
    assert ran.code == 0
    assert "is left of the hourly budget" in ran.err
    assert messages_api.log.asked() == []


def test_a_model_without_a_known_price_is_not_asked_on_a_budget(path, messages_api):
    ran = memcli("update", path, "--max-cost-per-hour", "5", "--model", "claude-sphinx-9")
    assert ran.code == 0
    assert "no price is known for claude-sphinx-9, so no budget can be kept" in ran.err
    assert messages_api.log.asked() == []


def test_a_budget_of_nothing_asks_nobody_and_says_so(path, messages_api):
    ran = memcli("update", path, "--max-cost-per-hour", "0")
    assert "no model was asked: the hourly budget of $0 is spent" in ran.err
    assert messages_api.log.asked() == []
    assert status(path)["summarizer"]["reason"] == "the hourly budget of $0 is spent"


def test_two_daemons_together_never_spend_more_than_the_hour_may_cost(tmp_path, watch, messages_api):
    """Many transcripts that all want a model, for which there is money for a few."""
    budget, trees = 0.0045, [tmp_path / "one", tmp_path / "two"]
    paths = []
    for tree in trees:
        tree.mkdir()
        paths += [session_file(tree / f"run{number}.jsonl", "anthropic", 4, output=LONG) for number in range(4)]
    for tree in trees:
        watch(tree, *OFTEN, "--max-cost-per-hour", budget)
    assert eventually(lambda: all(Store(Place.of(path)).head() for path in paths))
    assert eventually(lambda: all(spending.noted(Place.of(path).sidecar) for path in paths))
    notes = [spending.noted(Place.of(path).sidecar).failure for path in paths]
    paid = sum(one.call.cost for path in paths for one in spending.spent(Place.of(path).sidecar))
    assert 0 < paid <= budget
    assert any("hourly budget" in note for note in notes)
    assert len(messages_api.log.asked()) == sum(len(spending.spent(Place.of(path).sidecar)) for path in paths)


# ------------------------------------------------------------------ watch


def test_a_trigger_is_one_request_and_a_failure_waits_its_time(path, watch, messages_api):
    """After a failure the facts follow the transcript, and nobody is asked."""
    messages_api.script("401*99")
    daemon = watch(path, *OFTEN)
    assert daemon.says("no model wrote")
    for number in range(3):
        with path.open("ab") as file:
            file.write(
                Script("claude-code", after=path.read_bytes(), serial=900 * (number + 1))
                .turn(10 + number, output=LONG)
                .data
            )
        assert eventually(lambda: f"step {10 + number} of the plan" in Place.of(path).memory.read_text())  # noqa: B023
    assert len(messages_api.log.asked()) == 1
    assert status(path)["summarizer"]["permanent"] is True


def test_backing_off_survives_a_kill(path, watch, messages_api):
    messages_api.script("401*99")
    first = watch(path, *OFTEN)
    assert first.says("no model wrote")
    first.kill()
    second = watch(path, *OFTEN, "-v")
    with path.open("ab") as file:
        file.write(Script("claude-code", after=path.read_bytes(), serial=900).turn(10, output=LONG).data)
    assert second.says("no model was asked: ")
    assert second.says("updated")
    assert len(messages_api.log.asked()) == 1


def test_what_is_owed_is_written_once_the_model_may_be_asked_again(path, watch, messages_api):
    """The pause is over before its time: somebody else's update went well."""
    messages_api.script("529*3")
    daemon = watch(path, *OFTEN)
    assert daemon.says("no model wrote")
    other = rested(session_file(path.with_name("other.jsonl")))
    assert memcli("update", other).code == 0
    assert eventually(lambda: bool(generation(path).prose))


def test_a_daemon_that_is_killed_in_the_middle_of_a_request_leaves_nobody(path, watch, messages_api):
    messages_api.script("hang*9")
    daemon = watch(path, *OFTEN)
    assert eventually(lambda: len(messages_api.log.asked()) == 1)
    daemon.kill()


def test_a_daemon_that_is_stopped_in_the_middle_of_a_request_ends_in_time(path, watch, messages_api, monkeypatch):
    monkeypatch.setenv("MEMCLI_TIMEOUT", "86400")
    messages_api.script("hang*9")
    daemon = watch(path, *OFTEN)
    assert eventually(lambda: len(messages_api.log.asked()) == 1)
    assert daemon.end() == 128 + signal.SIGTERM


def test_a_daemon_that_is_killed_takes_a_hanging_command_along(path, watch, tmp_path):
    started = tmp_path / "started"
    daemon = watch(path, *OFTEN, "--command", f"sh -c 'touch {started}; sleep 600 & sleep 600'")
    assert eventually(started.exists)
    daemon.kill()


def test_a_lost_state_is_read_again_and_not_paid_again(path, messages_api):
    """An update of memcli may not understand it: the prose stands, and the model is told only what is new."""
    prose = generation(remembered(path, PROSE)).prose
    (Place.of(path).sidecar / "state").unlink()
    messages_api.script("401")
    grown(path)
    memcli("update", rested(path))
    assert generation(path).prose == prose
    assert "step 7 of the plan" in Place.of(path).memory.read_text()
    memcli("update", path)
    told = str(messages_api.log.last().body["messages"]).split("\\n[/")[0]
    assert "step 7 of the plan" in told
    assert "step 0 of the plan" not in told


# ------------------------------------------------------------------ fresh


def test_a_fresh_compaction_waits_for_the_model_and_says_how_long(path, messages_api):
    ran = memcli("compact", path, "--fresh")
    assert ran.code == 0
    assert "memcli: waiting for anthropic claude-haiku-5-5" in ran.err
    assert "answered after" in ran.err
    assert "written now" in ran.err
    assert "step 0 of the plan" in str(messages_api.log.last().body["messages"]).split("The conversation.")[1]


def test_a_fresh_compaction_whose_model_fails_keeps_the_prose_and_the_facts(path, messages_api):
    prose = generation(remembered(path, PROSE)).prose
    messages_api.script("529*3")
    ran = memcli("compact", path, "--fresh")
    assert ran.code == 0
    assert "529" in ran.err
    assert json.dumps(next(iter(prose.values())).splitlines()[0])[1:-1] in ran.out


def test_a_fresh_compaction_of_a_stream_is_written_too(path, messages_api):
    ran = memcli("compact", "-", "--fresh", stdin=path.read_bytes())
    assert ran.code == 0
    assert len(messages_api.log.asked()) == 1
    assert not (path.parent / ".memcli").exists()


def test_a_fresh_compaction_beside_a_daemon_is_written_and_changes_nothing_of_its(path, watch, messages_api):
    daemon = watch(path, "--init-tokens", 10**9)
    assert daemon.says("following")
    ran = memcli("compact", path, "--fresh")
    assert (ran.code, len(messages_api.log.asked())) == (0, 1)
    assert "written now beside the daemon" in ran.err
    assert Store(Place.of(path)).head() is None


def test_a_compaction_that_is_not_fresh_asks_no_model(path, messages_api):
    assert memcli("compact", path).code == 0
    assert messages_api.log.asked() == []


def test_fresh_without_a_model_folds_anew_and_says_so(path, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert "refolded now without a model" in memcli("compact", path, "--fresh").err
