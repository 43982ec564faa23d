from __future__ import annotations

from typing import Any, TypeVar

import pytest

from memcli.transcript.entries import AssistantText, Compacted, Entry, MachineText, Part, ToolResult, UserText
from memcli.transcript.formats.codex import Reader
from tests.transcript.scripts import RECORDED, as_lines, entries_of, fixture, lines_of, read, script

P = TypeVar("P", bound=Part)

SESSION = [
    "| at /srv/loom main",
    "system| machine: '<permissions instructions>none'",
    "user| machine: '# AGENTS.md instructions for /'",
    "user| machine: '<environment_context>\\n  <cwd>/'",
    "user| prompt: make the shuttle faster",
    "assistant| thinks 9",
    "assistant| says: I measure first.",
    'assistant| calls call_1 exec_command {"cmd": "make bench"}',
    "tool| failed call_1: 'Chunk ID: 1\\nWall time: 0.1 sec' {'exit_code': 2}",
    "| usage 5000 gpt-loom",
    'assistant| calls  web_search_call {"type": "search", "query": "loom bench"}',
    "user| queued!: use ninja, not make",
    'assistant| calls call_2 apply_patch {"input": "*** Begin Patch\\n*** Update File: shuttle.c\\n@@\\n',
    "tool| failed call_2: 'context not found' {'success': False, 'exit_code': 0}",
    'assistant| calls call_3 exec {"input": "run(\'ninja bench\')"}',
    "tool| gave call_3: 'Script completed\\n12 ms'",
    "assistant| final: It takes 12 ms with ninja.",
    "| turn ends",
    "| at /srv/loom/warp main",
    "user| prompt: now paint it green",
    "user| machine: '<turn_aborted>\\nThe user interr'",
    "| interrupts",
    "| takes back 1",
    "user| prompt!: blue, not green",
    "assistant| final: Blue it is.",
    "| turn ends",
    "| compacted '' () 0",
]


def codex(*payloads: tuple[str, dict[str, Any]]) -> list[Entry]:
    return read("codex", *({"type": outer, "payload": payload} for outer, payload in payloads))


def item(text: str) -> tuple[str, dict[str, Any]]:
    content = [{"type": "input_text", "text": text}]
    return "response_item", {"type": "message", "role": "user", "content": content}


def event(kind: str, **payload: Any) -> tuple[str, dict[str, Any]]:
    return "event_msg", {"type": kind, **payload}


def told(text: str) -> tuple[str, dict[str, Any]]:
    return event("user_message", message=text)


def output(value: Any) -> tuple[str, dict[str, Any]]:
    return "response_item", {"type": "function_call_output", "call_id": "c", "output": value}


def test_a_session_says_what_was_said_in_it() -> None:
    assert script(entries_of("codex", fixture("codex"))) == SESSION


@pytest.mark.parametrize("records", [[item("go"), told("go")], [told("go"), item("go")], [item("go")], [told("go")]])
def test_words_are_given_once_whichever_view_comes_first(records: list[Any]) -> None:
    assert script(codex(*records)) == ["user| prompt: go"]


def test_words_said_twice_are_given_twice() -> None:
    assert script(codex(item("go"), told("go"), item("go"), told("go"))) == ["user| prompt: go"] * 2


def test_the_two_views_need_not_stand_next_to_each_other() -> None:
    assert script(codex(item("go"), event("token_count", info=None), told("go"))) == ["user| prompt: go"]


def test_an_echo_right_behind_its_item_may_be_written_differently() -> None:
    assert script(codex(item("look at a.png"), told("look at [Image #1]"))) == ["user| prompt: look at a.png"]


def test_marks_around_images_are_no_words() -> None:
    texts = ["<image name=[Image #1]>", "</image>", "what is this"]
    content = [{"type": "input_text", "text": text} for text in texts]

    assert script(codex(("response_item", {"type": "message", "role": "user", "content": content}))) == [
        "user| prompt: what is this"
    ]


def test_a_tagged_block_is_machine_text_unless_the_person_typed_it() -> None:
    block = "<new_kind>\nnote\n</new_kind>"

    assert script(codex(item(block))) == [f"user| machine: {block!r}"]
    assert script(codex(item(block), told(block)))[1:] == [f"user| prompt: {block}"]


