"""Todos: the agent's own list of tasks, whichever of the three tools it keeps it with.

A whole list replaces the one before (`todos`, `plan`); single tasks are created and patched by id. What was completed
once stays known as completed after its list is gone, unless a later list takes it up again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from memcli.ledger.clean import clean, identity, one_line

MAX_DONE = 300
MAX_ITEMS = 200
ITEM_LIMIT = 300

PENDING = ("pending", "in_progress")


class Todos(msgspec.Struct, array_like=True):
    """The current list, single tasks by id as [text, status], and texts that were completed."""

    listed: dict[str, str] = {}
    tasks: dict[str, list[str]] = {}
    done: dict[str, None] = {}

    def replaced(self, items: list[Any], name: str) -> None:
        """The agent wrote its whole list anew; `name` is the field that holds an item's text."""
        found = [item for item in items if isinstance(item, dict) and isinstance(item.get(name), str)]
        self.listed = {_text(item[name]): _text(str(item.get("status", ""))) for item in found[:MAX_ITEMS]}
        for text, status in self.listed.items():
            self.done.pop(text, None)
            if status == "completed":
                self._complete(text)

    def created(self, number: str, subject: str) -> None:
        """A task got its id."""
        self.tasks[identity(number)] = [_text(subject), "pending"]
        if len(self.tasks) > MAX_ITEMS:
            finished = (key for key, (_, status) in self.tasks.items() if status not in PENDING)
            del self.tasks[next(finished, next(iter(self.tasks)))]

    def updated(self, number: str, status: str, subject: str) -> None:
        """A task changed its state or name; an unknown id is nothing."""
        task = self.tasks.get(identity(number))
        if task:
            task[0], task[1] = _text(subject) or task[0], _text(status) or task[1]

    def _complete(self, text: str) -> None:
        self.done[text] = None
        if len(self.done) > MAX_DONE:
            del self.done[next(iter(self.done))]

    @property
    def current(self) -> list[tuple[str, str]]:
        """(text, status) of all items of the list and all tasks."""
        return [*self.listed.items(), *((text, status) for text, status in self.tasks.values())]

    @property
    def pending(self) -> list[tuple[str, str]]:
        """(text, status) of what is not done; what is in progress comes first."""
        waiting = {text: status for text, status in self.current if text and status in PENDING}
        return sorted(waiting.items(), key=lambda item: item[1] != "in_progress")

    @property
    def completed(self) -> list[str]:
        """Texts of what was completed and is not pending again, oldest first."""
        waiting = {text for text, _ in self.pending}
        finished = [*self.done, *(text for text, status in self.tasks.values() if status == "completed")]
        return [text for text in dict.fromkeys(finished) if text and text not in waiting]


def _text(value: str) -> str:
    return one_line(clean(value, head=ITEM_LIMIT))
