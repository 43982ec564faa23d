"""pi, Anthropic and OpenAI records in a tail, and what each says in Anthropic blocks."""

from __future__ import annotations

import json

import pytest

from memcli.transcript import encode
from memcli.transcript.encode.common import NO_RESULT, Doubt, Plan
from tests.swap.a_head import lines_of
from tests.swap.sessions import dump


def tail(format: str, *records: dict, **plan) -> list[dict]:
    lines = lines_of(b"".join(map(dump, records)))
    return [json.loads(line.data) for line in encode.module(format).tail(lines, Plan(**{"end": 10**6, **plan}))]


def said(format: str, record: dict) -> tuple | None:
    return encode.module(format).said(record)


def shown(format: str, envelope: dict) -> list[dict]:
    pieces = encode.module(format).message("before ", "state ", "after", envelope)
    return [json.loads(line) for line in (pieces.before + pieces.state + pieces.after).splitlines()]


def words(text: str) -> dict:
    return {"type": "text", "text": text}


THOUGHT = {"type": "thinking", "thinking": "hm"}
PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}

# ---- pi


def pi(role: str, *content: dict, **more) -> dict:
    return {"type": "message", "message": {"role": role, "content": list(content), **more}}


HEADER = {"type": "session", "version": 3, "id": "old", "cwd": "/w", "parentSession": "p"}


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (pi("user", words("a")), True),
        (pi("user", words(" ")), False),
        (pi("assistant", THOUGHT), False),
        (pi("assistant", words("a")), True),
        (pi("toolResult", words("a"), toolCallId="never called"), False),
        (pi("toolResult", words("a")), True),
        (pi("bashExecution", command="ls", output="x"), True),
        (pi("custom", words("c")), True),
        (HEADER, False),
        ({"type": "compaction", "summary": "s"}, False),
        ({"type": "branch_summary", "summary": "s"}, True),
        ({"type": "custom_message", "content": "c"}, True),
        ({"type": "model_change", "modelId": "m"}, True),
    ],
    ids=lambda made: json.dumps(made)[-50:] if isinstance(made, dict) else None,
)
def test_pi_records_are_kept_or_dropped(record, kept) -> None:
    assert tail("pi", record) == ([record] if kept else [])


def test_a_pi_tree_gives_ids_to_what_has_none_and_keeps_those_it_has() -> None:
    records = [{**pi("user", words("a")), "id": "e1", "parentId": "gone"}, pi("assistant", words("b"))]
    first, second = tail("pi", *records, envelope={"header": HEADER})
    again = tail("pi", *records, envelope={"header": HEADER})

    assert (first["id"], second["parentId"], len(second["id"])) == ("e1", "e1", 8)
    assert again == [first, second]
    assert not any("parentId" in made for made in tail("pi", pi("user", words("a"))))