def test_a_message_within_a_running_task_is_steering() -> None:
    entries = codex(event("task_started"), item("a"), told("a"), item("b"), told("b"), event("task_complete"))

    assert script(entries) == ["user| prompt: a", "user| queued!: b", "| turn ends"]


def test_exit_codes_are_told_in_three_dialects() -> None:
    def code(value: Any) -> tuple[bool, Any]:
        (part,) = codex(output(value))[0].parts
        assert isinstance(part, ToolResult)
        return part.is_error, part.detail.get("exit_code")

    assert code('{"output":"x","metadata":{"exit_code":3}}') == (True, 3)
    assert code("Chunk ID: 1\nProcess exited with code 1\nOutput:\nx") == (True, 1)
    assert code("Exit code: 0\nWall time: 0 seconds\nOutput:\nx") == (False, 0)
    assert code([{"type": "input_text", "text": "Script completed"}]) == (False, None)


def test_an_exit_code_in_what_a_program_printed_is_not_its_own() -> None:
    text = "Process exited with code 0\nOutput:\nExit code: 1"

    assert script(codex(output(text))) == [f"tool| gave c: {text[:30]!r} {{'exit_code': 0}}"]
    assert script(codex(output("the log says Exit code: 1"))) == ["tool| gave c: 'the log says Exit code: 1'"]


def test_an_outcome_told_by_an_event_belongs_to_the_output_that_follows() -> None:
    entries = codex(event("exec_command_end", call_id="c", exit_code=9), output("x"), output("x"))

    assert script(entries) == ["tool| failed c: 'x' {'exit_code': 9}", "tool| gave c: 'x'"]


def test_calls_that_get_no_output_have_no_id() -> None:
    (entry,) = codex(("response_item", {"type": "web_search_call", "id": "ws_1", "action": {"query": "q"}}))

    assert entry.calls == ("",)


def test_the_size_of_the_context_is_the_last_calls_input() -> None:
    info = {"total_token_usage": {"input_tokens": 900}, "last_token_usage": {"input_tokens": 70}}

    assert script(codex(event("token_count", info=info), event("token_count", info=info))) == ["| usage 70 "]


def test_a_rollback_names_the_turns_it_takes_away() -> None:
    entries = codex(event("thread_rolled_back", num_turns=2), event("thread_rolled_back", num_turns=None))

    assert script(entries) == ["| takes back 2"]


def test_a_forks_second_meta_is_counted_and_a_resumed_sessions_is_not() -> None:
    reader = Reader()
    metas = [{"type": "session_meta", "payload": {"id": name}} for name in ("a", "a", "b")]
    entries_of("codex", as_lines(*metas), reader)

    assert reader.problems == {"forked history": 1}


# ---- 0.169: items instead of events


def completed(kind: str, **item: Any) -> tuple[str, dict[str, Any]]:
    return event("item_completed", item={"type": kind, **item})


def typed(text: str) -> tuple[str, dict[str, Any]]:
    return completed("UserMessage", id="u", content=[{"type": "text", "text": text}, {"type": "local_image"}])


def answer(name: str, text: str) -> tuple[str, dict[str, Any]]:
    content = [{"type": "output_text", "text": text}]
    return "response_item", {"type": "message", "role": "assistant", "id": name, "content": content}


def recorded() -> tuple[list[Entry], Reader]:
    reader = Reader()
    return entries_of("codex", lines_of((RECORDED / "codex-0.169.0-tidelog.jsonl").read_bytes()), reader), reader


def parts_of(kind: type[P], entries: list[Entry]) -> list[P]:
    return [part for entry in entries for part in entry.parts if isinstance(part, kind)]


def test_each_word_of_the_recorded_session_is_given_once() -> None:
    entries, reader = recorded()
    prompts = parts_of(UserText, entries)

    assert [part.text.split()[0] for part in prompts] == ["The", "Fix", "No,", "Commit", "Next"]
    assert {part.via for part in prompts} == {"prompt"}
    assert len(parts_of(AssistantText, entries)) == len({part.text for part in parts_of(AssistantText, entries)}) == 10
    assert reader.problems == {}


def test_the_summary_of_a_recorded_compaction_is_nobodys_words() -> None:
    entries, _ = recorded()
    summary = "Work on /home/dev/tidelog"

    assert not any(part.text.startswith(summary) for part in parts_of(AssistantText, entries))
    assert [part.text.startswith(summary) for part in parts_of(MachineText, entries)].count(True) == 1
    assert [bool(part.summary) for part in parts_of(Compacted, entries)] == [False, True]


