from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from memcli.transcript.entries import Compacted
from memcli.transcript.formats.claude_code import Reader, claims
from tests.transcript.scripts import as_lines, entries_of, fixture, read, script

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry

SESSION = [
    "user| at /srv/harbor main",
    "user| prompt: The tide table in src/tides.py is off by one hour in winter. Fix it and add a test.",
    "user| machine: '<system-reminder>The date is 2'",
    "| machine: 'skill_listing\\n- deploy: ships '",
    "assistant| thinks 12",
    "assistant| usage 9000 claude-harbor-1",
    "assistant| says: I will look at how the offset is applied.",
    'assistant| calls toolu_r1 Read {"file_path": "/srv/harbor/src/tides.py"}',
    'assistant| calls toolu_b1 Bash {"command": "grep -rn utcoffset src", "description": "Find o',
    "user| gave toolu_r1: '     1\\tdef local(hour, offset)'",
    "user| failed toolu_b1: 'Exit code 1'",
    'assistant| calls toolu_w1 TodoWrite {"todos": [{"content": "Fix the winter offset", "status": "i',
    "assistant| usage 12000 claude-harbor-1",
    "user| gave toolu_w1: 'Todos have been modified'",
    'assistant| calls toolu_e1 Edit {"file_path": "/srv/harbor/src/legacy_tides.py", "old_string',
    "assistant| usage 12500 claude-harbor-1",
    'user| refused toolu_e1: "The user doesn\'t want to proce"',
    "user| rejection!: not the legacy file, the harbor office still uses it",
    "user| interrupts",
    "user| prompt!: use zoneinfo instead of a fixed offset",
    'assistant| calls toolu_e2 Edit {"file_path": "/srv/harbor/src/tides.py", "old_string": "+ 1',
    "assistant| usage 13000 claude-harbor-1",
    "user| gave toolu_e2: 'The file /srv/harbor/src/tides' {'type': 'update'}",
    "user| queued!: keep the public function names",
    'assistant| calls toolu_q1 AskUserQuestion {"questions": [{"question": "Which zone?", "header": "Zone",',
    "assistant| usage 13500 claude-harbor-1",
    "user| gave toolu_q1: 'Your questions have been answe'",
    "user| answer!: Europe/Berlin",
    "user| answer!: but store UTC",
    'assistant| calls toolu_w2 Write {"file_path": "/srv/harbor/tests/test_winter.py", "content":',
    "assistant| usage 14000 claude-harbor-1",
    "user| gave toolu_w2: 'File created successfully at: ' {'type': 'create'}",
    'assistant| calls toolu_b2 Bash {"command": "pytest -q && git commit -am \'Fix winter tides\'"',
    "assistant| usage 14500 claude-harbor-1",
    "user| gave toolu_b2: '3 passed in 0.02s\\n[main 1a2b3c'",
    "assistant| says: The table is right in winter now; the fixed hour is gone.",
    "assistant| usage 15000 claude-harbor-1",
    "| turn ends",
    "| link #7 https://git.example/harbor/pull/7",
    "user| command: only the new test",
    "user| machine: '<command-name>/review</command'",
    "user| machine: 'Base directory for this skill:'",
    "| machine: 'API Error: 529'",
    "user| machine: '<bash-input>ls</bash-input>'",
    "| compacted '' ('e33', 'e34') 3100",
    "| compacted 'This session is bein' () 0",
    "user| at /srv/harbor moonrise",
    "user| prompt: now the same for moonrise",
    "assistant| at /srv/harbor main",
    "assistant| says: Moonrise next.",
    "assistant| usage 4000 claude-harbor-1",
]

HEAD = "The user doesn't want to proceed with this tool use. The tool use was rejected."


def cc(*records: dict[str, Any]) -> list[Entry]:
    return read("claude-code", *records)


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "user", "message": {"role": "user", "content": content}, **more}


def result(text: str, detail: Any, **block: Any) -> dict[str, Any]:
    return user([{"type": "tool_result", "tool_use_id": "t", "content": text, **block}], toolUseResult=detail)


def queue(operation: str, content: str | None = None) -> dict[str, Any]:
    return {"type": "queue-operation", "operation": operation, **({"content": content} if content else {})}


