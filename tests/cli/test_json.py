"""What verbs print with `--json`: one report a line, of the form that `memcli schema` tells, and nothing beside it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import typer

from memcli.cli import app
from memcli.commands.reports import SHAPES, schema
from memcli.sidecar.place import Place
from memcli.ui.verbs import every, tree
from tests.builders import PATIENCE, eventually, session, session_file
from tests.cli.command import memcli
from tests.commands.states import grown, remembered, rested
from tests.e2e.daemon import Daemon

VERBS = [verb for verb in every(tree(typer.main.get_command(app))) if not verb.verbs]
WITH_JSON = [verb for verb in VERBS if any("--json" in option.names for option in verb.options)]


@pytest.fixture
def run(tmp_path):
    return remembered(session_file(tmp_path / "run.jsonl"))


def reports(lines: str) -> list[dict]:
    """The reports, each of which holds what its type says and nothing else."""
    found = []
    for line in lines.splitlines():
        record = json.loads(line)
        typed = msgspec.json.decode(line, type=SHAPES[record["schema"]])
        assert json.loads(msgspec.json.encode(typed)) == record
        found.append(record)
    return found


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["status"], "memcli.status/1"),
        (["status", "--cost"], "memcli.status/1"),
        (["history"], "memcli.generation/1"),
        (["where"], "memcli.where/1"),
        (["show"], "memcli.memory/1"),
        (["update"], "memcli.update/1"),
        (["update", "--check"], "memcli.check/1"),
        (["compare", "-q", "--backend", "embedded"], "memcli.compare/1"),
    ],
)
def test_a_report_is_one_line_of_its_form_and_stderr_is_silent(run, words, name):
    ran = memcli(*words, run, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [report["schema"] for report in reports(ran.out)] == [name]


def test_the_settings_are_a_report(tmp_path):
    (report,) = reports(memcli("config", "show", "--json", cwd=tmp_path).out)
    assert report["settings"]["budget"] == {"value": 4000, "origin": "default"}


def test_an_update_tells_what_it_covers_and_whether_it_made_anything(run):
    grown(run)
    rested(run)
    first, second = (reports(memcli("update", run, "--json").out)[0] for _ in range(2))
    assert (first["messages"], first["covered_messages"]) == (20, 20)
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["generation"] == second["generation"]


def test_a_check_that_fails_is_reported_all_the_same(run):
    grown(run)
    rested(run)
    ran = memcli("update", "--check", "--json", run)
    (report,) = reports(ran.out)
    assert ran.code == 4
    assert (report["state"], report["messages"], report["covered_messages"]) == ("stale", 20, 15)


def test_show_tells_the_sections_as_they_stand_in_the_text(run):
    (report,) = reports(memcli("show", run, "--json").out)
    assert report["text"] == Place.of(run).memory.read_text()
    assert list(report["sections"])[:2] == ["Current State", "User Intent"]
    assert all(body in report["text"] for body in report["sections"].values())


def test_compact_reports_on_stderr_and_prints_the_same_transcript(run):
    plain, ran = memcli("compact", run), memcli("compact", run, "--json")
    (report,) = reports(ran.err)
    assert ran.out == plain.out
    assert report["messages"] == {"before": 15, "after": 6}
    assert report["memory"] == "was ready"


def test_compact_says_nothing_beside_its_report(run):
    """Not even which transcript was taken: the report tells it."""
    ran = memcli("compact", "--json", cwd=run.parent)
    assert [report["transcript"] for report in reports(ran.err)] == [str(run)]


def test_compact_of_stdin_has_no_transcript_to_name(tmp_path):
    ran = memcli("compact", "-", "--json", stdin=session("anthropic"), cwd=tmp_path)
    assert reports(ran.err)[0]["transcript"] is None


def test_compact_of_a_batch_reports_each_conversation(tmp_path):
    talk = json.dumps({"messages": [json.loads(line) for line in session("openai").splitlines()]})
    (tmp_path / "batch.jsonl").write_text(f"{talk}\n{talk}\n")
    ran = memcli("compact", tmp_path / "batch.jsonl", "--json")
    assert [report["line"] for report in reports(ran.err)] == [1, 2]


def test_undo_tells_where_the_other_content_lies(run):
    before = run.read_bytes()
    memcli("compact", run, "--in-place", "-q")
    compacted = run.read_bytes()
    (report,) = reports(memcli("undo", run, "--json").out)
    assert run.read_bytes() == before
    assert Path(report["kept"]).read_bytes() == compacted


def test_install_and_uninstall_tell_what_becomes_of_each_file(tmp_path):
    def told(verb: str, *more: str) -> dict:
        ran = memcli(verb, "claude-code", "--project", "--json", *more, cwd=tmp_path)
        assert (ran.code, ran.err) == (0, "")
        (report,) = reports(ran.out)
        return report

    shown, made, again, gone = (
        told("install", "--dry-run"),
        told("install", "--yes"),
        told("install"),
        told("uninstall", "--yes"),
    )
    assert shown["changes"] == made["changes"]
    assert [report["written"] for report in (shown, made, again, gone)] == [False, True, False, True]
    assert [change["change"] for report in (made, again, gone) for change in report["changes"]] == ["made"] * 2 + [
        "removed"
    ] * 2
    assert f"+++ {tmp_path / '.claude' / 'settings.json'}" in made["changes"][0]["diff"]


def test_a_program_that_installs_says_yes_itself(tmp_path):
    ran = memcli("install", "claude-code", "--project", "--json", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("Try: memcli install claude-code --project --json --yes\n")


def test_every_verb_that_reports_has_json_and_the_others_are_known():
    without = {verb.words for verb in VERBS if not any("--json" in option.names for option in verb.options)}
    assert without == {("chat",), ("hook",), ("schema",), ("completion",), ("man",), ("summarize",)}


@pytest.mark.parametrize("verb", WITH_JSON, ids=lambda verb: verb.name)
def test_the_schema_of_every_verb_with_json_is_found_by_its_name(verb):
    assert schema(" ".join(verb.words))["$defs"]


def test_watch_prints_events_on_stdout_and_stop_who_ended(run, tmp_path):
    daemon = Daemon(tmp_path / "log", run, "--json")
    try:
        assert daemon.says('"following"')
        (report,) = reports(memcli("stop", run, "--json").out)
        assert report["stopped"] == daemon.process.pid
        assert eventually(lambda: daemon.process.poll() is not None)
    finally:
        daemon.end()
    events = reports(daemon.heard)
    assert {event["schema"] for event in events} == {"memcli.event/1"}
    assert [event["event"] for event in events][:2] == ["backend", "following"]
    assert events[1]["transcript"] == str(run)


def test_an_update_beside_a_daemon_reports_what_the_daemon_left(run, tmp_path):
    daemon = Daemon(tmp_path / "log", run, "-q")
    try:
        assert eventually(lambda: reports(memcli("status", run, "--json").out)[0]["watched_by"] == daemon.process.pid)
        grown(run)
        (report,) = reports(memcli("update", run, "--json", "--wait", PATIENCE).out)
    finally:
        daemon.end()
    assert (report["changed"], report["covered_messages"]) == (None, 20)


def test_a_failure_prints_no_report_and_the_same_two_lines(run):
    plain, ran = memcli("show", run.with_name("gone.jsonl")), memcli("show", run.with_name("gone.jsonl"), "--json")
    assert ran == plain
    assert (ran.code, ran.out) == (3, "")


@pytest.mark.parametrize(
    "name", ["status", "history", "where", "show", "config", "update", "check", "compact", "stop", "install", "unit"]
)
def test_the_schema_of_a_verb_is_printed_and_demands_the_name(name):
    printed = json.loads(memcli("schema", name).out)
    body = printed["$defs"][printed["$ref"].rpartition("/")[2]]
    assert printed == schema(name)
    assert "schema" in body["required"]


def test_without_a_name_all_schemas_are_listed_and_each_can_be_asked_for():
    names = [line.split()[0] for line in memcli("schema").out.splitlines()]
    assert names == list(SHAPES)
    assert all(schema(name)["$ref"] for name in names)


def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path):
    path = session_file(tmp_path / "caf\udce9.jsonl")
    (report,) = [json.loads(line) for line in memcli("where", path, "--json").out.splitlines()]
    assert report["transcript"] == str(path)
