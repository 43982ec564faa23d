"""Every verb from the outside: what it prints where, and how it ends."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import typer

from memcli.cli import app
from memcli.ui.verbs import every, tree
from tests.builders import FORMATS, MARK, Script, is_tail, pairs_are_whole, session, session_file, told
from tests.cli.command import memcli

VERBS = [verb for verb in every(tree(typer.main.get_command(app))) if not verb.verbs]


@pytest.fixture
def transcript(tmp_path):
    return session_file(tmp_path / "run.jsonl")


@pytest.fixture
def remembered(transcript):
    assert memcli("update", transcript).code == 0
    return transcript


def test_update_says_what_it_covers(transcript):
    ran = memcli("update", transcript)
    memory = transcript.with_name("session-memory.md")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"memcli: {memory}: generation 1, covers 15 of 15 messages\n"
    assert memory.read_text().startswith("# Session memory\n")


def test_update_twice_changes_nothing(remembered):
    memory = remembered.with_name("session-memory.md")
    before = memory.read_text()
    assert "already current" in memcli("update", remembered).err
    assert memory.read_text() == before


def test_quiet_is_quiet(transcript):
    assert memcli("update", "-q", transcript) == (0, "", "")
    assert memcli("compact", "-q", transcript).err == ""


@pytest.mark.parametrize("format", FORMATS)
def test_compact_prints_the_memory_and_the_tail(tmp_path, format):
    path = session_file(tmp_path / "run.jsonl", format)
    ran = memcli("compact", path)
    assert ran.code == 0
    assert is_tail(format, ran.out.encode(), path.read_bytes())
    assert pairs_are_whole(format, ran.out.encode())
    assert path.read_bytes() == session(format)


@pytest.mark.parametrize("format", FORMATS)
def test_compact_to_messages_is_one_request(tmp_path, format):
    path = session_file(tmp_path / "run.jsonl", format)
    roles = [json.loads(line)["role"] for line in memcli("compact", path, "--to", "messages").out.splitlines()]
    assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_the_open_round_is_left_out_of_messages_and_named(tmp_path):
    script = Script("anthropic").turn(0)
    script.call("Looking.", "ls")
    (tmp_path / "run.jsonl").write_bytes(script.data)
    ran = memcli("compact", tmp_path / "run.jsonl", "--to", "messages")
    assert ("call", "call_0002") not in told("anthropic", ran.out.encode())
    assert "left out the open round (Bash)" in ran.err


def test_repeating_a_compact_gives_the_same_bytes(remembered):
    assert memcli("compact", remembered).out == memcli("compact", remembered).out


def test_compact_reports_on_one_line(remembered):
    err = memcli("compact", remembered).err
    assert err.count("\n") == 1
    assert err.startswith("memcli: 15 -> 6 messages, ~")
    assert "was ready in" in err


def test_without_a_memory_one_is_made_and_stderr_says_so(transcript):
    assert "made now in" in memcli("compact", transcript).err


def test_keep_turns_chooses_the_tail(remembered):
    kept = [memcli("compact", remembered, "--keep-turns", turns).out for turns in (0, 1, 2, 9)]
    assert [len(told("claude-code", out.encode())) for out in kept] == [1, 6, 11, 16]


def test_keep_tokens_chooses_the_tail(remembered):
    few, many = (memcli("compact", remembered, "--keep-tokens", tokens).out for tokens in (10, 100_000))
    assert len(told("claude-code", few.encode())) < len(told("claude-code", many.encode())) == 16


def test_compact_into_a_file_leaves_stdout_empty(remembered, tmp_path):
    out = tmp_path / "small.jsonl"
    assert memcli("compact", remembered, "-o", out).out == ""
    assert out.read_text() == memcli("compact", remembered).out


def test_stdin_is_compacted_without_a_sidecar(tmp_path):
    data = session("anthropic")
    ran = memcli("compact", "-", stdin=data, cwd=tmp_path)
    assert ran.code == 0
    assert is_tail("anthropic", ran.out.encode(), data)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_compacted_line_by_line(tmp_path):
    messages = [json.loads(line) for line in session("openai", 2).splitlines()]
    path = tmp_path / "batch.jsonl"
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for _ in range(2)))
    lines = [json.loads(line)["messages"] for line in memcli("compact", path).out.splitlines()]
    assert len(lines) == 2
    assert lines[0][1]["content"].startswith(MARK)


def test_update_of_a_batch_wants_a_line(tmp_path):
    path = tmp_path / "batch.jsonl"
    messages = [json.loads(line) for line in session("openai", 2).splitlines()]
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for _ in range(2)))
    assert memcli("update", path).code == 2
    assert memcli("update", path, "--line", 2).code == 0


def test_in_place_keeps_a_backup_and_undo_brings_it_back(remembered):
    before = remembered.read_bytes()
    assert memcli("compact", remembered, "--in-place").code == 0
    assert MARK.encode() in remembered.read_bytes()
    assert memcli("undo", remembered).code == 0
    assert remembered.read_bytes() == before


def test_undo_without_a_swap_has_nothing_to_undo(remembered):
    assert memcli("undo", remembered).code == 3


def test_check_tells_current_from_stale(remembered):
    assert memcli("update", "--check", remembered).code == 0
    with remembered.open("ab") as file:
        file.write(Script("claude-code").turn(7).data)
    assert memcli("update", "--check", remembered).code == 4
    assert memcli("status", remembered).code == 4


def test_a_memory_of_another_transcript_is_foreign(remembered):
    session_file(remembered, "pi", 9)
    ran = memcli("update", "--check", remembered)
    assert ran.code == 4
    assert "is of another transcript" in ran.err


def test_status_without_a_memory_is_3(transcript):
    assert memcli("status", transcript).code == 3


def test_status_as_json_has_a_schema(remembered):
    found = json.loads(memcli("status", remembered, "--json").out)
    assert found["schema"] == "memcli.status/1"
    assert (found["format"], found["state"], found["covered_messages"]) == ("claude-code", "current", 15)


def test_show_prints_the_memory(remembered):
    assert memcli("show", remembered).out == remembered.with_name("session-memory.md").read_text()


def test_where_prints_one_path(remembered):
    assert memcli("where", remembered).out == f"{remembered.with_name('session-memory.md')}\n"


def test_history_lists_generations(remembered):
    with remembered.open("ab") as file:
        file.write(Script("claude-code").turn(7).data)
    memcli("update", remembered)
    found = [json.loads(line) for line in memcli("history", remembered, "--json").out.splitlines()]
    assert [(generation["schema"], generation["n"]) for generation in found] == [
        ("memcli.generation/1", 1),
        ("memcli.generation/1", 2),
    ]


def test_config_show_tells_value_and_origin(tmp_path):
    (tmp_path / "memcli.toml").write_text("budget = 3000\n")
    out = memcli("config", "show", cwd=tmp_path).out
    assert next(line for line in out.splitlines() if line.startswith("  budget")).split()[1] == "3000"


def test_the_only_transcript_of_a_directory_needs_no_name(remembered):
    ran = memcli("update", cwd=remembered.parent)
    assert ran.code == 0
    assert ran.err.startswith(f"memcli: taking {remembered}\n")


def test_several_transcripts_must_be_named(remembered):
    session_file(remembered.with_name("other.jsonl"))
    assert memcli("update", cwd=remembered.parent).code == 2


def test_the_version_is_printed():
    assert memcli("--version").out.startswith("memcli ")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_an_example_of_itself_that_its_options_allow(verb):
    """Up to what belongs to the shell: pipes, redirections, the outer command."""
    words = re.split(r"\s[|<>]|\)", verb.example[verb.example.index(verb.name) :])[0]
    typed = shlex.split(words.replace('"', ""))[1 + len(verb.words) :]
    command = typer.main.get_command(app)
    for word in verb.words:
        command = command.commands[word]
    command.make_context(verb.name, typed)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_an_option_no_verb_takes_is_answered_with_its_help(verb):
    ran = memcli(*verb.words, "--no-such-option")
    name = {"memcli service install": "memcli watch"}.get(verb.name, verb.name)  # what it does not know is for watch
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == f"Try: {name} --help"
    shown = memcli(*verb.words, "--help")
    assert (shown.code, verb.example in " ".join(shown.out.split())) == (0, True)
