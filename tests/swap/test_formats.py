"""What is particular to a format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memcli.transcript import encode
from memcli.transcript.encode import common
from memcli.transcript.encode.common import NO_RESULT, Plan
from memcli.transcript.encode.to_messages import to_messages
from tests.swap.a_head import a_head, facts, lines_of, swapped
from tests.swap.rules import broken_rule
from tests.swap.sessions import WRITERS, dump, pi


def records(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


def tail(format: str, data: bytes, **plan) -> list[dict]:
    made = Plan(end=len(data), **plan)
    return records(b"".join(line.data for line in encode.module(format).tail(lines_of(data), made)))


def claude(*changes: dict, events=(("prompt", "a"), ("say", "b"))) -> bytes:
    """A Claude Code session whose records are changed one by one."""
    made = records(WRITERS["claude-code"](events))
    for record, change in zip(made, changes, strict=False):
        record.update(change)
    return b"".join(map(dump, made))


# ---- Claude Code


def test_a_claude_code_output_is_one_straight_chain_of_one_session(tmp_path) -> None:
    data = WRITERS["claude-code"]([("prompt", "a"), ("call", "c1"), ("result", "c1"), ("say", "b")])
    found = records(swapped(a_head("claude-code", data, 0), data, tmp_path)[0])

    assert found[0]["subtype"] == "compact_boundary"
    assert found[1]["isCompactSummary"]
    assert [record["parentUuid"] for record in found] == [None, *(record["uuid"] for record in found[:-1])]
    assert len({record["sessionId"] for record in found}) == 1
    assert found[0]["sessionId"] != "s"


def test_times_never_go_back_and_the_memory_is_not_newer_than_the_tail(tmp_path) -> None:
    data = claude({"timestamp": "2026-01-01T00:00:09.000Z"}, {"timestamp": "2026-01-01T00:00:01.000Z"})
    times = [record["timestamp"] for record in records(swapped(a_head("claude-code", data, 0), data, tmp_path)[0])]

    assert times == ["2026-01-01T00:00:09.000Z"] * 4


def test_recorded_usage_becomes_zero() -> None:
    answer = tail("claude-code", claude())[1]["message"]

    assert set(answer["usage"].values()) == {0}
    assert answer["id"] == "msg_1"


@pytest.mark.parametrize("identity", [None, "REDACTED"])
def test_an_answer_without_id_gets_one_of_its_own(identity) -> None:
    events = [("prompt", "a"), ("say", "b"), ("prompt", "c"), ("say", "d")]
    data = (
        WRITERS["claude-code"](events)
        .replace(b'"msg_1"', dump(identity).strip())
        .replace(b'"msg_2"', dump(identity).strip())
    )
    found = {record["message"]["id"] for record in tail("claude-code", data) if record["type"] == "assistant"}

    assert len(found) == 2
    assert not found & {"", "REDACTED", None}


def test_an_answer_that_stands_before_its_prompt_comes_behind_it() -> None:
    prompt, answer = WRITERS["claude-code"]([("prompt", "a"), ("say", "b")]).splitlines(keepends=True)

    assert [record["type"] for record in tail("claude-code", answer + prompt)] == ["user", "assistant"]


def test_parts_of_one_answer_come_together_before_their_results() -> None:
    call1, result1, call2, result2 = ("call", "c1"), ("result", "c1"), ("call", "c2"), ("result", "c2")
    data = WRITERS["claude-code"]([("prompt", "a"), call1, result1, call2, result2]).replace(b"msg_2", b"msg_1")

    assert [record["type"] for record in tail("claude-code", data)] == [
        "user",
        "assistant",
        "assistant",
        "user",
        "user",
    ]


def test_a_call_that_nobody_answered_gets_a_result_that_says_so() -> None:
    data = WRITERS["claude-code"]([("prompt", "a"), ("call", "c1"), ("prompt", "b")])
    block = tail("claude-code", data)[2]["message"]["content"][0]

    assert (block["tool_use_id"], block["content"], block["is_error"]) == ("c1", NO_RESULT, True)


def test_a_result_without_a_call_is_dropped_and_counted() -> None:
    data = WRITERS["claude-code"]([("result", "c1"), ("prompt", "a")])
    plan = Plan(end=len(data))
    found = list(encode.module("claude-code").tail(lines_of(data), plan))

    assert len(found) == 1
    assert plan.problems == {"result without a call": 1}


def test_queued_words_become_a_message_behind_the_round() -> None:
    events = [("prompt", "a"), ("call", "c1"), ("queued", "not there"), ("result", "c1"), ("say", "b")]
    data = WRITERS["claude-code"](events)
    found = tail("claude-code", data, words=facts("claude-code", data)[2], envelope={"cwd": "/w"})

    assert [record["type"] for record in found] == ["user", "assistant", "user", "user", "assistant"]
    assert found[3]["message"] == {"role": "user", "content": "not there"}
    assert found[3]["cwd"] == "/w"


def test_words_in_an_open_round_stand_before_it() -> None:
    data = WRITERS["claude-code"]([("prompt", "a"), ("call", "c1"), ("queued", "stop")])
    found = tail("claude-code", data, words=facts("claude-code", data)[2])

    assert [record["message"]["content"] for record in found[:2]] == ["a", "stop"]
    assert found[2]["type"] == "assistant"
    assert len(found) == 3


def test_a_pull_request_stays_recorded_beside_the_chain() -> None:
    link = {"type": "pr-link", "prUrl": "https://git.example/pull/7", "prNumber": 7, "sessionId": "s"}
    found = tail("claude-code", claude() + dump(link))

    assert found[2]["prNumber"] == 7
    assert found[2]["sessionId"] == found[0]["sessionId"] != "s"
    assert "parentUuid" not in found[2]


def test_an_answer_that_was_stopped_before_its_first_word_still_says_so() -> None:
    stopped = {"type": "message", "id": "e9", "message": {"role": "assistant", "content": [], "stopReason": "aborted"}}

    assert tail("pi", dump(stopped)) == [stopped]
    assert tail("pi", dump(stopped).replace(b"aborted", b"stop")) == []


def test_words_of_a_refusal_are_given_once_however_often_the_session_is_swapped() -> None:
    data = WRITERS["claude-code"]([("prompt", "a"), ("call", "c1"), ("refused", "c1", "use tabs"), ("say", "b")])
    once = b"".join(map(dump, tail("claude-code", data, words=facts("claude-code", data)[2])))
    twice = tail("claude-code", once, words=facts("claude-code", once)[2])

    for found in (records(once), twice):
        assert [record["message"]["content"] for record in found].count("use tabs") == 1


def test_sidechains_copies_and_bookkeeping_are_not_emitted() -> None:
    data = claude()
    first = data.splitlines(keepends=True)[0]
    other = dump({"type": "user", "uuid": "x", "isSidechain": True, "message": {"role": "user", "content": "side"}})
    noise = dump({"type": "api-request-blob", "message": {"role": "user", "content": "copy"}})

    assert next(record["message"]["content"] for record in tail("claude-code", data + first + other + noise)) == "a"
    assert len(tail("claude-code", data + first + other + noise)) == 2


def test_the_clients_own_compaction_is_not_emitted() -> None:
    echo = "<command-name>/compact</command-name><command-args></command-args>"
    contents = ["summary", "<local-command-caveat>x</local-command-caveat>", echo, "<local-command-stdout>Compacted"]
    lines = [{"type": "system", "subtype": "compact_boundary", "uuid": "b", "parentUuid": None}]
    for place, content in enumerate(contents):
        line = {"type": "user", "uuid": f"k{place}", "message": {"role": "user", "content": content}}
        lines.append(line | ({"isCompactSummary": True}, {"isMeta": True}, {}, {})[place])
    lines.append({"type": "user", "uuid": "n", "parentUuid": "k3", "message": {"role": "user", "content": "next"}})

    assert [record["message"]["content"] for record in tail("claude-code", b"".join(map(dump, lines)))] == ["next"]


def attached(**attachment) -> dict:
    return {"type": "attachment", "uuid": "att", "parentUuid": "u0", "attachment": attachment}


def test_a_file_the_user_named_stays_an_attachment_behind_the_first_answer() -> None:
    content = {"type": "text", "file": {"filePath": "/w/a", "content": "text of a"}}
    data = claude() + dump(attached(type="file", filename="/w/a", content=content))

    assert tail("claude-code", data)[2]["attachment"]["content"] == content


def test_a_file_before_the_first_answer_becomes_words_so_that_the_memory_stays_first() -> None:
    content = {"type": "text", "file": {"filePath": "/w/a", "content": "text of a"}}
    data = WRITERS["claude-code"]([("prompt", "a")]) + dump(attached(type="file", filename="/w/a", content=content))
    made = tail("claude-code", data)[1]

    assert made["type"] == "user"
    assert made["isMeta"]
    assert made["message"]["content"] == "<system-reminder>\nfile:\n/w/a\ntext of a\n</system-reminder>"


def test_listings_that_the_client_makes_again_are_dropped() -> None:
    data = claude() + dump(attached(type="skill_listing", content="many"))

    assert len(tail("claude-code", data)) == 2


@pytest.mark.parametrize(
    "line",
    [
        {"type": "system", "subtype": "compact_boundary", "uuid": "n", "parentUuid": None},
        {"type": "queue-operation", "operation": "remove"},
        attached(type="queued_command", prompt="stop", commandMode="prompt"),
        {"type": "user", "uuid": "u0", "parentUuid": None, "message": {"content": "a copy"}},
        {"type": "user", "uuid": "n", "parentUuid": "u0", "message": {"content": "a rewind"}},
        {"type": "user", "uuid": "n", "parentUuid": "before the tail", "message": {"content": "x"}},
    ],
)
def test_an_unseen_record_that_needs_the_whole_transcript_raises_doubt(line) -> None:
    data = claude()
    with pytest.raises(common.Doubt):
        tail("claude-code", data + dump(line), known=len(data))


def test_copies_that_go_on_after_the_last_seen_line_raise_doubt() -> None:
    """The client writes copies of a whole history; a head may have been made in the middle of them."""
    data = claude()
    copy, following = claude().splitlines(keepends=True)
    stand = len(data) + len(copy)
    lines = lines_of(data + copy + following, len(data))
    plan = Plan(end=stand, known=stand, skip=((len(data), stand),), envelope={"leaf": "u0"})

    with pytest.raises(common.Doubt):
        list(encode.module("claude-code").tail(lines, plan))


def test_lone_surrogates_survive_as_escapes() -> None:
    data = claude().replace(b'"content":"a"', rb'"content":"\ud83d a"')

    assert tail("claude-code", data)[0]["message"]["content"] == "\ud83d a"


# ---- the others


def test_a_codex_output_has_a_new_session_and_no_traces_of_the_old_history(tmp_path) -> None:
    data = WRITERS["codex"]([("prompt", "a"), ("think",), ("say", "b")])
    for payload in ({"type": "token_count", "info": {}}, {"type": "context_compacted"}, {"type": "thread_rolled_back"}):
        data += dump({"type": "event_msg", "payload": payload})
    data += dump({"type": "compacted", "payload": {"message": "", "replacement_history": []}})
    found = records(swapped(a_head("codex", data, 0), data, tmp_path)[0])

    assert [record["type"] for record in found] == ["session_meta", *["response_item", "event_msg"] * 3][:2] + [
        "response_item",
        "event_msg",
    ] * 2
    assert found[0]["payload"]["id"] != "old"
    assert found[0]["payload"]["cwd"] == "/w"


RECORDED = (Path(__file__).parents[2] / "fixtures" / "recorded" / "codex-0.169.0-tidelog.jsonl").read_bytes()


def test_a_recorded_codex_tail_has_no_summary_no_counts_of_tokens_and_no_reasoning() -> None:
    gone = [record for record in records(RECORDED) if record not in tail("codex", RECORDED)]
    kinds = {"compacted", "session_meta", "token_usage_record"}
    inner = {"token_count", "reasoning", "Reasoning", "ContextCompaction", "message"}

    for record in gone:
        payload = record["payload"]
        assert record["type"] in kinds or {payload["type"], payload.get("item", {}).get("type")} & inner
    assert [record["payload"]["role"] for record in gone if record["payload"].get("type") == "message"] == ["assistant"]


def test_items_of_a_recorded_codex_tail_stay_where_they_were() -> None:
    kept = tail("codex", RECORDED)

    assert kept == [record for record in records(RECORDED) if record in kept]


@pytest.mark.parametrize("begin", [0, 8, 26, 40, 62, 94, 109, 118])
def test_messages_of_a_codex_tail_are_counted_as_its_reader_counts_them(begin) -> None:
    lines = lines_of(RECORDED)[begin:]
    outs = list(encode.module("codex").tail(lines, Plan(end=len(RECORDED))))
    read = facts("codex", b"".join(out.data for out in outs))[0]

    assert sum(out.counts for out in outs) == sum(entry.role in ("user", "assistant", "tool") for entry in read)


def codex_lines(*payloads: dict) -> bytes:
    event = {"user_message", "item_completed", "task_started"}
    kinds = ["event_msg" if payload.get("type") in event else "response_item" for payload in payloads]
    return b"".join(dump({"type": kind, "payload": body}) for kind, body in zip(kinds, payloads, strict=True))


def said_in(role: str, *texts: str, **more) -> dict:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": t} for t in texts], **more}


@pytest.mark.parametrize(
    "payloads",
    [
        [said_in("user", "<image name=a>", "</image>", "see"), {"type": "user_message", "message": "see"}],
        [said_in("user", "look at a.png"), {"type": "user_message", "message": "look at [Image #1]"}],
        [said_in("user", "<environment_context>x"), {"type": "user_message", "message": "go"}, said_in("user", "go")],
        [said_in("user", "go"), {"type": "item_completed", "item": {"type": "UserMessage", "content": "go"}}],
        [{"type": "item_completed", "item": {"type": "UserMessage", "content": "go"}}],
        [{"type": "item_completed", "item": None}, {"type": "user_message", "message": ""}],
        [
            {"type": "task_started"},
            said_in("user", "go"),
            {"type": "user_message", "message": "go"},
            {"type": "item_completed", "item": {"type": "UserMessage", "content": "go"}},
        ],
    ],
)
def test_a_prompt_in_both_views_counts_as_its_reader_counts_it(payloads) -> None:
    outs = list(encode.module("codex").tail(lines_of(codex_lines(*payloads)), Plan()))
    read = facts("codex", codex_lines(*payloads))[0]

    assert [out.counts for out in outs] == [bool(entry.role) for entry in read]


def test_words_of_the_agent_that_a_compaction_falls_back_to_are_kept() -> None:
    compacted = dump({"type": "compacted", "payload": {"message": "frame\nDone."}})
    event = {"type": "item_completed", "item": {"type": "AgentMessage", "id": "m1"}}
    word = said_in("assistant", "Done.", id="m1")

    assert len(tail("codex", codex_lines(event, word) + compacted)) == 2
    assert len(tail("codex", codex_lines(word) + compacted)) == 0
    assert len(tail("codex", codex_lines(word, said_in("user", "thanks")) + compacted)) == 2


def test_codex_calls_keep_their_order_and_their_bytes() -> None:
    calls = [("call", "c1"), ("call", "c2"), ("say", "both run"), ("result", "c2"), ("result", "c1")]
    data = WRITERS["codex"]([("prompt", "a"), *calls])

    assert tail("codex", data) == records(data)[1:]


def test_a_custom_tool_gets_a_custom_output() -> None:
    data = WRITERS["codex"]([("prompt", "a"), ("call", "c1"), ("prompt", "b")]).replace(
        b'"function_call"', b'"custom_tool_call"'
    )
    kinds = [record["payload"]["type"] for record in tail("codex", data)]

    assert "custom_tool_call_output" in kinds


def test_a_pi_tree_becomes_a_line_under_the_memory(tmp_path) -> None:
    data = pi([("prompt", "a"), ("think",), ("say", "b")])
    header, *found = records(swapped(a_head("pi", data, len(data.splitlines(keepends=True)[0])), data, tmp_path)[0])

    assert header["id"] != "old"
    assert header["version"] == 3
    assert [record["parentId"] for record in found] == [None, *(record["id"] for record in found[:-1])]


def test_pi_version_1_has_no_ids_and_no_stale_usage(tmp_path) -> None:
    data = pi([("prompt", "a"), ("say", "b")], version=None)
    found = records(swapped(a_head("pi", data, 0), data, tmp_path)[0])

    assert not any("parentId" in record for record in found)
    assert found[-1]["message"]["usage"] == {"input": 0, "cacheRead": 0, "cost": {"total": 1}}


def test_leading_system_messages_come_first_and_once(tmp_path) -> None:
    data = WRITERS["openai"]([("prompt", "a"), ("say", "b")])
    for begin in (0, len(data)):
        found = records(swapped(a_head("openai", data, begin), data, tmp_path)[0])
        assert [record["role"] for record in found][:2] == ["system", "user"]
        assert sum(record["role"] == "system" for record in found) == 1


def test_two_objects_on_one_line_become_two_lines() -> None:
    data = dump({"role": "user", "content": "a"}).strip() + dump({"role": "assistant", "content": "b"})

    assert [record["content"] for record in tail("anthropic", data)] == ["a", "b"]


def test_an_unreadable_line_is_counted() -> None:
    plan = Plan(end=100)
    lines = [(0, b"nonsense\n"), (9, b"\n"), (10, b'{"role":"user","content":"a"}')]
    found = list(encode.module("anthropic").tail(lines, plan))

    assert [line.data for line in found] == [b'{"role":"user","content":"a"}\n']
    assert plan.problems == {"unreadable line": 1}


@pytest.mark.parametrize("name", WRITERS)
def test_a_module_has_the_name_it_is_asked_for_by(name) -> None:
    assert name == encode.module(name).NAME


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="no encoder"):
        encode.module("gemini")


# ---- the mark and new ids


def test_the_mark_is_read_back_only_from_the_very_beginning() -> None:
    line = common.mark("abc", "0f")

    assert common.read_mark(line + "\ntext") == ("abc", 0, "0f")
    for other in (" " + line, "x\n" + line, line.replace(" -->", ""), line.replace("covered=0", "covered=-"), ""):
        assert common.read_mark(other) is None


def test_new_ids_are_well_formed_and_depend_on_every_seed() -> None:
    seeds = [("s", "g", 1, "o"), ("t", "g", 1, "o"), ("s", "h", 1, "o"), ("s", "g", 2, "o"), ("s", "g", 1, "p")]
    made = {common.derive(*seed) for seed in seeds}

    assert len(made) == len(seeds)
    assert all([len(part) for part in one.split("-")] == [8, 4, 4, 4, 12] for one in made)
    assert len(common.derive(*seeds[0], 8)) == 8


# ---- any format to Anthropic messages


def test_the_open_round_is_left_out_and_named() -> None:
    data = WRITERS["anthropic"]([("prompt", "a"), ("call", "c1"), ("result", "c1"), ("say", "b"), ("call", "c2")])
    messages, opened = to_messages(data.splitlines(keepends=True), encode.module("anthropic").said)

    assert opened == ["Bash"]
    assert broken_rule(messages) == ""
    assert b"c2" not in b"".join(messages)


def test_ids_that_are_used_again_are_made_unique() -> None:
    rounds = [("prompt", "a"), ("call", "c"), ("result", "c"), ("say", "b")]
    data = WRITERS["openai"](rounds + rounds)
    messages, _ = to_messages(data.splitlines(keepends=True), encode.module("openai").said)

    assert broken_rule(messages) == ""
    assert b'"c_2"' in b"".join(messages)


def test_late_results_come_right_behind_their_calls() -> None:
    events = [
        ("prompt", "a"),
        ("call", "c1"),
        ("call", "c2"),
        ("result", "c2"),
        ("say", "x"),
        ("result", "c1"),
        ("say", "y"),
    ]
    messages, _ = to_messages(WRITERS["codex"](events).splitlines(), encode.module("codex").said)

    assert broken_rule(messages) == ""
    assert b"output of ['c1']" in messages[2]


def test_images_are_kept_and_unparsable_arguments_are_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    lines = [dump({"role": "user", "content": [image]})]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{half"}}
    lines.append(dump({"role": "assistant", "content": None, "tool_calls": [call]}))
    lines.append(dump({"role": "tool", "tool_call_id": "c", "content": ""}))
    messages = records(b"".join(to_messages(lines, encode.module("openai").said)[0]))

    assert messages[0]["content"][0]["source"] == {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert messages[1]["content"][0]["input"] == {"input": "{half"}
    assert messages[2]["content"][0] == {"type": "tool_result", "tool_use_id": "c"}


def test_codex_rules_from_before_the_first_prompt_stand_once_before_each_memory() -> None:
    module = encode.module("codex")
    rule = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "never push"}]}
    lines = [json.dumps({"type": "response_item", "timestamp": "t", "payload": rule}).encode()]
    once = module.message("memory", "", "", module.context(lines, []))
    begun = [*once.before.splitlines(), (once.before.splitlines()[-1] + once.after).strip()]

    twice = module.message("memory", "", "", module.context(begun[:-1], []))

    assert once.before.count(b"never push") == twice.before.count(b"never push") == 1


# ---- words of refusals, swapped again


@pytest.mark.parametrize("open_round", [True, False])
def test_words_of_two_refusals_in_one_round_stand_once_however_often_it_is_swapped(open_round) -> None:
    calls = [("call", "c1"), ("call", "c2"), ("call", "c3")]
    answers = [("refused", "c1", "not so"), ("refused", "c2", "nor so")]
    events = [("prompt", "a"), *calls, *answers, *([] if open_round else [("result", "c3"), ("say", "b")])]
    data = WRITERS["claude-code"](events)
    for _ in range(3):
        found = tail("claude-code", data, words=facts("claude-code", data)[2])
        data = b"".join(map(dump, found))

        texts = [body for record in found if isinstance(body := record["message"]["content"], str)]
        assert [texts.count("not so"), texts.count("nor so")] == [1, 1]


def test_the_same_words_in_another_turn_do_not_stand_for_those_of_a_refusal() -> None:
    refused = [("call", "c1"), ("refused", "c1", "no")]
    data = WRITERS["claude-code"](
        [("prompt", "no"), ("say", "x"), *refused, ("say", "y"), ("prompt", "no"), ("say", "z")]
    )
    found = tail("claude-code", data, words=facts("claude-code", data)[2])

    assert [record["message"]["content"] for record in found].count("no") == 3
