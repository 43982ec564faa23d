"""Codex rollouts in a tail: records kept and dropped, the rules a session began with, blocks as others see them."""

from __future__ import annotations

import json

import pytest

from memcli.transcript import encode
from memcli.transcript.encode.common import NO_RESULT, Doubt, Plan
from tests.swap.a_head import lines_of
from tests.swap.sessions import dump

ENCODER = encode.module("codex")


def event(kind: str, **payload) -> dict:
    return {"timestamp": "T", "type": "event_msg", "payload": {"type": kind, **payload}}


def item(kind: str, **payload) -> dict:
    return {"timestamp": "T", "type": "response_item", "payload": {"type": kind, **payload}}


def message(role: str, *texts: str, **more) -> dict:
    name = "output_text" if role == "assistant" else "input_text"
    return item("message", role=role, content=[{"type": name, "text": text} for text in texts], **more)


def call(name: str, kind: str = "function_call") -> dict:
    return item(kind, call_id=name, name="sh", arguments="{}")


def tail(*records: dict, **plan) -> list[dict]:
    lines = lines_of(b"".join(map(dump, records)))
    return [json.loads(line.data) for line in ENCODER.tail(lines, Plan(**{"end": 10**6, **plan}))]


@pytest.mark.parametrize(
    "dropped",
    [
        {"type": "session_meta", "payload": {"id": "s"}},
        {"type": "compacted", "payload": {"message": ""}},
        {"type": "token_usage_record", "payload": {}},
        item("reasoning", encrypted_content="x"),
        item("compaction"),
        item("compaction_summary"),
        item("context_compaction"),
        event("agent_reasoning", text="hm"),
        event("agent_reasoning_delta"),
        event("agent_reasoning_raw_content"),
        event("agent_reasoning_raw_content_delta"),
        event("agent_reasoning_section_break"),
        event("reasoning_content_delta"),
        event("reasoning_raw_content_delta"),
        event("context_compacted"),
        event("thread_rolled_back", num_turns=1),
        event("token_count", info={}),
        event("item_completed", item={"type": "Reasoning"}),
        event("item_completed", item={"type": "ContextCompaction"}),
        message("assistant", " "),
        message("user"),
        {"type": "response_item", "payload": None},
        item("function_call_output", call_id="never called", output="x"),
    ],
    ids=lambda made: json.dumps(made)[-50:],
)
def test_what_belongs_to_the_replaced_history_is_dropped(dropped) -> None:
    assert tail(message("user", "go"), dropped) == [message("user", "go")]


@pytest.mark.parametrize(
    "kept",
    [
        message("assistant", "a"),
        message("developer", "rule"),
        message("ghost", "x"),
        item("web_search_call", action={"query": "q"}),
        item("ghost_snapshot"),
        item("function_call_output", output="no id, no pair"),
        event("user_message", message="go"),
        event("agent_message", message="a"),
        event("task_started"),
        event("exec_command_end", call_id="c", exit_code=0),
        event("item_completed", item={"type": "CommandExecution"}),
        event("item_completed", item=None),
        {"timestamp": "T", "type": "turn_context", "payload": {"cwd": "/w"}},
        {"timestamp": "T", "type": "world_state", "payload": {}},
    ],
    ids=lambda made: json.dumps(made)[-50:],
)
def test_everything_else_is_kept_as_it_is(kept) -> None:
    assert tail(message("user", "go"), kept) == [message("user", "go"), kept]


def test_empty_texts_are_taken_out_of_a_message() -> None:
    assert tail(message("user", "a", " ", "b")) == [message("user", "a", "b")]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("function_call", "function_call_output"),
        ("custom_tool_call", "custom_tool_call_output"),
        ("local_shell_call", "function_call_output"),
    ],
)
def test_a_call_that_nobody_answered_gets_an_output_of_its_kind(kind, answer) -> None:
    made = tail(message("user", "a"), call("c", kind), message("user", "b"))[2]

    assert made == item(answer, call_id="c", output=NO_RESULT)


