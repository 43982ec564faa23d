"""Claude Code's own records in a tail: what is kept, what is dropped, what nobody may judge alone."""

from __future__ import annotations

import json

import pytest

from memcli.transcript import encode
from memcli.transcript.encode.common import NO_RESULT, Doubt, Plan
from tests.swap.a_head import lines_of
from tests.swap.sessions import WRITERS, dump

ENCODER = encode.module("claude-code")
TIME = "2026-01-01T00:00:00.000Z"


def record(kind: str, uuid: str, parent: str | None = None, **more) -> dict:
    return {"type": kind, "uuid": uuid, "parentUuid": parent, "timestamp": TIME, **more}


def user(uuid: str, content, parent: str | None = None, **more) -> dict:
    return record("user", uuid, parent, message={"role": "user", "content": content}, **more)


def agent(uuid: str, *content, parent: str | None = None, **message) -> dict:
    body = {"id": f"m-{uuid}", "role": "assistant", "content": list(content), **message}
    return record("assistant", uuid, parent, message=body)


def attached(kind: str, **more) -> dict:
    return record("attachment", "att", "a1", attachment={"type": kind, **more})


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def call(name: str) -> dict:
    return {"type": "tool_use", "id": name, "name": "Bash", "input": {}}


def result(name: str, content="ok", **more) -> dict:
    return {"type": "tool_result", "tool_use_id": name, "content": content, **more}


def tail(*records: dict, **plan) -> list[dict]:
    lines = lines_of(b"".join(map(dump, records)))
    return [json.loads(line.data) for line in ENCODER.tail(lines, Plan(**{"end": 10**6, **plan}))]


START = (user("u1", "go"), agent("a1", text("yes"), parent="u1"))


# ---- records


@pytest.mark.parametrize(
    "dropped",
    [
        user("x", "s", isSidechain=True),
        user("x", "s", parent_tool_use_id="t"),
        user("x", "summary", isCompactSummary=True),
        agent("x", text(" ")),
        agent("x", {"type": "thinking", "thinking": "hm", "signature": "s"}),
        agent("x", {"type": "redacted_thinking", "data": "d"}),
        {**agent("x", text("overloaded")), "isApiErrorMessage": True},
        user("x", []),
        user("x", ""),
        user("x", None),
        record("user", "x", message="m"),
        record("system", "x", subtype="turn_duration"),
        record("progress", "x", message={"role": "user", "content": "p"}),
        {"type": "last-prompt", "leafUuid": "a1"},
        {"type": "api-request-blob", "message": {"role": "user", "content": "copy"}},
    ],
    ids=lambda made: json.dumps(made)[-60:],
)
def test_what_is_no_part_of_the_conversation_is_not_emitted(dropped) -> None:
    assert len(tail(*START, dropped)) == 2


def test_thinking_is_taken_out_of_an_answer_and_a_person_may_write_about_it() -> None:
    thought = {"type": "thinking", "thinking": "hm"}
    found = tail(user("u1", [text("a"), text(""), thought]), agent("a1", thought, text("b"), text(" "), parent="u1"))

    assert [made["message"]["content"] for made in found] == [[text("a"), thought], [text("b")]]


def test_a_notice_of_the_client_is_kept_and_is_no_message() -> None:
    lines = lines_of(b"".join(map(dump, [*START, agent("a2", text("No response requested."), model="<synthetic>")])))
    outs = list(ENCODER.tail(lines, Plan(end=10**6)))

    assert [out.counts for out in outs] == [True, True, False]
    assert [ENCODER.said(json.loads(out.data)) is not None for out in outs] == [True, True, False]


def test_new_ids_replace_the_old_ones_wherever_a_record_names_them() -> None:
    answer = user("r1", [result("c1")], "a2", sourceToolAssistantUUID="a2", session_id="old")
    foreign = user("r2", [result("c2")], "a3", sourceToolAssistantUUID="elsewhere")
    found = tail(*START, agent("a2", call("c1"), parent="a1"), answer, agent("a3", call("c2"), parent="r1"), foreign)

    assert found[3]["sourceToolAssistantUUID"] == found[2]["uuid"] != "a2"
    assert found[3]["session_id"] == found[3]["sessionId"] == found[0]["sessionId"]
    assert "session_id" not in found[2]
    assert found[5]["sourceToolAssistantUUID"] == "elsewhere"


