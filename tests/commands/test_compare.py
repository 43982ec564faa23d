"""The ways to compact, side by side: what is counted, for people and for machines."""

from __future__ import annotations

import json

import pytest

from memcli.commands.compare import compare
from memcli.errors import NoMessages, NotATranscript, Usage
from memcli.memory.fitting import rendered
from memcli.session import Triggers
from memcli.watch import replay
from tests.builders import FORMATS, Script, session, session_file

LONG = "the wheel turns and the water runs; " * 60


@pytest.fixture
def with_a_model(messages_api, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", messages_api.url)
    monkeypatch.setenv("MEMCLI_DIALECT", "anthropic")
    monkeypatch.setenv("MEMCLI_INIT_TOKENS", "1000")
    monkeypatch.setenv("MEMCLI_UPDATE_TOKENS", "1500")


def told(path, capsys, **overrides: object) -> dict:
    capsys.readouterr()
    assert compare(path, overrides, as_json=True, quiet=True) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_without_a_model_two_ways_are_compared_and_cost_nothing(tmp_path, capsys):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 8, output=LONG)
    found = told(path, capsys)
    assert (found["schema"], found["transcript"]) == ("memcli.compare/1", str(path))
    assert found["summarizer"]["name"] == "embedded"
    assert [way["name"] for way in found["ways"]] == ["traditional", "instant"]
    assert all(way["dollars"] == 0 and not any(way["billed"].values()) for way in found["ways"])
    assert all(way["cache_hit_rate"] is None for way in found["ways"])
    assert path.read_bytes() == session("anthropic", 8, output=LONG)
    assert list(tmp_path.iterdir()) == [path]


def test_with_a_model_three_ways_are_compared_by_what_they_really_billed(tmp_path, capsys, with_a_model, messages_api):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 8, output=LONG)
    ways = {way["name"]: way for way in told(path, capsys)["ways"]}
    assert list(ways) == ["traditional", "instant", "cached"]
    assert ways["traditional"]["updates"] == 1
    assert ways["instant"]["updates"] > 1
    assert all(way["failed"] == 0 for way in ways.values())
    assert sum(way["updates"] for way in ways.values()) == len(messages_api.log.asked())
    usage = [exchange.answer["usage"] for exchange in messages_api.log.asked()]
    for kind, name in (
        ("output", "output_tokens"),
        ("cache_read", "cache_read_input_tokens"),
        ("input", "input_tokens"),
    ):
        assert sum(way["billed"][kind] for way in ways.values()) == sum(one[name] for one in usage)
    assert all(way["dollars"] > 0 for way in ways.values())
    assert ways["traditional"]["cache_hit_rate"] == ways["instant"]["cache_hit_rate"] == 0
    assert len(ways["cached"]["hits"]) == ways["cached"]["updates"]


def test_what_fails_is_counted_and_said(tmp_path, capsys, with_a_model, messages_api):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 3, output=LONG)
    messages_api.script("401")
    assert compare(path, {}, as_json=False, quiet=False) == 0
    out, err = capsys.readouterr()
    assert "failed: 127.0.0.1" in err
    assert "(1 without a model)" in out


def table(path, capsys, **overrides: object) -> str:
    capsys.readouterr()
    compare(path, overrides, as_json=False, quiet=True)
    return capsys.readouterr().out


def test_people_get_a_table_with_every_figure(tmp_path, capsys):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 8, output=LONG)
    rows = [line.split("  ")[0].strip() for line in table(path, capsys).splitlines()]
    for title in ("wait", "speed-up", "messages", "tokens", "reduction", "updates", "cost", "cache hit rate"):
        assert title in rows


@pytest.mark.parametrize(("content", "error"), [(b"", NoMessages), (b"hello\n", NotATranscript)])
def test_what_holds_no_conversation_is_refused(tmp_path, content, error):
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(error):
        compare(path, {}, as_json=True, quiet=True)


def test_a_backend_that_cannot_work_is_refused_before_anything_is_replayed(tmp_path):
    path = session_file(tmp_path / "run.jsonl")
    with pytest.raises(Usage):
        compare(path, {"backend": "anthropic"}, as_json=True, quiet=True)


# ------------------------------------------------------------------ replaying


@pytest.mark.parametrize("format", FORMATS)
def test_a_replayed_session_ends_as_it_is_and_is_remembered_whole(tmp_path, format):
    path = session_file(tmp_path / "run.jsonl", format, 6, output=LONG)
    room = tmp_path / "room"
    room.mkdir()
    done = replay.replay(path, room, Triggers(init_tokens=500, update_tokens=1000), rendered)
    assert done.transcript.read_bytes() == path.read_bytes()
    assert len(done.updates) > 1
    assert [update.tokens for update in done.updates] == sorted(update.tokens for update in done.updates)
    assert done.updates[-1].generation.covered == path.stat().st_size


def test_as_many_updates_are_counted_as_are_made(tmp_path):
    path = tmp_path / "run.jsonl"
    script = Script("anthropic")
    for number in range(12):
        script.turn(number, rounds=1 + number % 3, output=LONG)
    path.write_bytes(script.data)
    rules = Triggers(init_tokens=500, update_tokens=2000)
    rooms = [tmp_path / "made", tmp_path / "counted"]
    for room in rooms:
        room.mkdir()
    made = len(replay.replay(path, rooms[0], rules, rendered).updates)
    assert replay.count_updates(path, rooms[1], rules) in (made - 1, made)  # the last one is asked for, not due
