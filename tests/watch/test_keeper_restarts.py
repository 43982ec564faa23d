"""One transcript over several processes: what one leaves behind the next one trusts only as far as it can be checked."""

from __future__ import annotations

import pytest

from memcli.effects import StartJob
from memcli.session import Triggers
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.watch import spot
from memcli.watch.keeper import REFRESH_SECONDS, Keeper
from tests.builders import FORMATS, Script, session, session_file
from tests.commands.states import edit, grown, rested
from tests.e2e.swaps import memory_of
from tests.session.driver import rendered

SOON = Triggers(init_tokens=1, update_tokens=1, update_tool_calls=1)


@pytest.fixture
def path(tmp_path):
    return rested(session_file(tmp_path / "run.jsonl"))


@pytest.fixture
def keep():
    """Opened keepers, closed with the test."""
    opened = []

    def start(path, triggers: Triggers = SOON) -> Keeper:
        keeper = Keeper(Place.of(path), triggers)
        keeper.open("watch", 0.0)
        opened.append(keeper)
        return keeper

    yield start
    for keeper in opened:
        keeper.close()


def closed(keeper: Keeper) -> Keeper:
    keeper.close()
    return keeper


def published(keeper: Keeper) -> Keeper:
    spot.publish_now(keeper)
    return keeper


def jobs(effects: list) -> list:
    return [effect.job for effect in effects if isinstance(effect, StartJob)]


@pytest.mark.parametrize("format", FORMATS)
def test_the_next_process_begins_where_the_last_one_ended(tmp_path, keep, format):
    path = rested(session_file(tmp_path / "run.jsonl", format))
    first = closed(published(keep(path)))
    second = keep(path)
    assert second.position == path.stat().st_size
    assert second.session.save() == first.session.save()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"memcli-state 9" + data[14:],
        lambda data: b"something else",
    ],
    ids=["empty", "half", "a bit", "of another version", "of somebody else"],
)
def test_a_damaged_state_costs_reading_again_and_nothing_else(path, keep, damage):
    closed(published(keep(path)))
    state = Place.of(path).sidecar / "state"
    state.write_bytes(damage(state.read_bytes()))
    second = keep(path)
    assert (second.position, second.session) == (0, None)
    published(second)
    assert second.store.generations.numbers() == [1]


def test_what_came_while_nobody_watched_is_all_that_is_read(path, keep):
    closed(published(keep(path)))
    grown(path)
    before = path.stat().st_size
    second = keep(rested(path))
    assert second.position < before
    published(second)
    assert second.head.covered == before
    assert second.store.generations.newest().parent == second.store.generations.get(1).id


def test_a_transcript_that_was_cut_while_nobody_watched_is_another_one(path, keep):
    closed(published(keep(path)))
    path.write_bytes(session("claude-code", 1))
    second = keep(path)
    assert second.head is None
    published(second)
    assert "step 2 of the plan" not in second.place.memory.read_text()


def test_a_line_that_was_half_there_at_the_end_is_read_whole(path, keep):
    line = Script("claude-code", after=path.read_bytes(), serial=700).prompt("and paint it blue").data
    with path.open("ab") as file:
        file.write(line[:30])
    first = keep(path)
    first.catch_up(0.0)
    messages = first.session.messages
    closed(first)
    with path.open("ab") as file:
        file.write(line[30:])
    second = keep(path)
    second.catch_up(1.0)
    assert second.session.messages == messages + 1
    assert second.session.reader.problems == {}


def test_going_back_after_a_restart_takes_the_snapshot_of_the_process_before(tmp_path, keep):
    script = Script("claude-code").turn(0)
    fork = script.leaf
    path = tmp_path / "run.jsonl"
    path.write_bytes(script.turn(1).turn(2).data)
    closed(published(keep(rested(path))))
    script.leaf = fork
    path.write_bytes(script.prompt("the other way round").say("As you wish.").data)
    second = published(keep(rested(path)))
    assert "step 2 of the plan" not in second.place.memory.read_text()
    assert "the other way round" in second.place.memory.read_text()


