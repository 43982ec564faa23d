"""Memories made on the spot: all in one pass, and nothing of what is committed changes unless it was asked for."""

from __future__ import annotations

import threading

import pytest

from memcli.errors import NoMessages
from memcli.session import Triggers
from memcli.sidecar import lineage
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper
from tests.builders import FORMATS, Script, eventually, session_file, tail_of, told
from tests.commands.states import edit, grown, remembered, rested
from tests.e2e.swaps import compacted


def reader(path) -> Follower:
    return Follower(str(rested(path)), Place.of(path), Triggers())


@pytest.mark.parametrize("format", FORMATS)
def test_a_head_of_now_covers_what_a_committed_one_would(tmp_path, format):
    path = session_file(tmp_path / "run.jsonl", format)
    made = spot.head_now(reader(path))
    committed = Store(Place.of(remembered(path))).head()
    assert (made.covered, made.end, made.tail, made.messages) == (
        committed.covered,
        committed.end,
        committed.tail,
        committed.messages,
    )


def test_a_head_of_now_leaves_no_trace(tmp_path):
    path = session_file(tmp_path / "run.jsonl")
    spot.head_now(reader(path))
    assert list(tmp_path.iterdir()) == [path]


def test_made_twice_it_is_the_same(tmp_path):
    path = session_file(tmp_path / "run.jsonl")
    one, other = spot.head_now(reader(path)), spot.head_now(reader(path))
    assert (one.generation, one.before, one.after) == (other.generation, other.before, other.after)


def test_of_a_single_prompt_the_memory_is_empty_and_the_tail_is_all(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("pi").prompt("mend the dam").data)
    made = spot.head_now(reader(path))
    assert made.covered == made.tail
    assert made.tail_messages == made.messages == 1


@pytest.mark.parametrize("data", [b"", Script("codex").data])
def test_of_nothing_said_there_is_no_head(tmp_path, data):
    path = tmp_path / "run.jsonl"
    path.write_bytes(data)
    with pytest.raises(NoMessages):
        spot.head_now(reader(path))


def test_with_a_store_the_generation_is_recorded_and_the_head_that_is_committed_stays(tmp_path):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    grown(path)
    store = Store(Place.of(path))
    before = store.head()
    made = spot.head_now(reader(path), store)
    assert store.head() == before
    assert made.generation == store.generations.newest().id != before.generation
    assert lineage.find(made.generation, path).ledger


def test_with_a_store_the_same_memory_is_not_recorded_twice(tmp_path):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    store = Store(Place.of(path))
    assert spot.head_now(reader(path), store).generation == store.head().generation
    assert store.generations.numbers() == [1]


def test_with_a_store_what_the_user_wrote_is_heard(tmp_path):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    edit(path, "User Intent", "- never push to main")
    made = spot.head_now(reader(path), Store(Place.of(path)))
    assert b"never push to main" in made.before + made.after


def test_what_was_made_beside_a_daemon_was_not_struck_out_by_who_edits_what_it_published(tmp_path):
    """The newest generation is not the one that stands in the Markdown."""
    path = remembered(session_file(tmp_path / "run.jsonl"))
    grown(path, number=7)
    spot.head_now(reader(path), Store(Place.of(path)))
    edit(path, "User Intent", "- never push to main")
    made = spot.head_now(reader(path), Store(Place.of(path)))
    assert b"never push to main" in made.before + made.after
    assert b"step 7 of the plan" in made.before + made.after


def test_a_file_that_is_written_to_without_a_pause_is_compacted_as_far_as_it_goes(tmp_path):
    """Its end is never quiet: what stands there when patience ends is the tail, each message once."""
    path = session_file(tmp_path / "run.jsonl", "anthropic")
    before, over = path.stat().st_size, threading.Event()

    def write() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            with path.open("ab") as file:
                file.write(Script("anthropic").say(f"and on, {number}").data)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert eventually(lambda: path.stat().st_size > before)
        tail = tail_of("anthropic", compacted(path))
    finally:
        over.set()
        writer.join()
    whole = told("anthropic", path.read_bytes())
    start = whole.index(tail[0])
    assert tail == whole[start : start + len(tail)]
    assert len(tail) > 4


def test_a_file_that_has_rested_needs_no_patience(tmp_path, monkeypatch):
    """Nor has a machine that is too busy to come to it in time: what is quiet by then is covered."""
    monkeypatch.setattr(spot, "PATIENCE_SECONDS", 0.0)
    path = remembered(session_file(tmp_path / "run.jsonl"))
    assert Store(Place.of(path)).head().covered == path.stat().st_size


def test_a_pass_over_everything_that_was_forgotten_makes_a_memory_of_the_same_words(tmp_path):
    path = remembered(session_file(tmp_path / "run.jsonl"))
    keeper = Keeper(Place.of(path), Triggers())
    keeper.open("compact", 0.0)
    before = keeper.place.memory.read_text()
    keeper.forget()
    assert keeper.head is None
    spot.publish_now(keeper)
    keeper.close()
    assert keeper.place.memory.read_text() == before
