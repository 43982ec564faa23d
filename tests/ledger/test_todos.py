from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger import todos
from memcli.ledger.todos import MAX_ITEMS, Todos
from tests.ledger.builders import done, folded

if TYPE_CHECKING:
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


def test_what_is_in_progress_comes_first() -> None:
    todos = Todos()
    items = [{"content": "a", "status": "pending"}, {"content": "b", "status": "in_progress"}]
    todos.replaced(items, "content")

    assert todos.pending == [("b", "in_progress"), ("a", "pending")]


def test_an_item_of_another_state_is_neither_pending_nor_done() -> None:
    todos = Todos()
    todos.replaced([{"content": "a", "status": "cancelled"}, {"content": "b"}], "content")

    assert (todos.pending, todos.completed) == ([], [])
    assert todos.current == [("a", "cancelled"), ("b", "")]


def test_a_task_can_be_renamed_without_changing_its_state() -> None:
    todos = Todos()
    todos.created("1", "Add the tax")
    todos.updated("1", "in_progress", "")
    todos.updated("1", "", "Add all taxes")

    assert todos.current == [("Add all taxes", "in_progress")]


def test_a_list_and_tasks_stand_beside_each_other_and_the_same_text_once() -> None:
    todos = Todos()
    todos.created("1", "a")
    todos.replaced([{"content": "a", "status": "completed"}, {"content": "b", "status": "completed"}], "content")

    assert todos.pending == [("a", "pending")]
    assert todos.completed == ["b"]


def test_a_list_is_bounded_and_its_texts_are_single_lines() -> None:
    todos = Todos()
    todos.replaced([{"content": f"item\n{number}", "status": "pending"} for number in range(MAX_ITEMS + 5)], "content")

    assert len(todos.listed) == MAX_ITEMS
    assert next(iter(todos.listed)) == "item 0"


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["pending", "completed"]), max_size=4)))
def test_whatever_the_lists_a_text_is_pending_or_done_and_never_both(lists: list[dict[str, str]]) -> None:
    todos, done_once = Todos(), set()
    for one in lists:
        todos.replaced([{"content": text, "status": status} for text, status in one.items()], "content")
        done_once -= set(one)  # taken up again
        done_once |= {text for text, status in one.items() if status == "completed"}

    assert set(todos.completed) == done_once
    assert not done_once & {text for text, _ in todos.pending}
