from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.ledger import todos
from tests.ledger.builders import done, folded

if TYPE_CHECKING:
    from memcli.ledger.todos import Todos
    from memcli.transcript.entries import Entry


def listed(*items: tuple[str, str], tool: str = "TodoWrite") -> list[Entry]:
    field, text = ("todos", "content") if tool == "TodoWrite" else ("plan", "step")
    return done(tool, {field: [{text: one, "status": status} for one, status in items]})


def kept(*entries: list[Entry]) -> Todos:
    return folded(*entries).state.work.todos


@pytest.mark.parametrize("tool", ["TodoWrite", "update_plan"])
def test_the_last_list_wins(tool: str) -> None:
    state = kept(listed(("a", "pending"), tool=tool), listed(("b", "pending"), ("c", "in_progress"), tool=tool))

    assert state.pending == [("c", "in_progress"), ("b", "pending")]


def test_what_was_completed_outlives_its_list() -> None:
    state = kept(listed(("write tests", "completed")), listed(("deploy", "pending")))

    assert state.completed == ["write tests"]


def test_an_item_taken_up_again_is_pending_only() -> None:
    state = kept(listed(("write tests", "completed")), listed(("write tests", "pending")))

    assert (state.completed, state.pending) == ([], [("write tests", "pending")])


def test_tasks_get_their_number_from_the_result() -> None:
    made = done("TaskCreate", {"subject": "Fix rounding"}, "Task #4 created")
    state = kept(made, done("TaskUpdate", {"taskId": "4", "status": "in_progress"}))

    assert state.pending == [("Fix rounding", "in_progress")]


def test_a_task_is_completed_by_its_number() -> None:
    made = done("TaskCreate", {"subject": "Fix rounding"}, "created", detail={"task_id": "9"})

    assert kept(made, done("TaskUpdate", {"taskId": "9", "status": "completed"})).completed == ["Fix rounding"]


def test_an_unknown_task_is_nothing() -> None:
    assert kept(done("TaskUpdate", {"taskId": "1", "status": "completed"})).current == []


def test_items_that_are_none_are_left_out() -> None:
    assert kept(done("TodoWrite", {"todos": ["text", {"status": "pending"}, {"content": 3}]})).current == []


def test_finished_items_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todos, "MAX_DONE", 2)

    assert kept(listed(*((name, "completed") for name in "abc"))).completed == ["b", "c"]


def test_tasks_are_bounded_and_finished_ones_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todos, "MAX_ITEMS", 2)
    made = [done("TaskCreate", {"subject": name}, f"Task #{number} created") for number, name in enumerate("abc")]
    finished = done("TaskUpdate", {"taskId": "1", "status": "completed"})

    assert [text for text, _ in kept(*made[:2], finished, made[2]).current] == ["a", "c"]
