"""A conversation on its transcript: what is in the file is what is sent, whoever opened it."""

from __future__ import annotations

import json
import resource
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memcli
from memcli.agent.conversation import Conversation, alternating
from memcli.errors import MemcliError, NotATranscript, Usage
from tests.agent.talks import answer, call, is_valid, prompt, result, talk
from tests.builders import session_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def filled(path: Path, *messages: dict[str, Any]) -> Conversation:
    found = Conversation(path)
    for message in messages:
        found.add(message)
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_is_said_is_in_the_file_at_once_and_is_what_is_sent(path: Path) -> None:
    found = filled(path, *talk(2))
    assert found.messages == talk(2)
    assert [{name: line[name] for name in ("role", "content")} for line in lines(path)] == talk(2)


def test_who_opens_the_file_goes_on_where_it_was_left(path: Path) -> None:
    before = filled(path, *talk(2), prompt(2))
    again = Conversation(path)
    assert (again.messages, again.tokens, again.waits) == (before.messages, before.tokens, True)
    again.add(answer(2))
    assert Conversation(path).messages == talk(3)


def test_after_a_full_disk_the_conversation_goes_on_behind_what_was_half_written(path: Path) -> None:
    found = filled(path, *talk(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            found.add(prompt(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    found.add(prompt(1))
    assert Conversation(path).messages == found.messages == [*talk(1), prompt(1)]


def test_a_whole_answer_is_kept_and_only_role_and_content_are_sent(path: Path) -> None:
    whole = {
        **answer(0),
        "id": "msg_1",
        "model": "m",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "type": "message",
    }
    found = filled(path, prompt(0), {**whole, "usage": {"input_tokens": 4321, "output_tokens": 9}})
    assert found.messages[1] == answer(0)
    assert (lines(path)[1]["id"], lines(path)[1]["usage"]["input_tokens"]) == ("msg_1", 4321)


def test_the_size_is_what_the_last_answer_counted_and_an_estimate_of_the_rest(path: Path) -> None:
    found = filled(path, prompt(0, 2700))
    assert 900 < found.tokens < 1100
    found.add({**answer(0), "usage": {"input_tokens": 50, "cache_read_input_tokens": 5000}})
    assert 5050 < found.tokens < 5100


def test_the_caller_may_change_its_message_afterwards(path: Path) -> None:
    mine = prompt(0)
    found = filled(path, mine)
    mine["content"] = "something else"
    assert found.messages == [prompt(0)]


def test_empty_texts_and_answers_of_nothing_else_are_left_out(path: Path) -> None:
    nothing = {"type": "text", "text": " \n"}
    spoken = {"role": "assistant", "content": [nothing, *call()["content"]]}
    found = filled(path, prompt(0), {"role": "assistant", "content": []}, {"role": "assistant", "content": [nothing]})
    found.add(spoken)
    assert found.messages == [prompt(0), call()]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "system", "content": "be brief"}, "role is 'system'"),
        ({"content": "hello"}, "role is None"),
        ({"role": "user", "content": " "}, "it says nothing"),
        ({"role": "user", "content": []}, "neither a text nor a list"),
        ({"role": "user", "content": ["hello"]}, "a block has no type"),
        ({"role": "user", "content": [{"type": "text", "text": {1}}]}, "not JSON serializable"),
    ],
)
def test_what_is_no_message_is_refused_and_not_written(path: Path, message: dict[str, Any], why: str) -> None:
    with pytest.raises(Usage, match=why):
        filled(path, message)
    assert not path.exists() or path.read_bytes() == b""


def test_a_torn_last_line_is_passed_by_and_the_next_stands_on_its_own(path: Path) -> None:
    filled(path, prompt(0))
    with path.open("ab") as file:
        file.write(b'{"role":"assistant","conte')
    found = filled(path, answer(0))
    assert found.messages == [prompt(0), answer(0)]
    assert Conversation(path).messages == found.messages


def test_a_last_line_without_its_end_counts(path: Path) -> None:
    path.write_text(json.dumps(prompt(0)))
    assert filled(path, answer(0)).messages == [prompt(0), answer(0)]
    assert len(lines(path)) == 2


def test_a_file_that_somebody_else_wrote_into_is_not_written_into(path: Path) -> None:
    mine, other = filled(path, prompt(0)), Conversation(path)
    other.add(answer(0))
    with pytest.raises(MemcliError, match="changed by somebody else"):
        mine.add(answer(1))
    assert Conversation(path).messages == [prompt(0), answer(0)]


@pytest.mark.parametrize("format", ["claude-code", "codex", "pi", "openai"])
def test_a_transcript_of_another_format_is_refused(path: Path, format: str) -> None:
    with pytest.raises(NotATranscript, match="no transcript of Messages") as caught:
        Conversation(session_file(path, format))
    assert "--to messages" in caught.value.hint


def test_a_file_of_whole_conversations_is_refused(path: Path) -> None:
    path.write_text(json.dumps({"messages": talk(1)}) + "\n")
    with pytest.raises(NotATranscript):
        Conversation(path)


def test_results_that_come_one_by_one_are_sent_as_one_message(path: Path) -> None:
    both = {"role": "assistant", "content": [*call("a")["content"], *call("b")["content"]]}
    found = filled(path, prompt(0), both, result("a"), result("b"), prompt(1))
    assert is_valid(found.messages)
    assert len(found.messages) == 3


def said() -> st.SearchStrategy[dict[str, Any]]:
    block = st.fixed_dictionaries({"type": st.just("text"), "text": st.text(min_size=1)})
    content = st.text(min_size=1) | st.lists(block, min_size=1, max_size=3)
    return st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": content})


def texts(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for message in messages:
        content = message["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        found += [(message["role"], block["text"]) for block in blocks]
    return found


@given(st.lists(said(), max_size=12))
def test_roles_alternate_and_no_word_is_lost_or_moved(messages: list[dict[str, Any]]) -> None:
    before = json.dumps(messages)
    merged = alternating(messages)
    assert all(one["role"] != next["role"] for one, next in pairwise(merged))
    assert texts(merged) == texts(messages)
    assert json.dumps(messages) == before


def test_the_memory_that_it_begins_with_can_be_read_from_it(path: Path) -> None:
    done = memcli.compact([*talk(3), prompt(3)])
    path.write_bytes(b"".join(done.lines))
    assert Conversation(path).memory.startswith("# Session memory\n")
    assert filled(path.with_name("other.jsonl"), prompt(0)).memory == ""
