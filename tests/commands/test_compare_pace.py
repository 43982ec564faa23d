"""What the prompt cache would have held at the pace of the recording."""

from __future__ import annotations

import pytest

from memcli.commands.compare import Paced, _paced
from memcli.memory.fitting import rendered
from memcli.memory.jobs import Call, Usage
from memcli.session import Triggers
from memcli.sidecar.generations import Generation
from memcli.watch.replay import Update, replay
from tests.builders import session_file

MODEL = "claude-haiku-4-5"


def update(recorded: float | None, *, read: int = 0, write: int = 0) -> Update:
    call = Call("anthropic", MODEL, Usage(cache_read_tokens=read, cache_write_5m_tokens=write))
    return Update(0, 0.0, (call,), "", Generation(1, "", 0.0, 0), recorded)


@pytest.mark.parametrize(("ttl", "expired", "dollars"), [("5m", 1, 2 * 1.25 + 0.1), ("1h", 0, 1.25 + 0.2)])
def test_what_was_read_later_than_it_lives_is_written_again(ttl, expired, dollars) -> None:
    million = 1_000_000
    at_once = [update(0.0, write=million), update(301.0, read=million), update(500.0, read=million)]
    assert _paced(at_once, ttl) == Paced(2, expired, pytest.approx(dollars))


def test_a_read_keeps_what_it_reads_alive() -> None:
    assert _paced([update(0.0, write=9), update(200.0, read=9), update(400.0, read=9)], "5m").expired == 0


def test_a_second_question_of_an_update_follows_at_once() -> None:
    late = update(900.0, read=9)
    assert _paced([update(0.0, write=9), late._replace(calls=late.calls * 2)], "5m")[:2] == (2, 1)


def test_where_no_line_tells_the_time_nothing_is_said() -> None:
    assert _paced([update(0.0, write=9), update(None, read=9)], "5m") is None


def test_an_update_is_placed_where_the_session_was_by_its_own_clock(tmp_path) -> None:
    path = session_file(tmp_path / "run.jsonl", "claude-code", 6, output="the wheel turns; " * 60)
    room = tmp_path / "room"
    room.mkdir()
    done = replay(path, room, Triggers(init_tokens=500, update_tokens=1_000), rendered, finish=False)
    times = [update.recorded for update in done.updates]
    assert len(times) > 1
    assert times == sorted(times)


@pytest.mark.parametrize("finish", [True, False])
def test_the_last_messages_are_covered_only_where_somebody_waits_for_it(tmp_path, finish) -> None:
    path = session_file(tmp_path / "run.jsonl", "claude-code", 6, output="the wheel turns; " * 60)
    room = tmp_path / "room"
    room.mkdir()
    done = replay(path, room, Triggers(init_tokens=500, update_tokens=100_000), rendered, finish=finish)
    assert (done.updates[-1].generation.covered == path.stat().st_size) == finish