def test_every_recorded_call_has_its_outcome() -> None:
    results = parts_of(ToolResult, recorded()[0])
    patched = [result for result in results if "files" in result.detail]

    assert [result.is_error for result in results].count(True) == 3
    assert all(result.is_error == (result.detail.get("exit_code") == 1) for result in results)
    assert [result.detail for result in patched] == [
        {"success": True, "type": "update", "files": {"/home/dev/tidelog/tide.py": "update"}}
    ] * 2


@pytest.mark.parametrize("records", [[item("go"), typed("go")], [typed("go"), item("go")], [typed("go")]])
def test_words_of_a_user_item_are_given_once(records: list[Any]) -> None:
    assert script(codex(*records)) == ["user| prompt: go"]


def test_a_user_item_speaks_for_a_tagged_block() -> None:
    block = "<new_kind>\nnote\n</new_kind>"

    assert script(codex(item(block), typed(block)))[1:] == [f"user| prompt: {block}"]


@pytest.mark.parametrize("views", [(told, typed), (typed, told)])
def test_a_version_that_writes_both_kinds_of_events_does_not_double_words(views: Any) -> None:
    both = [view("go") for view in views]
    session = [event("task_started"), item("go"), *both, event("task_complete")]

    assert script(codex(*session, *session)) == ["user| prompt: go", "| turn ends"] * 2


def test_a_session_may_go_on_with_another_version() -> None:
    block = "<new_kind>\nnote\n</new_kind>"
    entries = codex(event("task_started"), item("a"), told("a"), event("task_started"), item(block), typed(block))

    assert script(entries)[-1] == f"user| prompt: {block}"


def test_only_what_was_announced_is_said_by_the_agent_once_anything_was() -> None:
    announced = [completed("AgentMessage", id="m1", content=[]), answer("m1", "mine")]

    assert script(codex(answer("m0", "first"), *announced, answer("m2", "summary"), answer("", "nameless"))) == [
        "assistant| says: first",
        "assistant| says: mine",
        "assistant| machine: 'summary'",
        "assistant| says: nameless",
    ]


def test_a_version_that_announces_nothing_may_go_on_where_one_announced() -> None:
    meta = ("session_meta", {"id": "s"})

    assert script(codex(completed("AgentMessage", id="m1"), meta, answer("m2", "words"))) == ["assistant| says: words"]


@pytest.mark.parametrize(
    ("fields", "failed", "detail"),
    [
        ({"exit_code": 0, "status": "completed"}, False, {"exit_code": 0}),
        ({"exit_code": 9, "status": "failed"}, True, {"exit_code": 9}),
        ({"status": "declined"}, True, {"success": False}),
        ({"status": "inProgress"}, False, {}),
        ({"status": "failed", "changes": {"a": {"type": "add"}}}, True, {"success": False}),
        (
            {"status": "completed", "changes": {"a": {"type": "add"}, "b": "?"}},
            False,
            {"success": True, "type": "create", "files": {"a": "add"}},
        ),
    ],
)
def test_an_item_tells_how_its_call_ended(fields: Any, failed: bool, detail: Any) -> None:
    (result,) = parts_of(ToolResult, codex(completed("Any", id="c", **fields), output("x")))

    assert (result.is_error, result.detail) == (failed, detail)


def test_many_changed_files_are_not_all_named() -> None:
    changes = {f"f{number}": {"type": "delete"} for number in range(90)}
    entries = codex(event("patch_apply_end", call_id="c", success=True, changes=changes), output("x"))

    assert len(parts_of(ToolResult, entries)[0].detail["files"]) == 64


# ---- one record after another