@pytest.mark.parametrize(
    "odd", [None, 5, "yesterday", "2026-01-01 00:00:00.000Z", "2026-01-01T00:00:00.000+", TIME[:-5] + "Z"]
)
def test_a_time_in_another_spelling_becomes_the_one_before_it(odd) -> None:
    later = "2026-01-01T00:00:07.000Z"
    found = tail({**START[0], "timestamp": later}, {**START[1], "timestamp": odd})
    alone = tail({**START[0], "timestamp": odd}, envelope={"time": later})
    never = tail({**START[0], "timestamp": odd})

    assert [made["timestamp"] for made in (*found, *alone)] == [later] * 3
    assert never[0]["timestamp"] == "1970-01-01T00:00:00.000Z"


def test_a_line_keeps_its_time_unless_it_is_older_than_the_one_before_it() -> None:
    times = [f"2026-01-01T00:00:{second:02}.000Z" for second in (7, 3, 9)]
    records = [{**made, "timestamp": time} for made, time in zip((*START, user("u2", "on", "a1")), times, strict=True)]
    assert [made["timestamp"] for made in tail(*records)] == [times[0], times[0], times[2]]


def test_results_of_one_record_whose_calls_are_gone_are_taken_out_of_it() -> None:
    mixed = user("r1", [result("gone"), result("c1"), text("and this")], "a2")
    found = tail(*START, agent("a2", call("c1"), parent="a1"), mixed)

    assert found[3]["message"]["content"] == [result("c1"), text("and this")]


def test_a_made_result_stands_in_the_envelope_of_its_call() -> None:
    asked = {**agent("a2", call("c1"), parent="a1"), "cwd": "/w", "gitBranch": "b", "slug": "s"}
    made = tail(*START, asked, user("u2", "next", "a2"))[3]

    assert made["message"]["content"] == [result("c1", NO_RESULT, is_error=True)]
    assert (made["cwd"], made["gitBranch"], made["timestamp"], made["isSidechain"]) == ("/w", "b", TIME, False)
    assert "slug" not in made


def test_records_whose_parents_run_in_a_circle_are_emitted_once_and_counted() -> None:
    plan = Plan(end=10**6)
    lines = lines_of(b"".join(map(dump, [*START, user("x", "x", "y"), user("y", "y", "x")])))
    found = [json.loads(out.data)["message"]["content"] for out in ENCODER.tail(lines, plan)]

    assert found == ["go", [text("yes")], "x", "y"]
    assert plan.problems == {"parents in a circle": 1}


def test_ids_that_are_no_strings_are_no_ids() -> None:
    found = tail({**START[0], "uuid": 5, "parentUuid": {}}, {**START[1], "parentUuid": ["u1"]})

    assert len({made["uuid"] for made in found}) == 2
    assert found[1]["parentUuid"] == found[0]["uuid"]


def test_redacted_ids_name_different_records() -> None:
    found = tail(user("REDACTED", "a"), agent("REDACTED", text("b")), user("REDACTED", "c"))

    assert len({made["uuid"] for made in found}) == 3


# ---- attachments


@pytest.mark.parametrize(
    "kind",
    [
        *("already_read_file", "diagnostics", "directory", "edited_image_file", "edited_text_file", "file"),
        *("hook_additional_context", "invoked_skills", "mcp_resource", "nested_memory", "plan_file_reference"),
        *("plan_mode", "selected_lines_in_ide"),
    ],
)
def test_attachments_with_content_are_kept(kind) -> None:
    assert tail(*START, attached(kind, content="c"))[2]["attachment"] == {"type": kind, "content": "c"}