def taken(words: str, mode: str = "prompt") -> dict[str, Any]:
    return {"type": "attachment", "attachment": {"type": "queued_command", "prompt": words, "commandMode": mode}}


def test_a_session_says_what_was_said_in_it() -> None:
    assert script(entries_of("claude-code", fixture("claude-code"))) == SESSION


def test_dirt_costs_nothing_but_itself() -> None:
    assert script(entries_of("claude-code", fixture("dirt-claude-code"))) == [
        "user| prompt: with a byte order mark",
        "user| prompt: after padding",
        "user| prompt: one of two",
        "user| prompt: two of two",
        "user| prompt: half a face \ufffd here",
        "user| prompt: bad byte \ufffd here",
        "user| prompt: line\u2028separator and \x85 inside",
        "user| prompt: the last line has no end",
    ]


def test_a_prompt_of_the_harness_itself_is_machine_text() -> None:
    assert script(cc(user("ci is green", promptSource="system"))) == ["user| machine: 'ci is green'"]


def test_words_that_a_swap_made_visible_keep_the_way_they_came() -> None:
    """They were typed while the agent worked, or said in the refusal that stands before them."""
    refused = result(f"{HEAD} To tell you how to proceed, the user said:\nask first", None, is_error=True)

    assert script(cc(user("and the tests", promptSource="queued"))) == ["user| queued!: and the tests"]
    assert script(cc(user("and the tests", promptSource="queued"), taken("and the tests")))[1:] == []
    assert script(cc(refused, user("ask first")))[1:] == ["user| rejection!: ask first", "user| machine: 'ask first'"]
    assert script(cc(user("ask first", promptSource="refusal"))) == ["user| machine: 'ask first'"]


def test_an_entry_knows_its_place_in_the_tree_and_its_message() -> None:
    message = {"id": "m1", "role": "assistant", "content": [], "stop_reason": "end_turn"}
    (entry,) = cc({"type": "assistant", "uuid": "a", "parentUuid": "u", "timestamp": "T", "message": message})

    assert (entry.id, entry.parent, entry.timestamp) == ("a", "u", "T")
    assert (entry.message_id, entry.stop) == ("m1", "end_turn")


def test_nothing_is_before_a_compaction() -> None:
    (entry,) = cc({"type": "system", "subtype": "compact_boundary", "uuid": "b", "logicalParentUuid": "x"})

    assert (entry.id, entry.parent, entry.role) == ("b", "", "")


@pytest.mark.parametrize("mark", [{"isSidechain": True}, {"parent_tool_use_id": "toolu_1"}])
def test_a_subagents_records_say_nothing(mark: dict[str, Any]) -> None:
    (entry,) = cc(user("explore", uuid="s", **mark))

    assert (entry.id, entry.role, entry.parts) == ("s", "", ())


def test_copies_of_requests_are_no_conversation() -> None:
    (entry,) = cc({"type": "api-request-blob", "message": {"role": "user", "content": "hi"}})

    assert (entry.role, entry.parts) == ("", ())


def test_unknown_types_are_counted() -> None:
    reader = Reader()
    entries = entries_of("claude-code", as_lines({"type": "hologram"}, {"no": "type"}), reader)

    assert [entry.role for entry in entries] == ["", ""]
    assert reader.problems == {"unknown type": 2}


