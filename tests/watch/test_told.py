"""What the daemon says: one line an event, for people and for whoever reads a log."""

from __future__ import annotations

import os

import msgspec
import pytest

from memcli.memory.jobs import Call, Failure, Result, Usage
from memcli.watch.daemon import reporter
from memcli.watch.told import Event, Told, answered, goes_to_journal, journal_line, line_of

UPDATED = Told("/srv/run.jsonl", "updated", {"generation": 2, "tokens": 12_345})
IGNORED = Told("/srv/notes.jsonl", "ignored", {"reason": "holds no JSON lines"})
WARNING = Told("/srv/run.jsonl", "warning", {"reason": "no ink"})
EVENTS = [UPDATED, IGNORED, WARNING]


def test_an_event_is_when_what_which_and_its_fields():
    assert line_of(UPDATED, "12:00:00") == "12:00:00 updated /srv/run.jsonl generation=2 tokens=12345"


def test_of_the_daemon_itself_no_transcript_is_named():
    assert line_of(Told("", "backend", {"name": "embedded"}), "12:00:00") == "12:00:00 backend name=embedded"


def test_without_fields_nothing_trails():
    assert line_of(Told("/srv/run.jsonl", "replaced", {}), "12:00:00") == "12:00:00 replaced /srv/run.jsonl"


def test_a_value_with_blanks_is_one_field_all_the_same():
    assert line_of(IGNORED, "12:00:00").endswith('ignored /srv/notes.jsonl reason="holds no JSON lines"')


def test_a_name_with_line_ends_cannot_forge_another_event():
    line = line_of(Told("/srv/a\n12:00:00 updated /srv/b.jsonl", "following", {}), "12:00:00")
    assert line == r"12:00:00 following /srv/a\n12:00:00 updated /srv/b.jsonl"


@pytest.mark.parametrize(
    ("quiet", "verbose", "heard"),
    [
        (False, False, ["updated", "warning"]),
        (False, True, ["updated", "ignored", "warning"]),
        (True, False, ["warning"]),
        (True, True, ["warning"]),
    ],
)
def test_quiet_hears_what_is_wrong_and_verbose_also_what_was_passed_by(quiet, verbose, heard, capsys):
    report = reporter(quiet=quiet, verbose=verbose)
    for told in EVENTS:
        report(told)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[1] for line in err.splitlines()] == heard


def test_a_journal_is_told_the_priority_and_no_time():
    lines = [journal_line(told) for told in EVENTS]
    assert [line[:3] for line in lines] == ["<6>", "<7>", "<4>"]
    assert lines[0] == "<6>updated /srv/run.jsonl generation=2 tokens=12345"


def test_a_stream_is_the_journal_only_if_it_is_the_one_that_was_connected(tmp_path):
    """A variable alone may be inherited by a process whose output goes into a file."""
    with (tmp_path / "log").open("w") as log:
        stat = os.fstat(log.fileno())
        assert goes_to_journal(log.fileno(), {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        assert not goes_to_journal(log.fileno(), {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
        assert not goes_to_journal(log.fileno(), {})


def test_as_json_events_are_lines_on_stdout(capsys):
    report = reporter(quiet=False, verbose=False, as_json=True)
    for told in EVENTS:
        report(told)
    out, err = capsys.readouterr()
    events = [msgspec.json.decode(line, type=Event) for line in out.splitlines()]
    assert err == ""
    assert [(event.event, event.transcript) for event in events] == [
        ("updated", "/srv/run.jsonl"),
        ("warning", "/srv/run.jsonl"),
    ]
    assert events[0].fields == {"generation": 2, "tokens": 12_345}


def test_a_job_that_a_model_answered_tells_what_it_came_to():
    calls = (
        Call("anthropic", usage=Usage(input_tokens=900, output_tokens=40), cost=0.25, outcome="rejected: empty"),
        Call("anthropic", usage=Usage(input_tokens=100, cache_read_tokens=7), cost=None),
    )
    told = answered("/srv/run.jsonl", Result("1", wrote=True, milliseconds=2300, calls=calls))
    assert told.fields == {
        "wrote": True,
        "milliseconds": 2300,
        "input_tokens": 1000,
        "cache_read_tokens": 7,
        "output_tokens": 40,
        "dollars": 0.25,
        "unpriced": 1,
    }


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (Result("1", error="the summarizer ended"), "the summarizer ended"),
        (Result("1", failure=Failure("no ink")), "no ink"),
        (Result("1"), None),
    ],
)
def test_a_job_that_failed_says_why(result, failure):
    assert answered("/srv/run.jsonl", result).fields.get("failure") == failure
