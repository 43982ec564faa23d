from __future__ import annotations

from typing import Any

import pytest

from memcli.transcript.entries import Entry, ToolResult
from memcli.transcript.formats.codex import Reader
from tests.transcript.scripts import as_lines, entries_of, fixture, read, script

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
    (entry,) = codex(event("thread_rolled_back", num_turns=2))

    assert entry.stop == "rolled back 2"


def test_a_forks_second_meta_is_counted_and_a_resumed_sessions_is_not() -> None:
    reader = Reader()
    metas = [{"type": "session_meta", "payload": {"id": name}} for name in ("a", "a", "b")]
    entries_of("codex", as_lines(*metas), reader)

    assert reader.problems == {"forked history": 1}