def test_usage_is_given_once_for_all_parts_of_a_message() -> None:
    usage = {"input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 3, "output_tokens": 9}
    part = {"type": "assistant", "message": {"id": "m", "content": "x", "model": "c", "usage": usage}}

    assert script(cc(part, part)) == ["assistant| says: x", "assistant| usage 6 c", "assistant| says: x"]


def test_a_refusal_needs_the_error_flag_the_sentence_and_the_record() -> None:
    text = f"{HEAD} To tell you how to proceed, the user said:\nask first"

    assert script(cc(result(text, "User rejected tool use", is_error=True))) == [
        f"user| refused t: {text[:30]!r}",
        "user| rejection!: ask first",
    ]
    assert script(cc(result(text, {"stdout": text}, is_error=True))) == [f"user| failed t: {text[:30]!r}"]
    assert script(cc(result(text, "Error: exit 1", is_error=True))) == [f"user| failed t: {text[:30]!r}"]
    assert script(cc(result(text, None))) == [f"user| gave t: {text[:30]!r}"]
    assert script(cc(result("x " + text, None, is_error=True))) == [f"user| failed t: {('x ' + text)[:30]!r}"]


def test_a_bare_refusal_has_no_words() -> None:
    assert script(cc(result(HEAD, "User rejected tool use", is_error=True))) == [f"user| refused t: {HEAD[:30]!r}"]


def test_answers_of_the_client_itself_are_nobodys_words() -> None:
    detail = {"answers": {"q": "(no option selected)"}, "annotations": {"q": {"notes": "none of these"}}}

    assert script(cc(result("ok", detail))) == ["user| gave t: 'ok'", "user| answer!: none of these"]


def test_facts_beside_a_result_are_kept() -> None:
    assert script(cc(result("ok", {"task": {"id": "4", "subject": "s"}}))) == ["user| gave t: 'ok' {'task_id': '4'}"]
    assert script(cc(result("ok", {"success": False, "taskId": "4"}))) == [
        "user| gave t: 'ok' {'success': False, 'task_id': '4'}"
    ]


def test_a_prompt_that_left_the_queue_comes_as_a_record_of_its_own() -> None:
    assert script(cc(queue("enqueue", "go"), queue("dequeue"), user("go"))) == ["user| prompt: go"]


def test_a_prompt_taken_into_the_running_turn_is_steering() -> None:
    assert script(cc(queue("enqueue", "go"), queue("remove"))) == ["user| queued!: go"]


def test_prompts_are_taken_from_the_queue_by_their_words_else_in_order() -> None:
    entries = cc(queue("enqueue", "a"), queue("enqueue", "b"), queue("remove", "b"), queue("remove"))

    assert script(entries) == ["user| queued!: b", "user| queued!: a"]


def test_prompts_that_returned_to_the_input_line_were_never_said() -> None:
    assert script(cc(queue("enqueue", "a"), queue("popAll"), queue("remove"))) == []


@pytest.mark.parametrize("first_line", [True, False])
def test_a_queued_prompt_written_twice_is_given_once(first_line: bool) -> None:
    twins = [queue("remove"), taken("go")] if first_line else [taken("go"), queue("remove")]

    assert script(cc(queue("enqueue", "go"), *twins)) == ["user| queued!: go"]


def test_a_prompt_typed_twice_is_given_twice() -> None:
    one = [queue("enqueue", "go on"), queue("remove"), taken("go on")]

    assert script(cc(*one, *one)) == ["user| queued!: go on"] * 2


def test_notices_in_the_queue_are_machine_text() -> None:
    note = "<task-notification>done</task-notification>"

    assert script(cc(queue("enqueue", note), queue("remove"), taken(note, "task-notification"))) == [
        f"| machine: {note[:30]!r}"
    ]


def test_attachments_are_cut() -> None:
    (entry,) = cc({"type": "attachment", "attachment": {"type": "file", "content": "x" * 50_000}})

    assert len(entry.parts[0].text) == 20_000  # type: ignore[union-attr]


def test_records_of_the_streaming_output_are_read() -> None:
    entries = cc(
        {"type": "system", "subtype": "init", "cwd": "/w", "session_id": "s"},
        {"type": "user", "message": {"content": [{"type": "text", "text": "skill"}]}, "isSynthetic": True},
        {"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": "hi"}]}, "session_id": "s"},
        {"type": "result", "subtype": "success"},
    )

    assert script(entries) == ["| at /w ", "user| machine: 'skill'", "assistant| says: hi", "| turn ends"]


# ---- one record after another


def assistant(*content: Any, **message: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"role": "assistant", "content": list(content), **message}}


def system(subtype: str, **more: Any) -> dict[str, Any]:
    return {"type": "system", "subtype": subtype, **more}


BOOKKEEPING = [
    *("agent-name", "ai-title", "api-request", "api-request-blob", "api-request-shape", "atis-latch", "bridge-session"),
    *("cost-state", "custom-title", "file-history-delta", "file-history-snapshot", "last-prompt", "mode", "tag"),
    *("permission-mode", "progress", "rate_limit_event", "stream_event", "summary", "task-summary", "tools-used"),
]


