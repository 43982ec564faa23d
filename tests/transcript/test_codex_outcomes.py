"""How a Codex call ended: what an event tells, and what stands in the output itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.formats.codex_outcomes import facts_of, read_output

ADDED, CHANGED, GONE = ({"type": kind} for kind in ("add", "update", "delete"))


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ({}, {}),
        ({"exit_code": 0}, {"exit_code": 0}),
        ({"exit_code": -9}, {"exit_code": -9}),
        ({"exit_code": True}, {}),
        ({"exit_code": "1"}, {}),
        ({"exit_code": 2**32}, {}),
        ({"exit_code": 2**32 - 1}, {"exit_code": 2**32 - 1}),
        ({"success": True}, {"success": True}),
        ({"success": "yes"}, {}),
        ({"success": False, "exit_code": 0}, {"success": False, "exit_code": 0}),
        ({"status": "completed"}, {"success": True}),
        ({"status": "failed"}, {"success": False}),
        ({"status": "declined"}, {"success": False}),
        ({"status": "running"}, {}),
        ({"status": ["failed"]}, {}),
        ({"status": "failed", "success": True}, {"success": True}),  # what is said plainly counts
        ({"status": "failed", "exit_code": 3}, {"exit_code": 3}),  # the code tells more
    ],
)
def test_an_event_tells_success_or_an_exit_code(event: Any, facts: Any) -> None:
    assert facts_of(event) == facts


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"a": ADDED}, {"type": "create", "files": {"a": "add"}}),
        ({"a": ADDED, "b": CHANGED}, {"type": "update", "files": {"a": "add", "b": "update"}}),
        ({"a": GONE}, {"type": "update", "files": {"a": "delete"}}),
        ({"a": {"type": "rename"}, "b": None}, {}),
        ("a", {}),
    ],
)
def test_changed_files_are_named_with_what_was_done(changes: Any, facts: Any) -> None:
    assert facts_of({"changes": changes}) == facts


def test_a_change_that_failed_changed_no_file() -> None:
    assert facts_of({"success": False, "changes": {"a": CHANGED}}) == {"success": False}
    assert facts_of({"exit_code": 1, "changes": {"a": CHANGED}})["files"] == {"a": "update"}


@pytest.mark.parametrize(
    ("output", "text", "code"),
    [
        ("plain", "plain", None),
        ('{"output":"x","metadata":{"exit_code":3}}', "x", 3),
        ('{"output":"x","metadata":{"exit_code":"3"}}', "x", None),
        ('{"output":"x"}', "x", None),
        ('{"output":["x"]}', '{"output":["x"]}', None),  # a program that printed JSON
        ('{"output', '{"output', None),
        ("Wall time: 1\nProcess exited with code 12\nOutput:\nx", None, 12),
        ("Exit code: -9\nOutput:\nx", None, -9),
        ("Exit code 4\nWall time: 0", None, 4),
        ("it said Exit code: 1", None, None),  # not at the beginning of a line
        ("Exit code: 12345678", None, None),  # no code of a process
        ("head\nOutput:\nExit code: 1", None, None),
        ([{"type": "input_text", "text": "Exit code: 2"}], "Exit code: 2", 2),
        (None, "", None),
    ],
)
def test_an_output_tells_its_text_and_its_code(output: Any, text: str | None, code: int | None) -> None:
    assert read_output(output) == (output if text is None else text, code)


@pytest.mark.parametrize(("before", "code"), [(500, 7), (600, None)])
def test_only_the_head_of_an_output_is_the_harness_own(before: int, code: int | None) -> None:
    assert read_output("x" * before + "\nExit code: 7")[1] == code


@settings(max_examples=60)
@given(printed=st.text(max_size=40), code=st.integers(0, 255))
def test_whatever_a_program_prints_the_three_dialects_tell_the_same_code(printed: str, code: int) -> None:
    old = json.dumps({"output": printed, "metadata": {"exit_code": code}})
    new = f"Chunk ID: 1\nProcess exited with code {code}\nOutput:\n{printed}"

    assert read_output(old) == (printed, code)
    assert read_output(new) == (new, code)
    assert read_output([{"type": "input_text", "text": new}]) == (new, code)
