from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.entries import ToolUse
from memcli.transcript.formats import anthropic, open_reader, openai
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


def test_a_string_of_arguments_is_decoded_when_somebody_asks() -> None:
    (entry,) = chat(
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{ }"}}]}
    )
    (call,) = entry.parts

    assert isinstance(call, ToolUse)
    assert (call.given, call.input, entry.chars) == ("{ }", {}, len("f{ }"))


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


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_line_with_messages_is_a_conversation_whatever_else_it_holds(name: str) -> None:
    inner = [{"role": "user", "content": "bees"}, {"role": "user", "content": "wasps"}]
    outer = {"role": "user", "content": "hive"}

    assert script(read(name, {**outer, "messages": inner})) == ["user| prompt: bees", "user| prompt: wasps"]
    assert script(read(name, {**outer, "messages": None})) == ["user| prompt: hive"]
    assert script(read(name, {**outer, "messages": "many"})) == ["user| prompt: hive"]


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


# ---- one message after another


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"role": "user", "content": "go"}, ["user| prompt: go"]),
        ({"role": "user", "content": [words("a"), words("b")]}, ["user| prompt: a", "user| prompt: b"]),
        ({"role": "user", "content": [{"type": "document"}]}, ["user| machine: '[document]'"]),
        ({"role": "user", "content": [{"type": "hologram"}]}, []),
        ({"role": "user", "content": None}, []),
        ({"role": "system", "content": "s"}, ["system| machine: 's'"]),
        ({"role": "developer", "content": [words("s")]}, ["system| machine: 's'"]),
        ({"role": "assistant", "content": "hi"}, ["assistant| says: hi"]),
        ({"role": "assistant", "content": ""}, []),
        (
            {"role": "assistant", "content": "x", "model": "m", "usage": {"cache_read_input_tokens": 4}},
            ["assistant| says: x", "assistant| usage 4 m"],
        ),
        ({"role": "assistant", "content": [], "usage": {"output_tokens": 4}}, []),
    ],
)
def test_an_anthropic_message_says_what_it_says(message: dict[str, Any], said: list[str]) -> None:
    assert script(read("anthropic", message)) == said


def test_a_refusal_in_plain_messages_has_words_of_the_person() -> None:
    text = "The user doesn't want to proceed with this tool use. the user said: ask first"
    block = {"type": "tool_result", "tool_use_id": "t", "content": text, "is_error": True}

    assert script(read("anthropic", {"role": "user", "content": [block]}))[1:] == ["user| rejection!: ask first"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"role": "user", "content": "go"}, ["user| prompt: go"]),
        ({"role": "user", "content": [words("a"), IMAGE]}, ["user| prompt: a", "user| machine: '[image_url]'"]),
        ({"role": "developer", "content": "s"}, ["system| machine: 's'"]),
        ({"role": "assistant", "content": [words("a"), {"type": "refusal", "refusal": "no"}]}, ["a", "no"]),
        ({"role": "assistant", "content": " "}, []),
        ({"role": "assistant", "content": None, "tool_calls": "all"}, []),
        ({"role": "assistant", "content": None, "tool_calls": ["loose"]}, []),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "custom": {"name": "p", "input": "x y"}}]},
            ['assistant| calls c p {"input": "x y"}'],
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "name": "p", "arguments": {"a": 1}}]},
            ['assistant| calls c p {"a": 1}'],
        ),
        ({"role": "tool", "tool_call_id": "c", "content": [words("a"), words("b")]}, ["tool| gave c: 'a\\nb'"]),
        ({"role": "tool", "tool_call_id": "c", "content": "Error: no"}, ["tool| failed c: 'Error: no'"]),
        ({"role": "tool", "tool_call_id": "c", "content": "no Error"}, ["tool| gave c: 'no Error'"]),
        ({"role": "tool", "content": None}, ["tool| gave : ''"]),
    ],
)
def test_an_openai_message_says_what_it_says(message: dict[str, Any], said: list[str]) -> None:
    plain = [f"assistant| says: {text}" if "|" not in text else text for text in said]

    assert script(chat(message)) == plain


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_message_of_no_known_role_is_counted_and_a_time_is_kept(name: str) -> None:
    reader = open_reader(name)
    first, second = entries_of(name, as_lines({"role": "ghost"}, {"role": "user", "timestamp": "T"}), reader)

    assert (first.role, first.parts, second.timestamp) == ("", (), "T")
    assert reader.problems == {"unknown type": 1}


@pytest.mark.parametrize(
    ("record", "anthropic_claims", "openai_claims"),
    [
        ({"role": "user", "content": "x"}, True, False),
        ({"role": "assistant", "content": []}, True, False),
        ({"role": "user"}, False, False),
        ({"role": "system", "content": "x"}, True, True),
        ({"role": "developer", "content": "x"}, False, True),
        ({"role": "tool"}, False, True),
        ({"role": "function"}, False, True),
        ({"role": "assistant", "content": None, "tool_calls": [{}]}, True, True),
        ({"role": "assistant", "content": None, "function_call": {"name": "f"}}, True, True),
        ({"role": "assistant", "content": "x", "tool_calls": []}, True, False),
        ({"role": "ghost", "tool_calls": [{}]}, False, False),
        ({"messages": [{"role": "ghost"}, {"role": "user", "content": "x"}]}, True, False),
        ({"messages": [None, {"role": "tool"}]}, False, True),
        ({"messages": []}, False, False),
        ({"messages": {"role": "user", "content": "x"}}, False, False),
    ],
)
def test_whose_a_message_may_be(record: dict[str, Any], anthropic_claims: bool, openai_claims: bool) -> None:
    assert (anthropic.claims(record), openai.claims(record)) == (anthropic_claims, openai_claims)


MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"]), "content": st.text(max_size=6) | st.none()}
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("name", ["anthropic", "openai"])
@settings(max_examples=40)
@given(messages=MESSAGES, blank=st.sampled_from(["", " ", "\t  "]), before=st.integers(0, 99), extra=st.booleans())
def test_a_conversation_on_one_line_is_its_messages(
    name: str, messages: list[Any], blank: str, before: int, extra: bool
) -> None:
    texts = [json.dumps(message, ensure_ascii=False) for message in messages]
    more = ', "info": {"messages": [1]}' if extra else ""
    data = f'{{"messages"{blank}: [{blank}{f"{blank},{blank}".join(texts)}{blank}]{more}}}\n'.encode()
    line = Line(before, before + len(data), data)
    entries = entries_of(name, [line])

    assert script(entries) == script(read(name, *messages))
    assert [data[entry.offset - before : entry.end - before].decode() for entry in entries] == texts


def test_a_broken_conversation_line_gives_the_messages_of_its_first_whole_object() -> None:
    data = b'{"id":1}{"messages":[{"role":"user","content":"a"}]}\n'

    assert script(entries_of("anthropic", [Line(0, len(data), data)])) == ["user| prompt: a"]