@pytest.mark.parametrize("kind", BOOKKEEPING)
def test_bookkeeping_says_nothing_and_is_no_problem(kind: str) -> None:
    reader = Reader()
    record = {"type": kind, "summary": "s", "content": "c", "message": {"role": "user", "content": "m"}}
    (entry,) = entries_of("claude-code", as_lines(record), reader)

    assert (entry.role, entry.parts, reader.problems) == ("", (), {})
    assert claims(record)


@pytest.mark.parametrize(
    ("record", "claimed"),
    [
        ({"type": "user", "message": {}}, True),
        ({"type": "assistant", "message": {}}, True),
        ({"type": "user", "message": "m"}, False),
        ({"type": "user"}, False),
        ({"type": "attachment", "attachment": {}}, True),
        ({"type": "attachment", "attachment": "a"}, False),
        ({"type": "system", "subtype": None}, True),
        ({"type": "system"}, False),
        ({"type": "queue-operation"}, True),
        ({"type": "hologram", "message": {}}, False),
        ({"type": ["mode"]}, False),
        ({}, False),
    ],
)
def test_a_record_of_the_client_is_known(record: dict[str, Any], claimed: bool) -> None:
    assert claims(record) == claimed


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (user([{"type": "image", "source": {}}]), ["user| machine: '[image]'"]),
        (user([{"type": "document"}]), ["user| machine: '[document]'"]),
        (user([{"type": "hologram"}]), []),
        (user(None), []),
        ({"type": "user", "message": "m"}, []),
        (user("skill body", isMeta=True), ["user| machine: 'skill body'"]),
        (user("<local-command-stdout>ok</local-command-stdout>"), ["user| machine: '<local-command-stdout>ok</loca'"]),
        (user("[Request interrupted by user for tool use]"), ["user| interrupts"]),
        (user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), ["user| prompt: a", "user| prompt: b"]),
        (user("summary", isCompactSummary=True, isMeta=True), ["| compacted 'summary' () 0"]),
        (assistant({"type": "thinking", "thinking": "hm"}), ["assistant| thinks 2"]),
        (assistant({"type": "text", "text": "error"}, model="<synthetic>"), ["| machine: 'error'"]),
        (assistant(model="<synthetic>"), []),
        (system("turn_duration"), ["| turn ends"]),
        (system("stop_hook_summary"), ["| turn ends"]),
        (system("away_summary", content="fine"), []),
        (system("compact_boundary"), ["| compacted '' () 0"]),
        (system("compact_boundary", compactMetadata={"postTokens": 9}), ["| compacted '' () 9"]),
        (system("init", cwd="/w", gitBranch="b"), ["| at /w b"]),
        ({"type": "result"}, ["| turn ends"]),
        ({"type": "pr-link", "prUrl": "u", "prNumber": 7}, ["| link #7 u"]),
        ({"type": "pr-link", "prUrl": "u", "prNumber": None}, ["| link  u"]),
        (
            {"type": "attachment", "attachment": {"type": "f", "a": [{"b": "c"}], "data": "AA"}},
            ["| machine: 'f\\nc'"],
        ),
        ({"type": "attachment", "attachment": {"type": " "}}, []),
        ({"type": "attachment", "attachment": None}, []),
    ],
)
def test_a_record_says_what_it_says(record: dict[str, Any], said: list[str]) -> None:
    assert script(cc(record)) == said