def item_of(kind: str, **payload: Any) -> tuple[str, dict[str, Any]]:
    return "response_item", {"type": kind, **payload}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"type": "message", "role": "developer", "content": "be brief"}, "system| machine: 'be brief'"),
        ({"type": "message", "role": "system", "content": "be brief"}, "system| machine: 'be brief'"),
        ({"type": "message", "role": "assistant", "content": "hm", "phase": "commentary"}, "assistant| says: hm"),
        ({"type": "message", "role": "assistant", "content": "so", "phase": "final_answer"}, "assistant| final: so"),
        ({"type": "reasoning", "content": "hmm", "summary": "no"}, "assistant| thinks 3"),
        ({"type": "reasoning", "summary": [{"text": "ab"}, {"text": "c"}]}, "assistant| thinks 4"),
        ({"type": "reasoning", "summary": [], "encrypted_content": "xxxxx"}, "assistant| thinks 5"),
        ({"type": "reasoning"}, "assistant| thinks 0"),
        (
            {"type": "function_call", "name": "sh", "arguments": '{"a":1}', "call_id": "c"},
            'assistant| calls c sh {"a": 1}',
        ),
        (
            {"type": "custom_tool_call", "name": "p", "input": "go", "call_id": "c"},
            'assistant| calls c p {"input": "go"}',
        ),
        (
            {"type": "local_shell_call", "action": {"a": 1}, "call_id": "c"},
            'assistant| calls c local_shell_call {"a": 1}',
        ),
        ({"type": "function_call", "name": "f", "call_id": "c"}, "assistant| calls c f {}"),
        ({"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}, "tool| gave c: 'ok'"),
        ({"type": "function_call_output", "call_id": 5, "output": None}, "tool| gave : ''"),
    ],
)
def test_an_item_is_one_part(payload: dict[str, Any], said: str) -> None:
    assert script(codex(("response_item", payload))) == [said]


def test_blank_texts_of_the_agent_say_nothing() -> None:
    content = [{"type": "output_text", "text": " "}, {"type": "output_text", "text": "x"}, {"type": "image"}]

    assert script(codex(item_of("message", role="assistant", content=content))) == ["assistant| says: x"]


def test_texts_of_one_user_item_are_one_prompt() -> None:
    content = [
        {"type": "input_text", "text": "first"},
        {"type": "input_image"},
        {"type": "input_text", "text": "second"},
    ]

    assert script(codex(item_of("message", role="user", content=content))) == ["user| prompt: first\nsecond"]


@pytest.mark.parametrize(
    "record",
    [
        {"type": "world_state", "payload": {}},
        {"type": "thread_settings_applied", "payload": {}},
        {"type": "token_usage_record", "payload": {}},
        {"type": "inter_agent_communication", "payload": {}},
        {"type": "response_item", "payload": {"type": "ghost_snapshot"}},
        {"type": "response_item", "payload": {"type": "compaction"}},
        {"type": "response_item", "payload": {"type": "context_compaction"}},
        {"type": "event_msg", "payload": {"type": "agent_message", "message": "twin of an item"}},
        {"type": "event_msg", "payload": {"type": "agent_reasoning", "text": "twin of an item"}},
        {"type": "event_msg", "payload": {"type": "collab_agent_spawn_end"}},
        {"type": "event_msg", "payload": {"type": "item_completed", "item": None}},
    ],
)
def test_bookkeeping_says_nothing_and_is_no_problem(record: dict[str, Any]) -> None:
    reader = Reader()
    (entry,) = entries_of("codex", as_lines(record), reader)

    assert (entry.role, entry.parts, reader.problems) == ("", (), {})


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"type": "hologram", "payload": {}}, "unknown type"),
        ({"payload": {}}, "unknown type"),
        ({"type": "response_item", "payload": {"type": "hologram"}}, "unknown item"),
    ],
)
def test_what_is_not_known_is_counted(record: dict[str, Any], problem: str) -> None:
    reader = Reader()
    entries_of("codex", as_lines(record), reader)

    assert reader.problems == {problem: 1}


def test_an_entry_keeps_its_time_and_has_no_place_in_a_tree() -> None:
    (entry,) = read("codex", {"timestamp": "T", "type": "response_item", "payload": item("go")[1]})

    assert (entry.timestamp, entry.id, entry.parent, entry.message_id) == ("T", "", "", "")


# ---- what is remembered between records


def test_an_aborted_turn_is_over() -> None:
    entries = codex(event("task_started"), item("a"), event("turn_aborted", reason="interrupted"), item("b"))

    assert script(entries) == ["user| prompt: a", "| interrupts", "user| prompt!: b"]


def test_the_first_words_of_each_task_begin_a_turn() -> None:
    task = [event("task_started"), item("a"), item("b")]

    assert script(codex(*task, *task)) == ["user| prompt: a", "user| queued!: b"] * 2


