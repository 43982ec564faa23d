"""What a short request answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.answers import ITEM_LIMIT, MAX_ITEMS, Offer, joined, offer_of
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


@pytest.mark.parametrize(
    ("words", "marks"),
    [
        ("both, then", ["1.", "2."]),
        ("all of them", ["1.", "2."]),
        ("do everything", ["1.", "2."]),
        ("2, then 1", ["2."]),
        ("item 1 and item 2", ["1.", "2."]),
        ("step 3", []),
        ("7 files are too many for a single commit of the shop, I would say", []),
    ],
)
def test_what_a_request_names_of_two_items(words: str, marks: list[str]) -> None:
    offer = offer_of("1. Cache the graph\n2. Skip packs\n\nThat is all of it.")

    assert [part[:2] for part in offer.answered(words)] == marks


@pytest.mark.parametrize(
    "line",
    ["a) Cache it\nb) Skip it", "A. Cache it\nB. Skip it", "(1) Cache it\n(2) Skip it", "## 1. Cache\n## 2. Skip"],
)
def test_items_are_known_by_their_marks(line: str) -> None:
    assert len(offer_of(line).items) == (0 if line.startswith("a)") else 2)


def test_letters_name_items_in_any_case() -> None:
    offer = offer_of("A. Cache the graph\nB. Skip packs")

    assert offer.answered("option b") == ["B. Skip packs"]
    assert offer.answered("B.") == ["B. Skip packs"]


def test_items_are_clipped_and_bounded() -> None:
    offer = offer_of("\n".join(f"{number}. Cache the graph {'well ' * 90}" for number in range(1, 15)))

    assert len(offer.items) == MAX_ITEMS
    assert max(map(len, offer.items)) <= ITEM_LIMIT


def test_the_last_question_of_a_text_is_the_one_asked() -> None:
    assert offer_of("Is it slow? Is it large?\nIt is. **Shall I measure it?** I can.").question == "Shall I measure it?"


def test_a_question_mark_inside_a_sentence_asks_nothing() -> None:
    assert offer_of("It opens /a?b=c for the cart").question == ""


@pytest.mark.parametrize(("count", "answers"), [(12, True), (13, False)])
def test_a_request_of_its_own_has_more_than_a_dozen_words(count: int, answers: bool) -> None:
    words = " ".join(["the"] * count)

    assert bool(offer_of("Shall I measure the planner before changing it?").answered(words)) is answers


@pytest.mark.parametrize(("count", "answers"), [(48, True), (49, False)])
def test_a_reply_may_be_longer_if_it_begins_as_one(count: int, answers: bool) -> None:
    words = " ".join(["yes"] + ["the"] * (count - 1))

    assert bool(offer_of("Shall I measure the planner before changing it?").answered(words)) is answers


@given(st.lists(st.text("ab ", max_size=60), max_size=6), st.integers(40, 300))
def test_joined_parts_begin_as_the_parts_do(parts: list[str], limit: int) -> None:
    text = joined(parts, limit)

    assert len(text) <= max(limit, 48 * len(parts)) + 8 * len(parts)
    assert not parts or text.startswith(parts[0][:1])


@pytest.mark.parametrize(
    "offer",
    [
        "If you want, I can rewrite the recent commits of the cart.",
        "Say the word and I'll rewrite the recent commits.",
        "I'd suggest to rewrite the recent commits of the cart.",
    ],
)
def test_a_nod_to_a_text_without_a_question_answers_its_offer(offer: str) -> None:
    text = f"That would be a risk. {offer}\nIt takes a minute."

    assert offer_of(text).answered("yes") == [offer]
    assert offer_of(text).answered("the docs now") == []
    assert offer_of(text).answered("yes " + "well " * 12) == []


def test_where_there_are_items_or_a_question_a_nod_answers_those() -> None:
    offer = "If you want, I can rewrite the recent commits."

    assert offer_of(f"{offer}\nShall I add the tests of the cart?").answered("yes") == [
        "Shall I add the tests of the cart?"
    ]
    assert offer_of(f"1. Cache it\n2. Skip it\n\n{offer}").answered("yes") == ["1. Cache it", "2. Skip it"]
