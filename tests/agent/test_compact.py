"""`memcli.compact`: lists and files, at once or by a model; and the same bytes as the command line gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import memcli
from memcli.errors import NoMessages, NoTranscript, Usage
from tests.agent.talks import call, is_valid, prompt, result, talk
from tests.builders import FORMATS, MARK, session_file
from tests.cli.command import memcli as command
from tests.commands.states import remembered, rested

if TYPE_CHECKING:
    from pathlib import Path

    from tests.messages_api import Server


def first(messages: list[dict[str, Any]]) -> str:
    content = messages[0]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def test_a_list_of_messages_becomes_its_memory_and_its_last_turn() -> None:
    done = memcli.compact([*talk(8), prompt(8)])
    assert is_valid(done.messages)
    assert first(done.messages).startswith(MARK)
    assert "please do step 0 of the plan" in first(done.messages)
    assert done.messages[-1]["content"][-1]["text"] == prompt(8)["content"]
    assert (done.messages_before, done.how, done.requests, done.cost) == (17, "made now", 0, 0.0)
    assert done.tokens_after < done.tokens_before


def test_nothing_but_our_key_is_left_of_a_list(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    memcli.compact(talk(3))
    assert list(tmp_path.iterdir()) == []
    assert [path.name for path in own_home.rglob("*") if path.is_file()] == ["key"]


def test_the_bare_swap_keeps_what_no_memory_covers_and_no_more() -> None:
    done = memcli.compact([*talk(3), prompt(3)], keep_turns=0)
    assert [message["role"] for message in done.messages] == ["user"]
    assert len(memcli.compact([*talk(3), prompt(3)], keep_turns=2).messages) > 1


def test_an_open_round_is_left_out_of_the_request_and_named() -> None:
    done = memcli.compact([*talk(2), prompt(2), call("a"), result("a"), call("b")])
    assert is_valid(done.messages)
    assert done.left_out == ("Bash",)
    assert b'"b"' in done.lines[-1]


def test_messages_of_openai_come_back_as_messages_of_anthropic() -> None:
    spoken = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    done = memcli.compact([*spoken, {"role": "assistant", "content": "Hello.", "tool_calls": None}, prompt(1)])
    assert is_valid(done.messages)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_gives_the_lines_of_the_command_line(tmp_path: Path, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format, turns=4))
    before = path.read_bytes()
    done = memcli.compact(path)
    assert b"".join(done.lines).decode() == command("compact", path).out
    assert (done.how, path.read_bytes() == before) == ("was ready", True)
    assert is_valid([*done.messages, prompt(9)])


def test_a_file_without_a_memory_gets_one(tmp_path: Path) -> None:
    path = rested(session_file(tmp_path / "run.jsonl", turns=4))
    assert memcli.compact(str(path)).how == "made now"
    assert memcli.compact(path).how == "was ready"
    assert (tmp_path / "session-memory.md").exists()


def test_a_memory_of_another_size_is_made_as_on_the_command_line(tmp_path: Path) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", turns=40))
    small, ready = memcli.compact(path, budget=2_000, keep_turns=0), memcli.compact(path, keep_turns=0)
    assert small.how == "made now"
    assert first(small.messages) == first(ready.messages)
    assert len(first(small.messages)) <= 2_000 * 4 + 2_000


@pytest.mark.parametrize("listed", [True, False])
def test_the_traditional_way_asks_the_model_and_tells_what_it_cost(tmp_path: Path, model: Server, listed: bool) -> None:
    path = rested(session_file(tmp_path / "run.jsonl", "anthropic", turns=4))
    done = memcli.compact(talk(4) if listed else path, strategy="traditional")
    assert (done.how, done.requests, len(model.log.asked()), done.problem) == ("written now", 1, 1, "")
    assert done.cost is not None
    assert done.cost > 0
    assert "The user asked" in first(done.messages)


def test_a_model_that_fails_is_told_and_the_facts_are_there(model: Server) -> None:
    model.script("401")
    done = memcli.compact(talk(4), strategy="traditional")
    assert "answered 401" in done.problem
    assert "please do step 0 of the plan" in first(done.messages)


def test_the_sentence_of_a_compaction_tells_all_of_it() -> None:
    done = memcli.compact(talk(9))
    assert str(done).startswith(f"instant: 18 -> {done.messages_after} messages, ~{done.tokens_before:,} -> ")
    assert "made now, waited " in str(done)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"strategy": "fast"}, "no strategy"),
        ({"modell": "m"}, "there is no setting 'modell'"),
        ({"budget": 10}, "budget must be"),
        ({"keep_turns": 1, "keep_tokens": 5}, "two different tails"),
        ({"keep_turns": -1}, "negative"),
    ],
)
def test_a_wish_that_makes_no_sense_is_a_usage_error(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Usage, match=why):
        memcli.compact(talk(2), **wrong)


def test_nothing_to_compact_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoMessages):
        memcli.compact([])
    with pytest.raises(NoTranscript):
        memcli.compact(tmp_path / "none.jsonl")
