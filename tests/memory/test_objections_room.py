"""Prompts that put the agent right stand before other requests, and leave room for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.memory import facts
from tests.ledger.builders import folded, ran, user
from tests.memory.test_render import memory

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry


def session(turns: int, every: int = 5) -> list[Entry]:
    """Requests of which one in `every` objects."""
    return [
        user(f"no, not field{number} but column{number} for all of the reports that are made at night")
        if number % every == 3
        else user(f"make report{number} faster")
        for number in range(turns)
    ]


def test_an_objection_stands_among_the_corrections() -> None:
    document = memory(user("make it work"), user("no, keep the old name"), user("go on"))

    assert 'user: "no, keep the old name"' in document.block("Errors & Corrections").ledger
    assert "keep the old name" not in document.block("User Intent").ledger


def test_an_early_objection_is_not_lost_among_later_requests() -> None:
    whole = memory(*session(150)).to_markdown("")

    assert '"no, not field3 but column3' in whole
    assert '"make report149 faster"' in whole


def test_many_objections_leave_room_for_errors() -> None:
    errors = (
        memory(*session(150, 2), ran("make", "cart.py:7: error: wrong total in the cart", failed=True))
        .block("Errors & Corrections")
        .ledger
    )

    assert "OPEN" in errors


def test_a_bare_nod_is_served_after_all_that_says_something() -> None:
    ledger = folded(user("begin the work"), user("round the totals " * 90), user("ok"), user("make it faster"))
    served = [line.text for lines, _ in facts.groups("User Intent", ledger, 900) for line in lines]

    assert ['"ok"' in text for text in served] == [False, False, False, True]
