"""Content blocks, whatever their shape: what is read of them, and that nothing of them can raise."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    MachineText,
    Thinking,
    ToolResult,
    ToolUse,
    UserText,
)
from memcli.transcript.formats.blocks import (
    REJECTION_HEAD,
    assistant_parts,
    attached,
    blocks,
    leaves,
    mapping,
    number,
    result_part,
    string,
    text_of,
)
from memcli.transcript.formats.voice import Voice
from memcli.transcript.given import arguments

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
ODD: list[Any] = [None, True, 7, 1.5, "s", [1], {"a": 1}]


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# ---- values that may be anything


def test_only_a_string_is_a_string_and_only_an_object_a_mapping() -> None:
    assert [string(value) for value in ODD] == ["", "", "", "", "s", "", ""]
    assert [mapping(value) for value in ODD] == [{}, {}, {}, {}, {}, {}, {"a": 1}]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (2**63, 0),  # cannot be stored
        (0, 0),
        (-3, 0),
        (True, 0),  # JSON's true is no count, though Python takes it for 1
        (2.0, 0),
        ("7", 0),
        (None, 0),
    ],
)
def test_a_count_is_a_whole_number_above_nothing(value: Any, count: int) -> None:
    assert number(value) == count
    assert type(number(value)) is int


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("words", [text("words")]),
        ("", [text("")]),
        ([text("a"), "loose", None, text("b")], [text("a"), text("b")]),
        ({"type": "text"}, []),
        (None, []),
        (5, []),
    ],
)
def test_content_is_a_string_or_a_list_of_blocks(content: Any, found: Any) -> None:
    assert blocks(content) == found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("as it is\n", "as it is\n"),
        ([text("a"), {"type": "image"}, text("b")], "a\nb"),
        ([{"type": "other", "text": "any block's text counts"}], "any block's text counts"),
        ([{"text": 5}, {"text": None}], ""),
        (None, ""),
    ],
)
def test_the_text_of_a_content_is_its_texts_one_a_line(content: Any, words: str) -> None:
    assert text_of(content) == words


# ---- inputs of calls


@pytest.mark.parametrize(
    ("given_as", "read_as"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("ls -l", {"input": "ls -l"}),
        ('"text"', {"input": '"text"'}),
        ("{half", {"input": "{half"}),
        ("", {"input": ""}),
        (None, {}),
        (7, {}),
        ([1], {}),
        ({"n": -(2**63)}, {"n": -(2**63)}),
        ({"n": 2**63 - 1}, {"n": 2**63 - 1}),
        ({"n": 2**63}, {"n": str(2**63)}),
        ({"n": [{"m": -(2**63) - 1}]}, {"n": [{"m": str(-(2**63) - 1)}]}),
    ],
)
def test_an_input_is_an_object_whatever_was_given(given_as: Any, read_as: Any) -> None:
    assert arguments(given_as) == read_as


@pytest.mark.parametrize(
    ("wrapped", "inside", "text"),
    [
        (lambda value: [value], lambda value: value[0], '["core"]'),
        (lambda value: {"k": value}, lambda value: value["k"], '{"k":"core"}'),
    ],
    ids=["lists", "objects"],
)
def test_what_is_nested_too_deep_to_store_becomes_its_text(wrapped: Any, inside: Any, text: str) -> None:
    def nested(depth: int) -> Any:
        value: Any = "core"
        for _ in range(depth):
            value = wrapped(value)
        return value

    def depth_of(value: Any) -> tuple[int, Any]:
        depth = 0
        while isinstance(value, list | dict):
            value, depth = inside(value), depth + 1
        return depth, value

    assert depth_of(arguments({"a": nested(65)})["a"]) == (65, "core")
    assert depth_of(arguments({"a": nested(66)})["a"]) == (65, text)


@settings(max_examples=80)
@given(JSON)
def test_every_input_can_be_stored_and_small_ones_are_kept(value: Any) -> None:
    for given_as in (value, json.dumps(value)):
        read = arguments(given_as)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(read)) == read
    if isinstance(value, dict):
        assert set(arguments(value)) == set(value)


# ---- the agent's blocks


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (text("hi"), AssistantText("hi")),
        ({"type": "output_text", "text": "hi"}, AssistantText("hi")),
        ({"type": "thinking", "thinking": "hmm", "signature": "s" * 9}, Thinking(3)),
        ({"type": "thinking", "thinking": "", "signature": "s" * 9}, Thinking(9)),
        ({"type": "redacted_thinking", "data": "d" * 8}, Thinking(8)),
        ({"type": "reasoning", "text": "hm"}, Thinking(2)),
        ({"type": "reasoning", "encrypted_content": "e" * 5}, Thinking(5)),
        ({"type": "thinking", "thinkingSignature": "t" * 4}, Thinking(4)),
        ({"type": "thinking"}, Thinking(0)),
        ({"type": "tool_use", "id": "t", "name": "Bash", "input": {"a": 1}}, ToolUse("t", "Bash", {"a": 1})),
        ({"type": "server_tool_use", "id": "t", "name": "web", "input": {}}, ToolUse("t", "web", {})),
        ({"type": "mcp_tool_use", "id": "t", "name": "m", "input": {}}, ToolUse("t", "m", {})),
        ({"type": "toolCall", "id": "t", "name": "sh", "arguments": {"a": 1}}, ToolUse("t", "sh", {"a": 1})),
        ({"type": "tool_use"}, ToolUse("", "", {})),
        ({"type": "mcp_tool_result", "tool_use_id": "t", "content": "ok"}, ToolResult("t", "ok")),
    ],
)
def test_a_block_of_the_agent_is_one_part(block: Any, part: AnyPart) -> None:
    assert assistant_parts([block]) == [part]


@pytest.mark.parametrize("block", [text(" \n"), text(""), {"type": "text", "text": 5}, {"type": "image"}, {}])
def test_blocks_that_say_nothing_are_no_parts(block: Any) -> None:
    assert assistant_parts([block]) == []


def test_parts_stand_in_the_order_of_their_blocks() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}

    assert [type(part) for part in assistant_parts([text("a"), call, text("b")])] == [
        AssistantText,
        ToolUse,
        AssistantText,
    ]


# ---- results and refusals


@pytest.mark.parametrize(
    ("block", "result"),
    [
        ({"tool_use_id": "t", "content": "ok"}, ToolResult("t", "ok")),
        ({"tool_use_id": "t", "content": [text("a"), {"type": "image"}, text("b")]}, ToolResult("t", "a\nb")),
        ({"tool_use_id": "t", "content": "no", "is_error": True}, ToolResult("t", "no", is_error=True)),
        ({"tool_use_id": "t", "is_error": None}, ToolResult("t", "")),
        ({"tool_use_id": 7}, ToolResult("", "")),
    ],
)
def test_a_result_is_read_as_it_stands(block: Any, result: ToolResult) -> None:
    assert result_part(block) == result


@pytest.mark.parametrize("is_error", [True, False])
@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize("head", [REJECTION_HEAD, "It printed: " + REJECTION_HEAD])
def test_a_refusal_needs_all_three_witnesses(is_error: bool, agrees: bool, head: str) -> None:
    block = {"tool_use_id": "t", "content": head + ". the user said: no", "is_error": is_error}
    result = result_part(block, agrees)

    assert result.rejected == (is_error and agrees and head == REJECTION_HEAD)
    assert Voice().refusal(result) == ([UserText("no", "rejection", True)] if result.rejected else [])


@pytest.mark.parametrize("said", ["", "the user said:", "the user said: \n"])
def test_who_only_refused_said_nothing(said: str) -> None:
    assert Voice().refusal(ToolResult("t", f"{REJECTION_HEAD}. {said}", True, True)) == []


def test_words_of_a_refusal_may_hold_the_mark_again() -> None:
    result = ToolResult("t", f"{REJECTION_HEAD} the user said:\nprint 'the user said:' first", True, True)

    assert Voice().refusal(result) == [UserText("print 'the user said:' first", "rejection", True)]


def test_an_image_is_named_and_has_no_text() -> None:
    assert attached("image") == MachineText("[image]")


# ---- the strings inside a value


def test_all_strings_of_a_value_come_in_order() -> None:
    value = {"a": "one", "b": ["two", {"c": "three"}, 4, None], "d": True}

    assert list(leaves(value)) == ["one", "two", "three"]


@pytest.mark.parametrize("key", ["signature", "encrypted_content", "data"])
def test_payloads_that_are_no_text_are_left_out(key: str) -> None:
    assert list(leaves({"x": {key: "AAAA", "text": "kept"}})) == ["kept"]


@pytest.mark.parametrize("shell", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["list", "object"])
def test_strings_below_twelve_levels_are_left_out(shell: Any) -> None:
    value: Any = "deep"
    for _ in range(12):
        value = shell(value)

    assert list(leaves(value)) == ["deep"]
    assert list(leaves(shell(value))) == []
