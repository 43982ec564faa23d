"""What the agent names as next or remaining."""

from __future__ import annotations

import pytest

from memcli.ledger.ahead import MAX_ITEMS, ahead_in

REPORT = """All green.

**Completed:**
- cart and prices

**Remaining:**
- Step 3: move the checkout over
- Step 4: delete the old cart

Shall I go on with step 3?"""


def test_the_list_under_words_that_say_so_is_ahead_and_no_other() -> None:
    assert ahead_in(REPORT) == ["Step 3: move the checkout over", "Step 4: delete the old cart"]


@pytest.mark.parametrize(
    "lead", ["## Next steps", "Still to do:", "What's left:", "Next I'd do one of these:", "Follow-ups:", "TODO:"]
)
def test_there_are_many_ways_to_say_it(lead: str) -> None:
    assert ahead_in(f"{lead}\n\n1. the checkout\n2. the docs") == ["the checkout", "the docs"]


@pytest.mark.parametrize("lead", ["Changes:", "The next request fails:", "Done:", "Remaining work was small.", "Next,"])
def test_other_words_announce_nothing(lead: str) -> None:
    assert ahead_in(f"{lead}\n\n- the checkout\n- the docs") == []


def test_what_stands_below_an_item_belongs_to_it() -> None:
    assert ahead_in("Next steps:\n- the checkout\n  - its form\n- the docs") == ["the checkout", "the docs"]


def test_a_list_without_end_is_cut() -> None:
    assert len(ahead_in("Remaining:\n" + "- one more thing\n" * 50)) == MAX_ITEMS


@pytest.mark.parametrize(
    "line",
    ["Next: the docs of the cart", "Still deferred, untouched: the docs of the cart", "- **Pending**: the docs of it"],
)
def test_a_line_that_begins_so_is_ahead_itself(line: str) -> None:
    assert ahead_in(f"All is done.\n\n{line}\n\nI stop here.") == [line.lstrip("- ").replace("*", "")]


def test_the_paragraph_under_a_heading_that_says_so_is_ahead_and_what_follows_it_is_not() -> None:
    assert ahead_in("## Next\n\n`/ship cart`, or the docs first.\n\nThe cart is done.") == [
        "/ship cart, or the docs first."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "## Next steps\n\nNone, all is done.",
        "## Next\n\n## Done\nThe cart",
        "Next: nothing is left",
        "Opened PR: the one of the cart",
    ],
)
def test_where_nothing_is_left_nothing_is_ahead(text: str) -> None:
    assert ahead_in(text) == []