@pytest.mark.parametrize("kind", ["skill_listing", "task_reminder", "total_tokens_reminder", "date", "hook_success"])
def test_attachments_that_the_client_makes_again_are_dropped(kind) -> None:
    assert len(tail(*START, attached(kind, content="c"))) == 2


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"hookEvent": "UserPromptSubmit", "content": "c"}, True),
        ({"hookEvent": "UserPromptSubmit", "content": ""}, False),
        ({"hookEvent": "PostToolUse", "content": "c"}, False),
    ],
)
def test_what_a_hook_put_into_a_prompt_is_kept(fields, kept) -> None:
    assert (len(tail(*START, attached("hook_success", **fields))) == 3) == kept


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"content": {"type": "text", "file": {"filePath": "/w/a", "content": "body"}}}, "file:\nbody"),
        ({"content": ["one", " ", {"x": "two"}], "displayPath": "a"}, "file:\none\ntwo"),
        ({"content": {"type": "image", "data": "AAAA"}}, None),
    ],
)
def test_an_attachment_before_the_first_answer_says_its_texts(more, words) -> None:
    found = tail(START[0], attached("file", **more))[1]

    if words is None:
        assert found["attachment"]["content"] == more["content"]
    else:
        assert found["message"]["content"] == f"<system-reminder>\n{words}\n</system-reminder>"


def test_an_attachment_the_client_rendered_says_that() -> None:
    rendered = [{"type": "user", "content": "<system-reminder>ready words</system-reminder>"}]
    found = tail(START[0], {**attached("file", content="raw"), "rendered": rendered})[1]

    assert found["message"]["content"] == "<system-reminder>\nready words\n</system-reminder>"


# ---- lines nobody saw yet


def doubted(*unseen: dict, **plan) -> bool:
    seen = b"".join(map(dump, START))
    lines = lines_of(seen + b"".join(map(dump, unseen)))
    try:
        list(ENCODER.tail(lines, Plan(**{"end": 10**6, "known": len(seen), **plan})))
    except Doubt:
        return True
    return False


@pytest.mark.parametrize(
    "harmless",
    [
        user("n", "next", "a1"),
        agent("n", text("more"), parent="a1"),
        user("n", [result("c")], "u1"),  # of parallel calls: the last record is not its parent
        attached("file", content="c"),
        attached("queued_command", prompt="done", commandMode="task-notification"),
        {"type": "queue-operation", "operation": "enqueue", "content": "x"},
        {"type": "queue-operation", "operation": "dequeue"},
        {"type": "ai-title", "title": "t"},
        {"type": "user", "message": {"role": "user", "content": "no id, no place in the tree"}},
        user("n", "side", "elsewhere", isSidechain=True),
        record("file-history-snapshot", "u1", "elsewhere"),
        user("n", [text("the user doesn't want to proceed")], "a1"),
    ],
    ids=lambda made: json.dumps(made)[-60:],
)
def test_unseen_records_that_say_all_themselves_are_taken(harmless) -> None:
    assert not doubted(harmless)


@pytest.mark.parametrize(
    "dubious",
    [
        user("n", "s", "a1", isCompactSummary=True),
        record("system", "n", None, subtype="compact_boundary"),
        {"type": "queue-operation", "operation": "remove"},
        {"type": "queue-operation", "operation": "popAll"},
        attached("queued_command", prompt="stop"),
        agent("n", text("of another branch"), parent="never seen"),
        record("system", "u1", "a1", subtype="turn_duration"),
        user("n", "rewound", "u1"),
        user("n", [result("c", "The user doesn't want to proceed")], "a1"),
        user("n", [result("c", "user rejected the plan")], "a1"),
        user("n", [result("c", [text("it was rejected")])], "a1"),
    ],
    ids=lambda made: json.dumps(made)[-60:],
)
def test_unseen_records_that_hang_on_the_whole_transcript_raise_doubt(dubious) -> None:
    assert doubted(dubious)