@pytest.mark.parametrize(
    ("kept", "ids"),
    [
        ({"uuids": ["a", "b"]}, ("a", "b")),
        (["a", 5, "b"], ("a", "b")),
        ({"uuids": "a"}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_a_compaction_names_what_it_kept(kept: Any, ids: tuple[str, ...]) -> None:
    (entry,) = cc(system("compact_boundary", compactMetadata={"preservedMessages": kept}))

    assert entry.parts == (Compacted(kept=ids),)


# ---- usage, place


def used(identity: str, tokens: int = 5) -> dict[str, Any]:
    return assistant(id=identity, model="m", usage={"input_tokens": tokens})


def usages(*records: dict[str, Any]) -> list[str]:
    return [said for said in script(cc(*records)) if "usage" in said]


def test_usage_without_an_id_is_given_each_time_and_of_nothing_never() -> None:
    assert usages(used(""), used("")) == ["assistant| usage 5 m"] * 2
    assert usages(used("a", 0), assistant(id="b", usage=None)) == []


def test_the_parts_of_a_message_may_stand_a_few_messages_apart() -> None:
    between = [used(f"m{serial}") for serial in range(63)]

    assert len(usages(used("first"), *between, used("first"))) == 64
    assert len(usages(used("first"), *between, used("m63"), used("first"))) == 66


def test_a_place_is_told_when_it_changes() -> None:
    places: list[dict[str, Any]] = [{"cwd": "/w"}, {"cwd": "/w"}, {"gitBranch": "b"}, {"cwd": "/v", "gitBranch": ""}]

    assert script(cc(*(user(None, **place) for place in places))) == ["user| at /w ", "user| at /w b", "user| at /v b"]


# ---- words that hide


def test_a_queued_command_without_a_mode_is_a_prompt() -> None:
    record = {"type": "attachment", "attachment": {"type": "queued_command", "prompt": "go"}}

    assert script(cc(record)) == ["user| queued!: go"]


def test_blocks_of_a_queued_prompt_are_its_words() -> None:
    blocks = [{"type": "text", "text": "look"}, {"type": "image"}, {"type": "text", "text": "here"}]
    record = {"type": "attachment", "attachment": {"type": "queued_command", "prompt": blocks}}

    assert script(cc(record)) == ["user| queued!: look\nhere"]


def test_a_blank_queued_command_says_nothing() -> None:
    assert script(cc(taken(" "), taken("", "task-notification"))) == []


def test_a_reminder_in_queued_words_is_kept_apart_from_them() -> None:
    words = "use tabs<system-reminder>todo</system-reminder>"

    assert script(cc(queue("enqueue", words), queue("remove"))) == [
        "user| queued!: use tabs",
        "user| machine: '<system-reminder>todo</system-'",
    ]


@pytest.mark.parametrize("field", ["toolUseResult", "tool_use_result"])
@pytest.mark.parametrize(
    ("detail", "rejected"),
    [
        ("User rejected tool use", True),
        ("Error: The user doesn't want to proceed", True),
        ("x" * 80 + "rejected", False),  # a tool printed it
        (None, True),
        ({}, False),
        ([], False),
        (7, False),
    ],
)
def test_the_record_bears_witness_to_a_refusal(field: str, detail: Any, rejected: bool) -> None:
    block = {"type": "tool_result", "tool_use_id": "t", "content": HEAD, "is_error": True}
    (entry,) = cc(user([block], **{field: detail}))

    assert entry.parts[0].rejected == rejected  # type: ignore[union-attr]


def test_a_refusal_with_nothing_beside_it_is_one() -> None:
    (entry,) = cc(user([{"type": "tool_result", "tool_use_id": "t", "content": HEAD, "is_error": True}]))

    assert entry.parts[0].rejected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("detail", "facts"),
    [
        ({"type": "create"}, {"type": "create"}),
        ({"type": "update"}, {"type": "update"}),
        ({"type": "text"}, {}),
        ({"success": True}, {"success": True}),
        ({"success": "yes"}, {}),
        ({"taskId": 4}, {"task_id": "4"}),
        ({"task": {"id": "5"}, "taskId": "4"}, {"task_id": "5"}),
        ({"task": {"id": ""}}, {}),
        ("text", {}),
    ],
)
def test_the_few_facts_beside_a_result_are_taken(detail: Any, facts: Any) -> None:
    (entry,) = cc(result("ok", detail))

    assert entry.parts[0].detail == facts  # type: ignore[union-attr]


def test_answers_to_questions_are_the_persons_words_in_their_order() -> None:
    detail = {
        "answers": {"q1": "red", "q2": " ", "q3": 5, "q4": "(nothing)"},
        "annotations": {"q1": {"notes": "dark "}, "q2": {"notes": None}, "q9": {"notes": "of no question"}},
    }

    assert script(cc(result("ok", detail)))[1:] == ["user| answer!: red", "user| answer!: dark"]
