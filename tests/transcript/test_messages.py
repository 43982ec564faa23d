from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from memcli.transcript.formats.conversations import conversation
from memcli.transcript.lines import Line
from tests.transcript.scripts import FIXTURES, as_lines, entries_of, fixture, read, script

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry

ANTHROPIC = [
    "user| prompt: count the bees",
    "assistant| thinks 4",
    "assistant| says: Opening the hive.",
    'assistant| calls t1 read {"path": "hive.txt"}',
    "user| gave t1: 'bee bee'",
    "assistant| says: Two bees.",
    "assistant| usage 40 claude-hive",
    "user| prompt: and the wasps?",
    "user| machine: '[image]'",
    'assistant| calls t2 read {"path": "wasps.txt"}',
    "user| failed t2: 'no such file'",
    "user| prompt: look in nest.txt",
    "assistant| says: None.",
]

OPENAI = [
    "system| machine: 'You sell tickets.'",
    "user| prompt: two seats for Friday",
    'assistant| calls call_1 find {"day": "Friday"}',
    "tool| failed call_1: 'Error: sold out'",
    "assistant| says: Friday is sold out. Saturday?",
    "user| prompt: Saturday, row 3",
    "user| machine: '[image_url]'",
    'assistant| calls call_2 book {"input": "row three"}',
    "tool| gave call_2: 'booked'",
    "assistant| says: Booked.",
]


def chat(*messages: dict[str, Any]) -> list[Entry]:
    return read("openai", *messages)


def test_an_anthropic_conversation_says_what_was_said_in_it() -> None:
    assert script(entries_of("anthropic", fixture("anthropic"))) == ANTHROPIC


def test_an_openai_conversation_says_what_was_said_in_it() -> None:
    assert script(entries_of("openai", fixture("openai"))) == OPENAI


def test_an_answer_of_the_messages_api_brings_its_ids_along() -> None:
    entry = entries_of("anthropic", fixture("anthropic"))[3]

    assert (entry.message_id, entry.stop) == ("msg_2", "end_turn")


def test_tools_the_service_ran_itself_are_answered_in_the_same_message() -> None:
    content = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]},
    ]
    (entry,) = read("anthropic", {"role": "assistant", "content": content})

    assert (entry.calls, entry.results) == (("s",), ("s",))


def test_the_older_function_calls_are_paired_by_order() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    entries = chat(call, {"role": "function", "name": "f", "content": "1"}, call)

    assert [entry.calls + entry.results for entry in entries] == [("function-1",), ("function-1",), ("function-2",)]


def test_refusals_and_reasoning_are_read() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot.", "reasoning_content": "hmm"}

    assert script(chat(message)) == ["assistant| thinks 3", "assistant| says: I cannot."]


@pytest.mark.parametrize("given", ['{"a":1}', {"a": 1}])
def test_arguments_are_a_string_or_an_object(given: Any) -> None:
    entries = chat({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": given}}]})

    assert script(entries) == ['assistant| calls c f {"a": 1}']


def test_arguments_that_are_no_object_are_kept_as_text() -> None:
    entries = chat({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]})

    assert script(entries) == ['assistant| calls c f {"input": "[1]"}']


def test_numbers_too_large_to_store_become_text() -> None:
    block = {"type": "tool_use", "id": "t", "name": "factor", "input": {"n": [10**30, 7]}}
    (entry,) = read("anthropic", {"role": "assistant", "content": [block]})

    assert script([entry]) == [f'assistant| calls t factor {{"n": ["{10**30}", 7]}}']


def test_an_input_of_any_depth_is_read() -> None:
    deep = b'{"role":"assistant","content":[{"type":"tool_use","input":{"a":%s1%s}}]}' % (b"[" * 700, b"]" * 700)
    (entry,) = entries_of("anthropic", [Line(0, len(deep), deep)])

    assert entry.calls == ("",)


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_conversation_line_reads_as_its_messages_do(name: str) -> None:
    batch = entries_of(name, fixture(f"{name}-batch")[:1])

    assert script(batch) == script(entries_of(name, fixture(name)[: len(batch)]))


def test_the_messages_of_a_conversation_line_are_found_in_it() -> None:
    data = (FIXTURES / "openai-batch.jsonl").read_bytes()
    lines = [part for line in fixture("openai-batch") for part in conversation(line) or []]

    assert len(lines) == 8
    assert all(data[line.offset : line.end] == line.data for line in lines)
    assert json.loads(lines[1].data)["content"] == "two seats for Friday"


def test_an_equal_array_elsewhere_in_the_line_is_not_mistaken() -> None:
    data = b'{"old":{"messages":[{"role":"x"}]},"messages" : [ {"role":"user"} , {"role":"x"} ]}'

    assert [line.offset for line in conversation(Line(0, len(data), data)) or []] == [50, 68]


def test_messages_of_a_dirty_line_stand_for_the_whole_line() -> None:
    data = b'{"messages":[{"role":"user","content":"\\ud83d"}]}'
    (line,) = conversation(Line(5, 5 + len(data), data)) or []

    assert (line.offset, line.end) == (5, 5 + len(data))
    assert script(entries_of("openai", [line])) == ["user| prompt: \ufffd"]


def test_other_lines_are_no_conversation() -> None:
    lines = as_lines({"role": "user", "content": '"messages": [1]'}, {"messages": "none"}, {"messages": {}})

    assert [conversation(line) for line in lines] == [None, None, None]
