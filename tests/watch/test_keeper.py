"""One transcript, kept: read, published, saved, gone on with."""

from __future__ import annotations

import pytest

from memcli import head as heads
from memcli.errors import AlreadyWatched, NoMessages, NotATranscript
from memcli.session import Triggers, UpToDate
from memcli.sidecar.place import Place
from memcli.watch import spot
from memcli.watch.follower import Replaced
from memcli.watch.keeper import Keeper
from memcli.watch.once import update_once
from tests.builders import FORMATS, Script, session, session_file


@pytest.fixture
def keep(tmp_path):
    """Keepers of one transcript, closed with the test."""
    opened = []

    def start(data: bytes | None = None) -> Keeper:
        path = tmp_path / "t.jsonl"
        if data is not None:
            path.write_bytes(data)
        keeper = Keeper(Place.of(path), Triggers())
        keeper.open("test", 0.0)
        opened.append(keeper)
        return keeper

    yield start
    for keeper in opened:
        keeper.close()


def memory(keeper: Keeper) -> str:
    return keeper.place.memory.read_text()


def append(keeper: Keeper, data: bytes) -> None:
    with keeper.place.transcript.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_is_recognised_and_remembered(keep, format):
    keeper = keep(session(format))
    spot.publish_now(keeper)
    assert keeper.session.format == format
    assert "please do step 2 of the plan" in memory(keeper)


def test_two_keepers_of_one_transcript_are_one_too_many(keep):
    keep(session("pi"))
    with pytest.raises(AlreadyWatched):
        keep()


def test_a_keeper_goes_on_where_the_last_one_stood(keep):
    first = keep(session("codex"))
    spot.publish_now(first)
    first.close()
    second = keep()
    assert second.position == len(session("codex"))
    assert second.session.messages == first.session.messages


def test_nothing_is_published_twice(keep):
    first = keep(session("codex"))
    spot.publish_now(first)
    first.close()
    second = keep()
    second.session.ask()
    assert any(isinstance(effect, UpToDate) for effect in second.tick(10.0, 0.0))
    assert second.store.generations.newest().n == 1


def test_what_was_saved_for_another_transcript_is_forgotten(keep):
    first = keep(session("pi"))
    spot.publish_now(first)
    first.close()
    other = keep(session("anthropic", 6))
    assert other.session is None
    assert other.head is None


def test_a_replaced_file_is_noticed_and_its_memory_made_anew(keep):
    keeper = keep(session("pi"))
    spot.publish_now(keeper)
    keeper.place.transcript.write_bytes(session("anthropic", 1))
    assert any(isinstance(effect, Replaced) for effect in keeper.look(1.0))
    spot.publish_now(keeper)
    assert "step 2" not in memory(keeper)


def test_a_stream_of_half_lines_is_one_transcript(keep):
    data = session("claude-code")
    keeper = keep(b"")
    for place in range(0, len(data), 97):
        append(keeper, data[place : place + 97])
        keeper.look(0.0)
    spot.publish_now(keeper)
    assert keeper.session.messages == 15
    assert keeper.session.reader.problems == {}


def test_a_first_line_that_is_half_there_is_waited_for(keep):
    data = session("claude-code")
    keeper = keep(data[:40])
    assert keeper.look(0.0) == []
    append(keeper, data[40:])
    keeper.look(0.0)
    assert keeper.session.format == "claude-code"


def test_the_state_of_now_is_fresher_than_the_memory(keep):
    keeper = keep(session("anthropic"))
    spot.publish_now(keeper)
    append(keeper, Script("anthropic").prompt("now paint it red").data)
    keeper.look(20.0)
    keeper.tick(20.0, 0.0)
    now = heads.parse_now((keeper.place.sidecar / "now").read_bytes(), keeper.head)
    assert now.end == keeper.place.transcript.stat().st_size
    assert b"paint it red" in now.state
    assert "paint it red" in memory(keeper)


def test_a_users_edit_of_the_memory_outlives_the_next_update(keep):
    keeper = keep(session("anthropic"))
    spot.publish_now(keeper)
    text = memory(keeper)
    keeper.place.memory.write_text(text.replace("## User Intent\n", "## User Intent\n- never touch the mill wheel\n"))
    append(keeper, Script("anthropic").turn(9).data)
    spot.publish_now(keeper)
    assert "never touch the mill wheel" in memory(keeper)
    assert "step 9 of the plan" in memory(keeper)


def test_update_once_asks_a_child_and_covers_the_file(keep):
    keeper = keep(session("openai"))
    done = update_once(keeper)
    assert done.generation.n == 1
    assert keeper.head.covered == len(session("openai"))


def test_the_childs_memory_and_the_one_made_here_are_the_same(keep, tmp_path):
    keeper = keep(session("codex", 5, rounds=3))
    update_once(keeper)
    other = Keeper(Place.of(session_file(tmp_path / "u.jsonl", "codex", 5, rounds=3)), Triggers())
    other.open("test", 0.0)
    spot.publish_now(other)
    other.close()
    assert memory(other) == memory(keeper)


def test_one_message_without_line_end_is_a_transcript(keep):
    keeper = keep(Script("anthropic").prompt("hello").data.rstrip(b"\n"))
    spot.publish_now(keeper)
    assert keeper.session.messages == 1


def test_bookkeeping_alone_is_no_conversation(keep):
    keeper = keep(b'{"type":"file-history-snapshot","messageId":"m","snapshot":{}}\n')
    with pytest.raises(NoMessages):
        spot.publish_now(keeper)


def test_a_text_is_no_transcript(keep):
    with pytest.raises(NotATranscript):
        keep(b"hello\nworld\n").look(0.0)