def test_hidden_words_become_a_message_at_their_place() -> None:
    lines = [message("user", "a"), message("assistant", "b")]
    found = tail(*lines, words=((len(dump(lines[0])), "tabs"),))

    assert found == [*lines, message("user", "tabs")]


@pytest.mark.parametrize(
    ("unseen", "doubted"),
    [
        ({"type": "compacted", "payload": {"message": ""}}, True),
        ({"type": "session_meta", "payload": {"id": "s"}}, True),
        (event("thread_rolled_back", num_turns=1), True),
        (event("user_message", message="x"), False),
        (message("assistant", "x"), False),
        ({"type": "world_state", "payload": None}, False),
    ],
)
def test_unseen_compactions_resumptions_and_rollbacks_raise_doubt(unseen, doubted) -> None:
    if not doubted:
        assert tail(unseen, known=0) is not None
        return
    with pytest.raises(Doubt):
        tail(unseen, known=0)
    assert tail(unseen) == []


@pytest.mark.parametrize(
    ("before", "summary", "left"),
    [
        ([message("assistant", "Sum.")], "frame\nSum.", 0),
        ([message("assistant", "Sum.")], "frame\nAnother.", 1),
        ([message("assistant", "Sum."), event("token_count")], "frame\nSum.", 0),
        ([message("assistant", "Sum."), event("task_complete")], "frame\nSum.", 1),
        ([message("assistant", "Sum."), message("user", "Sum.")], "frame\nSum.", 2),
        ([message("assistant", "Sum.", id="m"), event("item_completed", item={"id": "m"})], "Sum.", 1),
        ([event("item_completed", item={"id": "m"}), message("assistant", "Sum.", id="m")], "Sum.", 2),
        ([event("item_completed", item={"id": "n"}), message("assistant", "Sum.", id="m")], "Sum.", 1),
        ([message("assistant", "Sum.")], None, 1),
        ([], "Sum.", 0),
    ],
)
def test_only_the_summary_that_a_compaction_was_made_of_is_taken_out(before, summary, left) -> None:
    assert len(tail(*before, {"type": "compacted", "payload": {"message": summary}})) == left


# ---- what stands before the tail


META = {"timestamp": "T1", "type": "session_meta", "payload": {"id": "a", "cwd": "/w"}}


def test_the_first_meta_is_the_sessions_own_and_the_last_time_the_newest() -> None:
    parent = {"timestamp": "T2", "type": "session_meta", "payload": {"id": "b"}}
    found = ENCODER.context(map(dump, [META, parent]), map(dump, [event("task_started"), {"timestamp": 5}]))

    assert found == {"rules": [], "meta": META["payload"], "numbered": False, "time": "T"}


@pytest.mark.parametrize(
    ("record", "is_rule"),
    [
        (message("developer", "be brief"), True),
        (message("system", "be brief"), True),
        (message("user", "<environment_context>x</environment_context>"), True),
        (message("user", "# AGENTS.md instructions"), True),
        (message("user", "go"), False),
        (message("user", "<!-- memcli generation=g covered=0000000 digest=d -->\nx"), False),
        (message("assistant", "hi"), False),
        (event("user_message", message="<x>"), False),
        (item("reasoning", role="developer", content=[]), False),
        ({"type": "response_item", "payload": "x"}, False),
    ],
)
def test_a_rule_is_what_no_person_said(record, is_rule) -> None:
    assert ENCODER.context([dump(record)], [])["rules"] == ([record] if is_rule else [])


def test_rules_beyond_what_a_client_sends_are_left_out() -> None:
    big = message("developer", "x" * 60_000)

    assert ENCODER.context(map(dump, [big, big, message("developer", "small")]), [])["rules"] == [big]


def test_rules_that_the_client_tells_again_on_resume_are_left_out() -> None:
    """It would tell them twice, the old ones as they were long ago."""
    first = [META, message("developer", "rules"), {"type": "world_state", "payload": {"full": True}}]

    assert ENCODER.context(map(dump, first), [])["rules"] == []


def shown(envelope: dict) -> list[dict]:
    pieces = ENCODER.message("before ", "state ", "after", envelope)
    return [json.loads(line) for line in (pieces.before + pieces.state + pieces.after).splitlines()]


