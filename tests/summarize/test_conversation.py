"""What a model is shown of a transcript: a range of it reads as it does in the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from memcli.memory.jobs import Message, Source
from memcli.summarize import conversation
from tests.builders import FORMATS, MARK, Script
from tests.e2e.swaps import compacted, memory_of
from tests.session.driver import Driver

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures").rglob("*.jsonl"))
TOKEN = "ghp_" + "a1B2c3D4" * 5


def a_session(format: str) -> Script:
    """Turns with rounds, an error, an empty answer and a pasted text of many lines."""
    script = Script(format).turn(0, rounds=2).prompt("look at this:\nline one\nline two")
    script.round("Looking.", "cat wheel.py", "w" * 900).round("", "make", "error: no wheel\n")
    return script.say("There is no wheel.").turn(2).turn(3, rounds=3)


def read(path: Path, format: str, start: int = 0, end: int | None = None, **more: object) -> list[Message]:
    return conversation.read(Source(str(path), format, start, path.stat().st_size if end is None else end, **more))


@pytest.fixture(params=FORMATS)
def written(request, tmp_path) -> tuple[Path, str]:
    path = tmp_path / "run.jsonl"
    path.write_bytes(a_session(request.param).data)
    return path, request.param


def cuts(format: str, data: bytes) -> list[int]:
    """Every place where the session would have cut while the file grew."""
    driver = Driver(format)
    for line in data.splitlines(keepends=True):
        driver.feed(line, quiet=1.0)
    return sorted({made.boundary.offset for made in driver.published})


def test_a_range_reads_as_it_does_in_the_whole(written):
    path, format = written
    whole = read(path, format)
    places = cuts(format, path.read_bytes())
    assert len(places) > 5
    for start in places:
        assert read(path, format, start) == [one for one in whole if one.offset >= start]
        assert read(path, format, 0, start) == [one for one in whole if one.offset < start]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_range_of_a_recorded_session_reads_as_it_does_in_the_whole(path):
    format = recognised(path)
    if format is None:
        pytest.skip("no transcript of one conversation")
    whole = read(path, format)
    places = cuts(format, path.read_bytes())
    for start in places[:: 1 + len(places) // 12]:
        assert read(path, format, start) == [one for one in whole if one.offset >= start]


def recognised(path: Path) -> str | None:
    from memcli.errors import MemcliError
    from memcli.transcript.recognise import recognise

    try:
        return recognise(path.read_bytes(), path.name) or None
    except MemcliError:
        return None


# ------------------------------------------------------------------ what is shown


def test_everybody_is_heard_in_order_and_output_is_left_out(written):
    path, format = written
    told = [(one.role, one.text.split("\n")[0]) for one in read(path, format)[:4]]
    assert told[0] == ("user", "please do step 0 of the plan")
    assert told[1] == ("assistant", "Step 0, part 0.")
    assert told[2][1].startswith("(calls ")
    assert told[3][0] == "tool"
    assert told[3][1].endswith(" ok")


def test_a_long_output_is_a_reference_to_it(written):
    path, format = written
    (kept,) = [one.text for one in read(path, format) if "left out" in one.text]
    assert kept.startswith("(result of ")
    assert "900 characters" in kept


def test_a_pasted_log_is_cut_in_its_middle(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("anthropic").prompt("begin " + "x " * 20_000 + "end").say("Fine.").data)
    text = read(path, "anthropic")[0].text
    assert text.startswith("begin")
    assert text.endswith("end")
    assert len(text) < conversation.TEXT + 100


@pytest.mark.parametrize("format", FORMATS)
def test_no_secret_is_shown_whoever_said_it(tmp_path, format):
    path = tmp_path / "run.jsonl"
    script = Script(format).prompt(f"use {TOKEN}").round(f"Using {TOKEN}.", f"curl -H 'token: {TOKEN}'", f"got {TOKEN}")
    path.write_bytes(script.say(f"Used {TOKEN}.").data)
    told = read(path, format)
    assert len(told) == 5
    assert not any(TOKEN[:20] in one.text for one in told)


def test_what_was_taken_back_is_not_shown(tmp_path):
    """A range that is known to be dead, and a fork that the range itself holds."""
    script = Script("claude-code").turn(0)
    fork, start = script.leaf, len(script.data)
    end = len(script.turn(1).data)
    script.leaf = fork
    path = tmp_path / "run.jsonl"
    path.write_bytes(script.turn(2).data)
    for told in (
        read(path, "claude-code"),
        read(path, "claude-code", dead=((start, end),)),
        read(path, "claude-code", end),
    ):
        assert not any("step 1" in one.text for one in told)
        assert any("step 2" in one.text for one in told)


@pytest.mark.parametrize("format", FORMATS)
def test_our_own_memory_is_not_shown_as_anybodys_words(tmp_path, format):
    """Its facts and its prose are shown as such: else a model's words would come back as the user's."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script(format).turn(0).turn(1).data)
    memory_of(path)
    after = compacted(path, keep_turns=1)
    other = tmp_path / "other.jsonl"
    other.write_bytes(after + Script(format, after=after, serial=500).turn(7).data)
    told = read(other, format)
    assert any("step 7" in one.text for one in told)
    assert not any(MARK in one.text or "session memory below" in one.text for one in told)


def test_half_a_line_at_the_end_is_not_shown(tmp_path):
    path = tmp_path / "run.jsonl"
    script = Script("anthropic").turn(0)
    whole = len(script.data)
    path.write_bytes(script.prompt("go on").data[:-9])
    assert read(path, "anthropic") == read(path, "anthropic", 0, whole)


def test_a_last_line_without_its_end_is_shown_if_it_is_whole(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("anthropic").turn(0).data[:-1])
    assert read(path, "anthropic")[-1].text == "Step 0 is done."


def test_of_a_long_transcript_the_last_part_is_shown_with_true_offsets(tmp_path, monkeypatch):
    """Sixty-four MiB are too much for a test; the rule is the same for less."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(Script("anthropic").turn(number).data for number in range(40)))
    whole = read(path, "anthropic")
    for cap in range(900, 1300, 37):
        monkeypatch.setattr(conversation, "READ_BYTES", cap)
        told = read(path, "anthropic")
        assert 0 < len(told) < 20
        assert told == whole[-len(told) :] or [one.offset for one in told] == [
            one.offset for one in whole[-len(told) :]
        ]


def test_the_run_up_is_bounded_and_shows_nothing_of_itself(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"".join(Script("anthropic").turn(number).data for number in range(40)))
    start = path.stat().st_size // 2
    start += path.read_bytes()[start:].index(b'{"role": "user", "content": "please')
    monkeypatch.setattr(conversation, "RUN_UP_BYTES", 500)
    assert read(path, "anthropic", start) == [one for one in read(path, "anthropic") if one.offset >= start]


def test_a_transcript_that_is_gone_is_an_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError):
        conversation.read(Source(str(tmp_path / "gone.jsonl"), "pi", 0, 10))


def test_names_of_calls_are_those_of_their_results(tmp_path):
    path = tmp_path / "run.jsonl"
    script = Script("anthropic").prompt("look")
    first, second = script.call("Looking.", "ls", "make")
    path.write_bytes(script.result(second, "made").result(first, "listed").say("Done.").data)
    results = [one.text for one in read(path, "anthropic") if one.role == "tool"]
    assert results == ["(result of Bash) made", "(result of Bash) listed"]