def test_recorded_usage_becomes_zero_and_costs_stay() -> None:
    usage = {"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4, "totalTokens": 10, "cost": {"total": 1}}

    assert tail("pi", pi("assistant", words("a"), usage=usage))[0]["message"]["usage"] == {
        **dict.fromkeys(("input", "output", "cacheRead", "cacheWrite", "totalTokens"), 0),
        "cost": {"total": 1},
    }


def test_a_pi_call_that_nobody_answered_gets_a_result_with_its_tools_name() -> None:
    calls = [
        {"type": "toolCall", "id": name, "name": tool, "arguments": {}} for name, tool in (("c", "sh"), ("d", "cat"))
    ]
    found = tail("pi", pi("user", words("a")), pi("assistant", *calls), pi("user", words("b")))
    made = [one["message"] for one in found[2:4]]

    assert [(one["role"], one["toolCallId"], one["toolName"], one["isError"]) for one in made] == [
        ("toolResult", "c", "sh", True),
        ("toolResult", "d", "cat", True),
    ]
    assert made[0]["content"] == [words(NO_RESULT)]


@pytest.mark.parametrize(
    ("unseen", "doubted"),
    [
        ({"type": "compaction"}, True),
        ({"type": "branch_summary"}, True),
        ({**pi("user", words("x")), "id": "n", "parentId": "other"}, True),
        ({**pi("user", words("x")), "id": "n", "parentId": "leaf"}, False),
        (pi("user", words("x")), False),
    ],
)
def test_unseen_compactions_and_branches_raise_doubt(unseen, doubted) -> None:
    envelope = {"leaf": "leaf", "header": HEADER}
    if doubted:
        with pytest.raises(Doubt):
            tail("pi", unseen, known=0, envelope=envelope)
    else:
        assert tail("pi", unseen, known=0, envelope=envelope)


def test_unseen_entries_may_hang_on_each_other() -> None:
    chain = [{**pi("user", words("x")), "id": f"n{place}", "parentId": f"n{place - 1}"} for place in (1, 2, 3)]

    assert len(tail("pi", *chain, known=0, envelope={"leaf": "n0", "header": HEADER})) == 3


def test_the_pi_header_is_renewed_and_the_memory_hangs_on_nothing() -> None:
    header, memory = shown("pi", {"header": HEADER, "time": "T"})

    assert header == {**HEADER, "id": "0" * 36}
    assert (memory["id"], memory["parentId"], memory["timestamp"]) == ("0" * 8, None, "T")
    assert memory["message"] == {"role": "user", "content": [words("before state after")]}


@pytest.mark.parametrize("version", [None, 1, "3"])
def test_an_older_pi_memory_has_no_place_in_a_tree(version) -> None:
    envelope = {"header": {**HEADER, "version": version}} if version else {}

    assert "parentId" not in shown("pi", envelope)[-1]


def test_the_envelope_of_a_pi_session_is_its_first_header_its_last_id_and_time() -> None:
    lines = [
        HEADER,
        {**HEADER, "id": "later"},
        {**pi("user"), "id": "e1", "timestamp": "T1"},
        {"type": "label", "id": 5},
    ]

    assert encode.module("pi").context(map(dump, lines[:2]), map(dump, lines[2:])) == {
        "header": HEADER,
        "leaf": "e1",
        "time": "T1",
    }


CALL = {"type": "toolCall", "id": "c", "name": "sh", "arguments": {"a": 1}}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (pi("user", words("x")), ("user", "", [words("x")])),
        (pi("assistant", CALL), ("assistant", "", [{"type": "tool_use", "id": "c", "name": "sh", "input": {"a": 1}}])),
        (
            pi("assistant", {"type": "toolCall", "id": "c", "arguments": "ls"}),
            ("assistant", "", [{"type": "tool_use", "id": "c", "name": "tool", "input": {"input": "ls"}}]),
        ),
        (
            pi("toolResult", words("x"), toolCallId="c", isError=True),
            ("user", "", [{"type": "tool_result", "tool_use_id": "c", "content": [words("x")], "is_error": True}]),
        ),
        (pi("bashExecution", command="ls", output="a"), ("user", "", [words("$ ls\na")])),
        (pi("branchSummary", summary="s"), ("user", "", [words("s")])),
        ({"type": "branch_summary", "summary": "s"}, ("user", "", [words("s")])),
        ({"type": "custom_message", "content": [words("c")]}, ("user", "", [words("c")])),
        (pi("user", {"type": "image", "data": "AAAA", "mimeType": "image/png"}), ("user", "", [PIXEL])),
        (pi("user", {"type": "image", "data": "AAAA"}), ("user", "", [PIXEL])),
        ({"type": "model_change"}, None),
        ({"type": "message", "message": "x"}, None),
    ],
    ids=lambda made: json.dumps(made)[-50:] if isinstance(made, dict) else None,
)
def test_a_pi_record_is_told_in_anthropic_blocks(record, told) -> None:
    assert said("pi", record) == told


@pytest.mark.parametrize(
    "note",
    [
        *(pi(role, words("n")) for role in ("bashExecution", "custom", "hookMessage", "branchSummary")),
        {"type": "branch_summary", "summary": "n"},
        {"type": "custom_message", "content": "n"},
    ],
    ids=lambda made: json.dumps(made)[:60],
)
def test_what_comes_between_a_pi_call_and_its_result_waits_for_the_result(note) -> None:
    answer = pi("toolResult", words("ok"), toolCallId="c")
    asked = [pi("user", words("a")), pi("assistant", CALL)]

    assert tail("pi", *asked, note, answer) == [*asked, answer, note]


def test_hidden_words_in_a_pi_session_become_a_message_at_their_place() -> None:
    lines = [{**pi("user", words("a")), "timestamp": "T"}, pi("assistant", words("b"))]

    assert tail("pi", *lines, words=((0, "tabs"),)) == [
        lines[0],
        {**pi("user", words("tabs")), "timestamp": "T"},
        lines[1],
    ]


# ---- Anthropic


def test_an_anthropic_message_keeps_all_but_thinking_and_empty_texts() -> None:
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    found = tail(
        "anthropic", {"role": "assistant", "content": [THOUGHT, block, words("")], "id": "m", "usage": {"a": 1}}
    )

    assert found == [{"role": "assistant", "content": [block], "id": "m", "usage": {"a": 1}}]


@pytest.mark.parametrize("content", ["", " \n", [], [words("")], None, [THOUGHT]])
def test_an_anthropic_message_of_which_nothing_is_left_is_dropped(content) -> None:
    assert tail("anthropic", {"role": "assistant", "content": content}) == []


def test_thinking_in_the_users_role_is_somebodys_text() -> None:
    message = {"role": "user", "content": [THOUGHT, words("x")]}

    assert tail("anthropic", message) == [message]


