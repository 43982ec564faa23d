"""Any emitted lines as one valid request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.encode.common import NO_RESULT
from memcli.transcript.encode.to_messages import to_messages
from tests.swap.rules import broken_rule
from tests.swap.sessions import dump


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def call(name: str) -> dict:
    return {"type": "tool_use", "id": name, "name": f"tool {name}", "input": {}}


def result(name: str, content: object = "ok") -> dict:
    return {"type": "tool_result", "tool_use_id": name, "content": content}


def user(*blocks: dict) -> dict:
    return {"role": "user", "content": list(blocks)}


def agent(*blocks: dict, id: str = "") -> dict:
    return {"role": "assistant", "id": id, "content": list(blocks)}


def requested(*records: dict) -> tuple[list[dict], list[str]]:
    """The messages, and the open calls; a record without a role is no message."""

    def said(record: dict) -> tuple | None:
        return (record["role"], record.get("id", ""), record["content"]) if "role" in record else None

    messages, opened = to_messages(map(dump, records), said)
    assert broken_rule(messages) == ""
    return [json.loads(message) for message in messages], opened


def content(*records: dict) -> list[list[dict]]:
    return [message["content"] for message in requested(*records)[0]]


GO = user(text("go"))


def test_messages_of_one_role_in_a_row_are_one() -> None:
    assert content(GO, user(text("on")), agent(text("a")), {"bookkeeping": 1}, agent(text("b"))) == [
        [text("go"), text("on")],
        [text("a"), text("b")],
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm"},
        {"type": "redacted_thinking", "data": "d"},
        text(" \n"),
        text(""),
        {"type": "tool_use", "name": "nameless"},
        {"type": "tool_result", "content": "whose?"},
        {"type": 5},
        {},
    ],
)
def test_blocks_that_have_no_place_in_a_request_are_left_out(block) -> None:
    assert content(GO, agent(block, text("a"))) == [[text("go")], [text("a")]]
    assert content(GO, agent(block)) == [[text("go")]]


@pytest.mark.parametrize(
    ("given_content", "kept"),
    [
        ("ok", {"content": "ok"}),
        ("", {"content": ""}),
        ([text("a"), text(" ")], {"content": [text("a")]}),
        ([text("")], {}),
        ([], {}),
        ([{"type": "image"}], {"content": [{"type": "image"}]}),
    ],
)
def test_a_result_has_no_empty_text_inside(given_content, kept) -> None:
    found = content(GO, agent(call("c")), user(result("c", given_content)))[2]

    assert found == [{"type": "tool_result", "tool_use_id": "c", **kept}]


def test_results_come_first_in_the_order_of_their_calls() -> None:
    found = content(GO, agent(call("c"), call("d")), user(text("and"), result("d", "2")), user(result("c", "1")))

    assert found[2] == [result("c", "1"), result("d", "2"), text("and")]


def test_parts_of_one_answer_come_together_over_the_results_between_them() -> None:
    parts = [agent(call("c"), id="m"), user(result("c")), agent(call("d"), id="m"), user(result("d"))]

    assert content(GO, *parts) == [[text("go")], [call("c"), call("d")], [result("c"), result("d")]]


def test_words_between_two_answers_of_one_id_part_them() -> None:
    parts = [agent(call("c"), id="m"), user(result("c"), text("wait")), agent(text("b"), id="m")]

    assert content(GO, *parts) == [[text("go")], [call("c")], [result("c"), text("wait")], [text("b")]]


@pytest.mark.parametrize("ids", [("m", "n"), ("", "")])
def test_other_answers_stay_apart(ids) -> None:
    parts = [agent(call("c"), id=ids[0]), user(result("c")), agent(text("b"), id=ids[1])]

    assert len(content(GO, *parts)) == 4


def test_a_call_that_nobody_answered_is_answered_at_once() -> None:
    found = content(GO, agent(call("c"), call("d")), user(result("d"), text("next")), agent(text("a")))

    assert found[2] == [{**result("c", NO_RESULT), "is_error": True}, result("d"), text("next")]


def test_a_result_far_too_late_is_called_back_and_leaves_no_gap() -> None:
    found = content(GO, agent(call("c")), user(text("hm")), agent(text("a")), user(result("c")), agent(text("b")))

    assert found == [
        [text("go")],
        [call("c")],
        [result("c"), text("hm")],
        [text("a"), text("b")],
    ]


def test_results_without_a_call_are_left_out() -> None:
    assert content(GO, user(result("x")), agent(text("a")), user(result("y"), text("b"))) == [
        [text("go")],
        [text("a")],
        [text("b")],
    ]


@pytest.mark.parametrize(
    ("records", "opened", "left"),
    [
        ([agent(call("c"))], ["tool c"], 1),
        ([agent(text("a"), call("c"), call("d")), user(result("c"))], ["tool d"], 1),
        ([agent(call("c")), user(result("c")), agent(call("d"))], ["tool d"], 3),
        ([agent(call("c")), user(result("c")), agent(call("c"))], ["tool c"], 3),
        ([agent(call("c")), user(text("stop"))], [], 3),  # the person went on: the round is not open
        ([agent(call("c")), user(result("c"))], [], 3),
        ([agent(text("a"))], [], 2),
        ([], [], 1),
    ],
)
def test_the_open_round_is_left_out_and_its_calls_are_named(records, opened, left) -> None:
    messages, found = requested(GO, *records)

    assert (found, len(messages)) == (opened, left)


def test_an_id_that_comes_again_gets_a_number_and_its_own_results() -> None:
    rounds = [[agent(call("c")), user(result("c", str(place)))] for place in range(3)]
    found = content(GO, *(record for pair in rounds for record in pair))

    assert [blocks[0].get("id") or blocks[0]["tool_use_id"] for blocks in found[1:]] == [
        *("c", "c"),
        *("c_2", "c_2"),
        *("c_3", "c_3"),
    ]
    assert [blocks[0]["content"] for blocks in found[2::2]] == ["0", "1", "2"]


BLOCKS = st.one_of(
    st.builds(text, st.sampled_from(["a", " ", ""])),
    st.builds(call, st.sampled_from("cde")),
    st.builds(result, st.sampled_from("cde"), st.sampled_from(["ok", "", [], [text("")]])),
    st.just({"type": "thinking", "thinking": "hm"}),
)
AGENTS = st.builds(
    lambda blocks, name: agent(*(block for block in blocks if block["type"] != "tool_result"), id=name),
    st.lists(BLOCKS, max_size=3),
    st.sampled_from(["", "m", "n"]),
)
USERS = st.builds(
    lambda blocks: user(*(block for block in blocks if block["type"] not in ("tool_use", "thinking"))),
    st.lists(BLOCKS, max_size=3),
)


@settings(max_examples=60)
@given(st.lists(USERS | AGENTS, max_size=8))
def test_any_messages_become_a_valid_request(records) -> None:
    messages, opened = requested(GO, *records)
    words = [block["text"] for message in messages for block in message["content"] if block["type"] == "text"]
    given_words = [block["text"] for record in records for block in record["content"] if block["type"] == "text"]

    assert len(words) <= 1 + sum(1 for text in given_words if text.strip())
    assert opened or len(words) == 1 + sum(1 for text in given_words if text.strip())
