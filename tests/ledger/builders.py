"""Entries for tests of the fold, in few words: `user("fix it")`, `agent("done")`, `*ran("make", "ok")`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from memcli.ledger.ledger import Ledger
from memcli.ledger.present import Present
from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    Entry,
    Interrupt,
    Place,
    Role,
    ToolResult,
    ToolUse,
    UserText,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_numbers = itertools.count(1)


def entry(role: Role, *parts: AnyPart) -> Entry:
    return Entry(0, 1, role, tuple(parts))


def user(text: str, via: Any = "prompt", *, steering: bool = False) -> Entry:
    return entry("user", UserText(text, via, steering))


def agent(text: str) -> Entry:
    return entry("assistant", AssistantText(text))


def place(cwd: str = "/home/dev/shop", branch: str = "main") -> Entry:
    return entry("", Place(cwd, branch))


def stopped() -> Entry:
    return entry("", Interrupt())


def call(name: str, given: dict[str, Any], id: str = "") -> Entry:
    return entry("assistant", ToolUse(id or f"c{next(_numbers)}", name, given))


def result(id: str, text: str = "ok", **more: Any) -> Entry:
    return entry("tool", ToolResult(id, text, **more))


def done(name: str, given: dict[str, Any], text: str = "ok", **more: Any) -> list[Entry]:
    """A call and its result."""
    id = f"c{next(_numbers)}"
    return [call(name, given, id), result(id, text, **more)]


def ran(command: str, output: str = "ok", *, failed: bool = False, why: str = "") -> list[Entry]:
    given = {"command": command} | ({"description": why} if why else {})
    return done("Bash", given, output, is_error=failed)


def edited(path: str, new: str = "x = 1", old: str = "x = 0", **more: Any) -> list[Entry]:
    return done("Edit", {"file_path": path, "old_string": old, "new_string": new}, **more)


def wrote(path: str, content: str = "x = 1", text: str = "File created successfully", **more: Any) -> list[Entry]:
    return done("Write", {"file_path": path, "content": content}, text, **more)


def flat(entries: Iterable[Any]) -> list[Entry]:
    """Entries out of lists of entries, however deep."""
    return [one for item in entries for one in (flat(item) if isinstance(item, list) else [item])]


def folded(*entries: Entry | list[Entry]) -> Ledger:
    ledger = Ledger()
    for one in flat(entries):
        ledger.fold(one)
    return ledger


def presented(*entries: Entry | list[Entry]) -> Present:
    present = Present()
    for one in flat(entries):
        present.fold(one)
    return present


def a_session() -> list[Entry]:
    """A session with something of every kind."""
    return flat(
        [
            place(),
            user("Please make the checkout page show prices with tax, see src/checkout.py"),
            agent("I'll read the checkout module first:"),
            done(
                "Read",
                {"file_path": "/home/dev/shop/src/checkout.py"},
                "     1→def total_price(cart):\n     2→    pass",
            ),
            agent("The root cause is that total_price ignores the tax_rate. Now let me add it:"),
            edited(
                "/home/dev/shop/src/checkout.py",
                "def total_price(cart, tax_rate):\n    # tax_rate is a share, not percent\n",
            ),
            done(
                "TodoWrite",
                {
                    "todos": [
                        {"content": "Add tax to total_price", "status": "completed"},
                        {"content": "Write tests for the tax", "status": "in_progress"},
                        {"content": "Update the changelog of the shop", "status": "pending"},
                    ]
                },
            ),
            ran(
                "pytest tests/test_checkout.py",
                "FAILED tests/test_checkout.py::test_tax - AssertionError: expected 119 but got 100\n1 failed",
                failed=True,
                why="Run the tests of the checkout",
            ),
            entry("tool", ToolResult("r0", "The user refused", is_error=True, rejected=True)),
            user("never round prices before adding the tax", "rejection", steering=True),
            ran(
                "git commit -am 'Add tax'", "[main 1a2b3c4] Add tax to the total\n 1 file changed", why="Commit the tax"
            ),
            agent("Tax is added to total_price and committed. The test of the tax still fails because of rounding."),
            user("good, now fix the rounding"),
            agent("Let me look at how `round_half_up` is used."),
        ]
    )
