from __future__ import annotations

from typing import Any

import pytest

from memcli.ledger.deeds import deed_of
from memcli.ledger.rounds import Outcome, Rounds, outcome_of
from memcli.transcript.entries import ToolResult, ToolUse

MAKE = deed_of(ToolUse("c1", "Bash", {"command": "make"}), 1, "")
FINE = Outcome("ok", failed=False, rejected=False)


def test_a_result_meets_its_call() -> None:
    rounds = Rounds()

    assert rounds.called("c1", MAKE) is None
    assert rounds.answered("c1", FINE) is MAKE
    assert (rounds.open, rounds.early) == ({}, {})


def test_a_call_meets_the_result_that_came_before_it() -> None:
    rounds = Rounds()

    assert rounds.answered("c1", FINE) is None
    assert rounds.called("c1", MAKE) == FINE
    assert (rounds.open, rounds.early) == ({}, {})


def test_a_result_without_an_id_waits_for_nobody() -> None:
    rounds = Rounds()

    assert rounds.answered("", FINE) is None
    assert rounds.early == {}


def test_a_second_result_of_one_call_finds_none() -> None:
    rounds = Rounds()
    rounds.called("c1", MAKE)
    rounds.answered("c1", FINE)

    assert rounds.answered("c1", FINE) is None


def test_a_result_that_waits_is_bounded() -> None:
    rounds = Rounds()
    rounds.answered("c1", Outcome("word " * 9_000, failed=False, rejected=False))

    assert len(rounds.early["c1"].text) < 6_100


@pytest.mark.parametrize(
    ("more", "failed"),
    [
        ({}, False),
        ({"is_error": True}, True),
        ({"detail": {"success": False}}, True),
        ({"detail": {"success": True}}, False),
        ({"detail": {"exit_code": 2}}, True),
        ({"detail": {"exit_code": 0}}, False),
    ],
)
def test_a_failure_is_told_by_the_mark_or_by_the_detail(more: dict[str, Any], failed: bool) -> None:
    assert outcome_of(ToolResult("c1", "out", **more)).failed is failed


@pytest.mark.parametrize(
    ("text", "detail", "created"),
    [
        ("x", {"type": "create"}, True),
        ("File created successfully at a.py", {}, True),
        ("x", {"type": "update"}, False),
        ("The file a.py has been updated.", {}, False),
        ("x", {}, None),
        ("x" * 200 + "created successfully", {}, None),
    ],
)
def test_whether_a_file_is_new_is_told_by_the_harness_alone(text: str, detail: Any, created: bool | None) -> None:
    assert outcome_of(ToolResult("c1", text, detail=detail)).created is created


@pytest.mark.parametrize(
    ("text", "detail", "task"),
    [("Task #7 created", {}, "7"), ("Task #7 created", {"task_id": "9"}, "9"), ("seven", {}, ""), ("# 7", {}, "")],
)
def test_the_number_of_a_task(text: str, detail: Any, task: str) -> None:
    assert outcome_of(ToolResult("c1", text, detail=detail)).task == task


def test_a_refusal_is_kept_apart_from_a_failure() -> None:
    outcome = outcome_of(ToolResult("c1", "no", is_error=False, rejected=True))

    assert (outcome.rejected, outcome.failed) == (True, False)
