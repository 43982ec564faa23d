"""What a short request answers."""

from __future__ import annotations

import pytest

from memcli.ledger.answers import Offer, joined, offer_of
from tests.ledger.builders import agent, folded, presented, user

PLAN = """Two ways:

1. **Composite action** instead of a reusable workflow
2. Keep the workflow and cache more

Which do you prefer?"""


def test_a_named_item_is_what_the_request_answers() -> None:
    assert offer_of(PLAN).answered("option 2, please") == ["2. Keep the workflow and cache more"]


@pytest.mark.parametrize("words", ["1", "1.", "step 1", "#1 looks right", "1, and quickly", "do 1"])
def test_items_are_named_in_many_ways(words: str) -> None:
    assert offer_of(PLAN).answered(words) == ["1. Composite action instead of a reusable workflow"]


def test_answers_to_several_questions_are_paired_each() -> None:
    assert len(offer_of(PLAN).answered("1. full 2. yes but later")) == 2


def test_a_short_request_answers_the_last_question() -> None:
    offer = offer_of("Is it slow? I think so.\n\nShall I measure the planner before changing it?")

    assert offer.answered("yes") == ["Shall I measure the planner before changing it?"]


def test_a_question_that_says_nothing_brings_its_items_all() -> None:
    assert [part[:2] for part in offer_of(PLAN).answered("the cheaper one")] == ["1.", "2.", "Wh"]


def test_both_means_all_items_not_the_last_question() -> None:
    assert offer_of("1. Cache the graph\n2. Skip packs\n\nShall I write a note about it?").answered(
        "can we just do both?"
    ) == ["1. Cache the graph", "2. Skip packs"]


def test_ok_after_a_list_without_a_question_answers_the_whole_list() -> None:
    assert len(offer_of("1. Share the helper\n2. Use it for keys").answered("ok edit the pr")) == 2


def test_a_long_request_of_its_own_answers_nothing() -> None:
    assert offer_of(PLAN).answered("write a new module that " + "reads the file and " * 12) == []


def test_one_item_alone_is_no_enumeration() -> None:
    assert offer_of("1. Only this one").items == []


def test_the_last_of_two_enumerations_counts() -> None:
    assert offer_of("1. old\n2. older\n\nNow:\n1. new\n2. newer").items == ["1. new", "2. newer"]


def test_a_text_without_offer_is_answered_by_nothing() -> None:
    assert Offer().answered("yes") == []


def test_joined_parts_keep_about_the_limit_and_show_where_they_were_cut() -> None:
    text = joined(["1. " + "word " * 40, "2. " + "more " * 40], 160)

    assert len(text) < 190
    assert text.count("[…]") == 2


def test_the_ledger_pairs_a_request_with_the_text_before_it() -> None:
    ledger = folded(user("how can we speed this up?"), agent(PLAN), user("option 1"), user("option 2"))

    assert [one.answers for one in ledger.state.requests.said] == [
        [],
        ["1. Composite action instead of a reusable workflow"],
        [],
    ]


def test_the_moment_knows_what_the_last_request_answers() -> None:
    assert presented(agent(PLAN), user("2")).state.answers == ["2. Keep the workflow and cache more"]


def test_both_of_three_items_means_what_the_question_names() -> None:
    offer = offer_of("1. the floor\n2. the template\n3. the default\n\nShall I write it down and open the change?")

    assert offer.answered("yes, do both") == ["Shall I write it down and open the change?"]


def test_a_long_text_with_items_of_its_own_answers_none_of_the_agents() -> None:
    assert offer_of(PLAN).answered("1. the planner is wrong " + "because it reads the list " * 20) == []


def test_both_of_three_items_answers_nothing_if_nothing_names_two_things() -> None:
    assert offer_of("1. the floor\n2. the template\n3. the default\n\nShall I write it down?").answered("both") == []