def test_machine_text_is_not_the_first_message_of_a_task() -> None:
    entries = codex(event("turn_started"), item("<environment_context>\n</environment_context>"), item("a"))

    assert script(entries)[1:] == ["user| prompt: a"]


def test_a_paired_twin_is_used_up() -> None:
    assert script(codex(item("go"), told("go"), told("go"))) == ["user| prompt: go"] * 2
    assert script(codex(told("go"), item("go"), item("go"))) == ["user| prompt: go"] * 2


def test_an_item_whose_echo_was_written_differently_is_used_up_too() -> None:
    entries = codex(item("look at a.png"), told("look at [Image #1]"), told("look at a.png"))

    assert script(entries) == ["user| prompt: look at a.png"] * 2


def test_only_the_record_right_behind_an_item_is_its_rewritten_echo() -> None:
    entries = codex(item("look at a.png"), event("token_count", info=None), told("and now b.png"))

    assert script(entries) == ["user| prompt: look at a.png", "user| prompt: and now b.png"]


def test_an_old_item_without_twin_does_not_swallow_new_words() -> None:
    older = [item(f"words {serial}") for serial in range(17)]
    entries = codex(*older, event("token_count", info=None), told("words 0"), told("words 1"))

    assert script(entries)[17:] == ["user| prompt: words 0"]


def test_outcomes_wait_for_their_outputs_up_to_a_number() -> None:
    told_early = [event("exec_command_end", call_id=f"c{serial}", exit_code=1) for serial in range(65)]
    outputs = [item_of("function_call_output", call_id=name, output="x") for name in ("c0", "c1", "c64")]

    assert [part.is_error for part in parts_of(ToolResult, codex(*told_early, *outputs))] == [False, True, True]


def test_an_outcome_of_no_call_is_nobodys() -> None:
    assert script(codex(event("exec_command_end", exit_code=1), item_of("x_output", output="x"))) == [
        "tool| gave : 'x'"
    ]


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, True), (-9, True)])
def test_the_code_in_the_output_overrules_the_event(code: int, failed: bool) -> None:
    entries = codex(event("exec_command_end", call_id="c", exit_code=5), output(f"Exit code: {code}\nOutput:\n"))
    (result,) = parts_of(ToolResult, entries)

    assert (result.is_error, result.detail) == (failed, {"exit_code": code})


def test_a_patch_that_failed_with_exit_code_zero_failed() -> None:
    entries = codex(event("patch_apply_end", call_id="c", success=False), output("Exit code: 0"))

    assert parts_of(ToolResult, entries)[0].is_error


def test_a_place_is_told_when_it_changes() -> None:
    settings = [{"cwd": "/w"}, {"cwd": "/w"}, {"git": {"branch": "b"}}, {"cwd": "/v"}, {"git": None}]

    assert script(codex(*(("turn_context", setting) for setting in settings))) == ["| at /w ", "| at /w b", "| at /v b"]


def test_a_count_names_the_model_of_the_last_setting() -> None:
    def counted(size: int) -> tuple[str, dict[str, Any]]:
        return event("token_count", info={"last_token_usage": {"input_tokens": size}})

    entries = codex(("turn_context", {"model": "m1"}), counted(5), ("turn_context", {}), counted(6), counted(0))

    assert script(entries) == ["| usage 5 m1", "| usage 6 m1"]


@pytest.mark.parametrize("turns", [0, -1, True, "1", None])
def test_a_rollback_of_no_turns_takes_nothing_back(turns: Any) -> None:
    assert script(codex(event("thread_rolled_back", num_turns=turns))) == []


def test_the_event_behind_a_memory_is_no_echo_of_it() -> None:
    """A tail may begin with the event of its prompt; the memory before it was typed by nobody."""
    memory = "<!-- memcli generation=g covered=0000000 digest=d -->\n## User Intent"

    assert script(codex(item(memory), told("go"), item("go")))[1:] == ["user| prompt: go"]


def test_what_the_agent_says_on_the_way_is_marked() -> None:
    said = {"type": "message", "role": "assistant", "content": "hm"}
    records = [("response_item", {**said, "phase": phase}) for phase in ("commentary", "final_answer", None)]
    parts = [part for one in codex(*records) for part in one.parts if isinstance(part, AssistantText)]

    assert [part.commentary for part in parts] == [True, False, False]