def test_unseen_records_may_follow_each_other() -> None:
    assert not doubted(user("n1", "next", "a1"), agent("n2", text("b"), parent="n1"), user("n3", "on", "n2"))
    assert doubted(user("n1", "next", "a1"), agent("n2", text("b"), parent="n1"), user("n3", "edited", "a1"))


def test_the_first_unseen_record_may_hang_on_the_last_one_before_the_tail() -> None:
    lines = lines_of(dump(user("n", "next", "leaf")))

    assert list(ENCODER.tail(lines, Plan(end=10**6, known=0, envelope={"leaf": "leaf"})))
    with pytest.raises(Doubt):
        list(ENCODER.tail(lines, Plan(end=10**6, known=0, envelope={"leaf": "other"})))


# ---- what stands before the tail


def test_the_envelope_is_that_of_the_newest_record_of_the_main_conversation() -> None:
    lines = [
        {**START[0], "cwd": "/old", "version": "1", "gitBranch": "b"},
        {**START[1], "cwd": "/new", "version": 2, "timestamp": "2026-01-01T00:00:05.000Z"},
        {**user("x", "s"), "isSidechain": True, "cwd": "/side"},
        {"type": "mode", "cwd": "/none"},
        {**user("u9", "last"), "timestamp": "soon"},
    ]

    assert ENCODER.context(map(dump, lines[:1]), map(dump, lines[1:])) == {
        "cwd": "/new",
        "version": "1",
        "gitBranch": "b",
        "time": "2026-01-01T00:00:05.000Z",
        "leaf": "u9",
    }


def test_the_memory_is_a_boundary_and_a_summary_in_that_envelope() -> None:
    envelope = {"cwd": "/w", "version": "2.1.197", "time": TIME, "leaf": "u9"}
    pieces = ENCODER.message("before ", "state ", "after", envelope, 1000, 90)
    boundary, summary = [json.loads(line) for line in (pieces.before + pieces.state + pieces.after).splitlines()]

    assert boundary["compactMetadata"] == {"trigger": "manual", "preTokens": 1000, "postTokens": 90}
    assert (boundary["subtype"], boundary["type"], boundary["parentUuid"]) == ("compact_boundary", "system", None)
    assert (summary["isCompactSummary"], summary["isVisibleInTranscriptOnly"]) == (True, True)
    assert summary["message"] == {"role": "user", "content": "before state after"}
    for made in (boundary, summary):
        assert (made["cwd"], made["version"], made["timestamp"], made["isSidechain"]) == ("/w", "2.1.197", TIME, False)
        assert "leaf" not in made


@pytest.mark.parametrize(
    "blocks",
    [[text("x")], [result("c")], [call("c")], [{"type": "image", "source": {}}]],
    ids=["text", "result", "call", "image"],
)
def test_blocks_are_said_as_they_stand(blocks) -> None:
    assert ENCODER.said(user("u", blocks)) == ("user", "", blocks)
    assert ENCODER.said(agent("a", *blocks)) == ("assistant", "m-a", blocks)


def test_a_session_of_one_prompt_is_a_tail_of_one_line() -> None:
    (line,) = ENCODER.tail(lines_of(WRITERS["claude-code"]([("prompt", "a")])), Plan(end=1))

    assert (line.offset, line.counts, line.time) == (0, True, TIME)


@pytest.mark.parametrize(("called", "source"), [("c", "refusal"), ("lost", "queued")])
def test_words_of_a_refusal_are_marked_as_heard_there_only_while_the_refusal_stands(called, source) -> None:
    """A refusal whose call is lost is left out; a reader of the swapped file hears its words in their own line."""
    asked = agent("a2", call(called), parent="a1")
    refused = user("r", [result("c", "rejected. The user said:\nnot so", is_error=True)], "a2")
    at = len(b"".join(map(dump, (*START, asked))))
    made = tail(*START, asked, refused, user("u2", "go on", "r"), words=((at, "not so"),))

    assert [line.get("promptSource") for line in made if line["message"]["content"] == "not so"] == [source]