def test_the_memory_stands_behind_a_meta_with_another_id_and_the_rules() -> None:
    rule = message("user", "# AGENTS.md")
    meta, first, memory = shown({"meta": {"id": "a", "cwd": "/w"}, "rules": [rule], "time": "T9"})

    assert meta["payload"] == {"id": "0" * 36, "cwd": "/w"}
    assert first["payload"] == {**rule["payload"], "role": "developer"}
    assert memory["payload"] == message("user", "before state after")["payload"]
    assert (meta["timestamp"], memory["timestamp"]) == ("T9", "T9")


def test_a_second_name_of_the_session_is_renewed_too() -> None:
    meta = shown({"meta": {"id": "a", "session_id": "a", "cwd": "/w"}})[0]

    assert meta["payload"] == {"id": "0" * 36, "session_id": "0" * 36, "cwd": "/w"}


def test_a_file_without_beginning_has_a_memory_all_the_same() -> None:
    assert [made["type"] for made in shown({})] == ["response_item"]
    assert shown({"time": 'naïve"'})[0]["timestamp"] == "na?ve"


NUMBERED = {"meta": {"id": "a", "cwd": "/w"}, "rules": [message("user", "# AGENTS.md")], "numbered": True}


def test_records_are_numbered_from_the_first_on_where_the_client_numbers_them() -> None:
    """It refuses to resume a file whose last record has no number."""
    records = tail({**message("user", "go"), "ordinal": 40}, event("task_complete"), envelope=NUMBERED)

    assert [made["ordinal"] for made in (*shown(NUMBERED), *records)] == [0, 1, 2, 3, 4]


def test_records_that_the_client_does_not_number_stay_as_they_are() -> None:
    envelope = {**NUMBERED, "numbered": False}

    assert not any("ordinal" in made for made in (*shown(envelope), *tail(message("user", "go"), envelope=envelope)))


@pytest.mark.parametrize("number", [{}, {"ordinal": 0}])
def test_the_meta_tells_whether_records_are_numbered(number) -> None:
    meta = {"type": "session_meta", **number, "payload": {"id": "s"}}

    assert ENCODER.context([dump(meta)], [])["numbered"] == bool(number)


# ---- as Anthropic blocks


def use(given: dict, name: str = "sh") -> tuple:
    return "assistant", "", [{"type": "tool_use", "id": "c", "name": name, "input": given}]


def gave(*content: dict) -> tuple:
    return "user", "", [{"type": "tool_result", "tool_use_id": "c", "content": list(content)}]


WORDS = {"type": "text", "text": "x"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (message("user", "x"), ("user", "", [WORDS])),
        (message("assistant", "x"), ("assistant", "", [WORDS])),
        (message("developer", "x"), None),
        (item("function_call", call_id="c", name="sh", arguments='{"a":1}'), use({"a": 1})),
        (item("custom_tool_call", call_id="c", name="sh", input="ls"), use({"input": "ls"})),
        (item("local_shell_call", call_id="c", action={"a": 1}), use({"a": 1}, "local_shell")),
        (item("function_call", name="sh", arguments="{}"), None),
        (item("function_call_output", call_id="c", output="x"), gave(WORDS)),
        (item("function_call_output", call_id="c", output=[{"type": "input_text", "text": "x"}]), gave(WORDS)),
        (item("function_call_output", call_id="c", output=None), gave({"type": "text", "text": ""})),
        (item("reasoning", call_id="c"), None),
        (event("user_message", message="x"), None),
        ({"type": "response_item", "payload": []}, None),
    ],
    ids=lambda made: json.dumps(made)[-50:] if isinstance(made, dict) else None,
)
def test_an_item_is_told_in_anthropic_blocks(record, said) -> None:
    assert ENCODER.said(record) == said


def test_images_in_words_and_outputs_are_kept() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}

    assert ENCODER.said(item("message", role="user", content=[image])) == ("user", "", [block])
    assert ENCODER.said(item("function_call_output", call_id="c", output=[image])) == gave(block)