def test_a_job_that_was_out_when_the_process_ended_is_asked_for_again(path, keep):
    first = keep(path)
    first.catch_up(0.0)
    (job,) = jobs(first.tick(9.0, 0.0))
    closed(first)
    assert jobs(keep(path).tick(9.0, 0.0)) == [job]


def test_an_answer_to_the_process_before_is_worth_nothing_to_the_next_one(path, keep):
    first = keep(path)
    first.catch_up(0.0)
    (job,) = jobs(first.tick(9.0, 0.0))
    closed(first)
    second = keep(path)
    assert second.answered(rendered(job), 9.0, 0.0) == []
    assert second.head is None


def test_a_line_written_while_nobody_watched_is_heard(path, keep):
    closed(published(keep(path)))
    edit(path, "User Intent", "- never push to main")
    published(keep(path))
    assert "never push to main" in Place.of(path).memory.read_text()


def test_a_line_written_while_a_job_is_out_is_heard_after_its_answer(path, keep):
    """The answer was asked for before the line was written; it must neither lose it nor be thrown away."""
    keeper = published(keep(path))
    grown(path)
    keeper.look(5.0)
    (job,) = jobs(keeper.tick(9.0, 0.0))
    edit(path, "User Intent", "- never push to main")
    keeper.answered(rendered(job), 9.0, 0.0)
    (again,) = jobs(keeper.tick(10.0, 0.0))
    keeper.answered(rendered(again), 10.0, 0.0)
    memory = keeper.place.memory.read_text()
    assert memory.count("never push to main") == 1
    assert "step 7 of the plan" in memory


def test_the_markdown_follows_at_most_once_a_second_and_the_state_of_now_at_once(path, keep):
    keeper = published(keep(path))
    states = []
    for number, now in ((11, 50.0), (12, 50.0 + REFRESH_SECONDS / 2), (13, 50.1 + REFRESH_SECONDS)):
        with path.open("ab") as file:
            file.write(
                Script("claude-code", after=path.read_bytes(), serial=100 * number).prompt(f"wish {number}").data
            )
        keeper.look(now)
        keeper.tick(now, 0.0)
        states.append(
            (
                f"wish {number}" in keeper.place.memory.read_text(),
                f"wish {number}".encode() in (keeper.place.sidecar / "now").read_bytes(),
            )
        )
    assert states == [(True, True), (False, True), (True, True)]


def test_looking_takes_no_name_and_publishing_takes_it(path, keep, tmp_path):
    """A file that turns out to hold nothing must not own the plain name."""
    first, other = keep(path), rested(session_file(tmp_path / "other.jsonl", "pi"))
    first.catch_up(0.0)
    assert published(keep(other)).place.memory.name == "session-memory.md"
    assert published(first).place.memory.name == "run.session-memory.md"


def test_a_lock_is_given_back_also_when_nothing_can_be_saved(path):
    keeper = Keeper(Place.of(path), SOON)
    keeper.open("watch", 0.0)
    keeper.catch_up(0.0)
    (keeper.place.sidecar / "state").mkdir()
    with pytest.raises(OSError, match="directory"):
        keeper.close()
    assert holder(keeper.place.lock) is None


@pytest.mark.parametrize("format", FORMATS)
def test_a_process_a_turn_makes_the_memory_of_one_pass(tmp_path, keep, format):
    (tmp_path / "whole").mkdir()
    path, script = tmp_path / "run.jsonl", Script(format)
    for number in range(4):
        path.write_bytes(script.turn(number).data)
        closed(published(keep(rested(path))))
    whole = session_file(tmp_path / "whole" / "run.jsonl", format, 4)
    assert Place.of(path).memory.read_text() == memory_of(whole)