def test_parallel_results_may_stand_in_two_messages() -> None:
    use = [{"type": "tool_use", "id": name, "name": "sh", "input": {}} for name in "cd"]
    results = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": name}]} for name in "dc"]
    messages = [{"role": "user", "content": "go"}, {"role": "assistant", "content": use}, *results]

    assert tail("anthropic", *messages) == messages


@pytest.mark.parametrize("format", ["anthropic", "openai"])
def test_an_unseen_conversation_line_raises_doubt(format) -> None:
    line = {"messages": [{"role": "user", "content": "x"}]}

    assert tail(format, line) == [line]
    with pytest.raises(Doubt):
        tail(format, line, known=0)


@pytest.mark.parametrize(("format", "roles"), [("anthropic", ["system"]), ("openai", ["system", "developer"])])
def test_leading_messages_of_the_harness_are_the_prologue(format, roles) -> None:
    lines = [dump({"role": role, "content": "s"}) for role in roles] + [b"\n", dump({"role": "user", "content": "x"})]
    found = encode.module(format).context([*lines, lines[0]], [])

    assert [json.loads(line)["role"] for line in found["prologue"]] == roles
    assert found["leading"] == sum(map(len, lines[:-1]))
    assert [made["role"] for made in shown(format, found)] == [*roles, "user"]


def test_a_developers_message_is_no_prologue_of_the_other_format() -> None:
    assert encode.module("anthropic").context([dump({"role": "developer", "content": "s"})], []) == {}


@pytest.mark.parametrize("format", ["anthropic", "openai"])
def test_hidden_words_become_a_message_at_their_place(format) -> None:
    lines = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    found = tail(format, *lines, words=((len(dump(lines[0])), "tabs"),))

    assert found == [*lines, {"role": "user", "content": "tabs"}]


# ---- OpenAI


def asks(*names: str, **more) -> dict:
    calls = [{"id": name, "type": "function", "function": {"name": "sh", "arguments": "{}"}} for name in names]
    return {"role": "assistant", "content": None, "tool_calls": calls, **more}


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"])
def test_reasoning_is_removed_from_answers_alone(name) -> None:
    answer = {"role": "assistant", "content": "x"}
    person = {"role": "user", "content": "x", name: "mine"}

    assert tail("openai", {**answer, name: "hm"}, person) == [answer, person]
    assert tail("openai", {"role": "assistant", "content": None, name: "hm"}) == []


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None, "function_call": {"name": "f"}}, True),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, True),
        ({"role": "user", "content": [{"type": "input_text", "text": " "}]}, False),
        ({"role": "tool", "tool_call_id": "never called", "content": "x"}, False),
        ({"role": "tool", "content": "x"}, True),
        ({"role": "system", "content": "late rule"}, True),
    ],
)
def test_openai_messages_are_kept_or_dropped(message, kept) -> None:
    assert tail("openai", message) == ([message] if kept else [])


def test_a_call_beside_an_empty_text_stays_and_the_text_goes() -> None:
    answer = {**asks("c"), "content": [words("")]}

    assert tail("openai", answer) == [asks("c")]


def test_parallel_openai_calls_get_the_results_they_miss() -> None:
    found = tail(
        "openai",
        asks("c", "d"),
        {"role": "tool", "tool_call_id": "d", "content": "x"},
        {"role": "user", "content": "n"},
    )

    assert [made.get("tool_call_id") for made in found] == [None, "c", "d", None]
    assert found[1]["content"] == NO_RESULT


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"role": "user", "content": "x"}, ("user", "", [words("x")])),
        ({"role": "user", "content": [{"type": "input_text", "text": "x"}]}, ("user", "", [words("x")])),
        ({"role": "user", "content": [{"type": "input_audio"}]}, ("user", "", [words("[input_audio]")])),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            ("user", "", [PIXEL]),
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": "https://e.example/" + "a" * 300}]},
            ("user", "", [words("[image: https://e.example/" + "a" * 182 + "]")]),
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:text/html;base64,AAAA"}}]},
            ("user", "", [words("[image: data:text/html;base64,AAAA]")]),
        ),
        (asks("c"), ("assistant", "", [{"type": "tool_use", "id": "c", "name": "sh", "input": {}}])),
        (
            {"role": "assistant", "content": "x", "tool_calls": [{"id": "c"}, {"id": 5}, "loose"]},
            ("assistant", "", [words("x"), {"type": "tool_use", "id": "c", "name": "tool", "input": {"input": None}}]),
        ),
        ({"role": "user", "content": "x", "tool_calls": [{"id": "c"}]}, ("user", "", [words("x")])),
        (
            {"role": "tool", "tool_call_id": "c", "content": "x"},
            ("user", "", [{"type": "tool_result", "tool_use_id": "c", "content": [words("x")]}]),
        ),
        ({"role": "system", "content": "x"}, None),
    ],
    ids=lambda made: json.dumps(made)[-50:] if isinstance(made, dict) else None,
)
def test_an_openai_message_is_told_in_anthropic_blocks(message, told) -> None:
    assert said("openai", message) == told
