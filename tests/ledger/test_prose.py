from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.prose import (
    CHOICE_LIMIT,
    TELLING,
    announces,
    bare,
    notes_in,
    purpose,
    sentences,
    telling,
    unwrapped,
)


def test_each_list_item_is_a_note_without_its_mark() -> None:
    assert notes_in("- first **bold** thing\n2. second `code` thing\n") == ["first bold thing", "second code thing"]


def test_code_is_no_note() -> None:
    assert notes_in("before the code\n```py\nx = this_is_code()\n```\nafter the code") == [
        "before the code",
        "after the code",
    ]


def test_an_unclosed_fence_hides_the_rest() -> None:
    assert notes_in("before the code\n```\nthis is still code") == ["before the code"]


def test_a_table_row_reads_as_its_cells_and_the_head_is_left_out() -> None:
    table = "| name | meaning |\n|---|---|\n| cart.py | holds the cart |"

    assert notes_in(table) == ["cart.py — holds the cart"]


def test_a_short_list_is_one_note_with_what_leads_to_it() -> None:
    assert notes_in("All is done. The tests show:\n\n- the tax is added\n- the sum is right") == [
        "All is done.",
        "The tests show: the tax is added; the sum is right",
    ]


def test_what_leads_to_a_long_list_stands_before_its_first_item() -> None:
    first, second = "the tax is added " * 8, "the sum is right " * 8

    assert notes_in(f"The tests show:\n\n- {first}\n- {second}") == [f"The tests show: {first}".strip(), second.strip()]


@pytest.mark.parametrize("lead", ["What it does not reduce:", "## Optional", "**Could be added**", "Still missing:"])
def test_what_is_denied_or_only_an_idea_keeps_the_words_that_say_so(lead: str) -> None:
    items = [
        f"the {name} adds up each item of the cart, then the tax of all of them together" for name in ("till", "bill")
    ]
    notes = notes_in(f"All is done.\n\n{lead}\n\n- {items[0]}\n- {items[1]}\n\nThe rest is done, too.")
    said = lead.strip("#* :") + ":"

    assert notes == ["All is done.", f"{said} {items[0]}", f"{said} […] {items[1]}", "The rest is done, too."]


def test_alternatives_stay_together_however_long() -> None:
    """One of them alone would read like the choice."""
    first, second = "add the tax in the cart " * 20, "add the tax at the till " * 20
    (note,) = notes_in(f"There are two options:\n\n1. {first}\n2. {second}\n")

    assert note.startswith("There are two options: 1. add the tax in the cart")
    assert "; 2. add the tax at the till" in note
    assert len(note) <= CHOICE_LIMIT


def test_a_sentence_broken_over_lines_is_whole_again() -> None:
    broken = "The rate of the tax is a share, so that it must never be taken\nfor percent in the till."

    assert notes_in(broken) == [broken.replace("\n", " ")]


def test_lines_that_end_with_their_sentence_stay_apart() -> None:
    lines = ["The rate of the tax is a share, and it is no percentage here.", "The till rounds the sum."]

    assert notes_in("\n".join(lines)) == lines


def test_a_row_of_figures_says_nothing() -> None:
    assert notes_in("| leg | args | same |\n|---|---|---|\n| web | 7 | yes |\n") == []


def test_a_heading_leads_to_its_text() -> None:
    assert notes_in("## Rounding\n\nIt happens too early.") == ["Rounding: It happens too early."]


def test_what_leads_to_code_only_leads_to_nothing() -> None:
    assert notes_in("Run this:\n```\nmake all\n```\nThen look at the log.") == ["Then look at the log."]


def test_drawings_are_left_out() -> None:
    assert notes_in("├── src and other folders\n──────────────") == []


def test_a_long_paragraph_is_parted_between_sentences() -> None:
    text = "The first sentence is here. " * 20

    assert all(note.endswith(".") and len(note) <= 260 for note in notes_in(text))
    assert len(notes_in(text)) > 1


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_notes_are_single_lines(text: str) -> None:
    assert not any("\n" in note for note in notes_in(text))


def test_a_rule_is_nothing() -> None:
    assert bare("| --- | :--: |") == ""


def test_sentences_are_parted_after_full_stops_only_before_capitals() -> None:
    assert sentences("Use v1.2 of it. Then go! see below") == ["Use v1.2 of it.", "Then go! see below"]


def test_the_purpose_is_what_stands_next_to_the_calls() -> None:
    assert purpose("I found the bug in the cart. Now let me fix the rounding:") == "Now let me fix the rounding"


def test_a_vague_last_sentence_gives_way_to_the_one_before() -> None:
    assert purpose("The import of fmt is unused now. Let me fix it properly:") == "The import of fmt is unused now."
    assert purpose("The tests fail without the rate.\n\nNow let me verify:") == "The tests fail without the rate."


def test_a_sentence_that_says_nothing_is_no_purpose() -> None:
    assert purpose("Let me check this:") == ""
    assert purpose("More fixes needed:") == ""


def test_a_remark_on_what_came_before_is_no_purpose() -> None:
    assert purpose("That gives immediate value without other changes.") == ""


def test_a_sentence_that_announces_wins_over_a_finding_after_it() -> None:
    assert purpose("I'll round the total of the cart. The invoice prints cents already.") == (
        "I'll round the total of the cart."
    )


def test_no_words_no_purpose() -> None:
    assert purpose("") == ""


def test_a_line_that_draws_is_left_out_and_an_arrow_is_no_drawing() -> None:
    assert notes_in("The tax → the total of the cart") == ["The tax → the total of the cart"]
    assert notes_in("total ──→ the till of the shop") == []


def test_an_empty_line_does_not_end_a_list() -> None:
    assert notes_in("The tests show:\n\n- tax added\n\n- sum right\n") == ["The tests show: tax added; sum right"]


def test_words_behind_a_list_are_no_part_of_it() -> None:
    assert notes_in("The tests show:\n- tax added\n- sum right\nAll of it works.") == [
        "The tests show: tax added; sum right",
        "All of it works.",
    ]


def test_one_item_stands_behind_what_leads_to_it() -> None:
    assert notes_in("The tests show:\n- the tax is added\n") == ["The tests show: the tax is added"]


def test_a_list_whose_items_lead_to_others_is_parted() -> None:
    assert notes_in("It shows:\n- the cart:\n- the till is right\n") == ["the cart: the till is right"]


def test_the_figures_of_a_short_list_are_kept() -> None:
    assert notes_in("The order is:\n1. the cart\n2. the till\n") == ["The order is: 1. the cart; 2. the till"]


def test_a_figure_between_lead_and_item_leaves_a_mark() -> None:
    first, second = "the tax is added " * 8, "the sum is right " * 8
    notes = notes_in(f"The order is:\n\n1. {first}\n2. {second}")

    assert notes[0].startswith("The order is: […] the tax is added")
    assert notes[1] == second.strip()


@pytest.mark.parametrize(
    "rest",
    [
        "- an item of a list",
        "1. the first of them",
        "(b) another of them",
        "| a | cell |",
        "# A heading",
        "**Bold** words",
        "> quoted",
    ],
)
def test_what_begins_something_new_is_not_the_rest_of_a_full_line(rest: str) -> None:
    full = "The rate of the tax is a share, so that it must never be taken"

    assert unwrapped([full, rest]) == [full, rest]


@pytest.mark.parametrize("full", ["| the rate of the tax is a share, so that it must never | be", "# " + "word " * 14])
def test_nothing_goes_on_from_a_heading_or_a_table(full: str) -> None:
    assert unwrapped([full, "and so on"]) == [full, "and so on"]


def test_two_blanks_at_the_end_of_a_line_break_it() -> None:
    full = "The rate of the tax is a share, so that it must never be taken  "

    assert unwrapped([full, "for percent"]) == [full, "for percent"]


def test_a_short_line_was_broken_on_purpose() -> None:
    assert unwrapped(["a short line", "and another"]) == ["a short line", "and another"]


@given(st.lists(st.text(alphabet="ab .:-|#\n", max_size=70), max_size=6))
def test_making_lines_whole_loses_no_word(lines: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in lines]

    assert " ".join(unwrapped(lines)).split() == " ".join(lines).split()


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("- [x] **bold** `code` here", "bold code here"),
        ("### 3. A heading", "A heading"),
        ("> quoted words", "quoted words"),
        ("`a`b and /`c`/", "a b and / c /"),
        ("| one | | two |", "one — two"),
        ("2**3 and 4**5", "2**3 and 4**5"),
        ("===", ""),
        ("  two   blanks ", "two blanks"),
    ],
)
def test_a_bare_line_has_words_and_no_marks(line: str, plain: str) -> None:
    assert bare(line) == plain


@given(st.text(alphabet="ab*`|#->1. ", max_size=30))
def test_a_bare_line_is_one_line_without_back_ticks(line: str) -> None:
    assert "`" not in bare(line)
    assert bare(line) == " ".join(bare(line).split())


@given(st.lists(st.sampled_from(["It works.", "Why not?", "Go!", "see `a.b` there", "v1.2 is it."]), max_size=6))
def test_sentences_are_all_of_a_line_in_order(pieces: list[str]) -> None:
    assert " ".join(sentences(" ".join(pieces))) == " ".join(pieces)


def test_a_sentence_longer_than_the_limit_is_a_note_of_its_own() -> None:
    long = "The total " + "of the cart " * 10 + "is right."

    assert notes_in(f"It is short. {long} It is short again.", 60) == ["It is short.", long, "It is short again."]


def test_a_table_of_figures_that_says_something_in_all_is_kept() -> None:
    assert notes_in("| the cart adds up | the till is right |\n") == ["the cart adds up — the till is right"]
    assert notes_in("| 7 | yes | no |\n") == []


def test_the_purpose_is_sought_in_the_last_two_lines_that_say_something() -> None:
    assert (
        purpose("Let me round the total of the cart.\n\nok\n\n```\nx = 1\n```") == "Let me round the total of the cart."
    )
    assert purpose("Let me round the cart.\nThat is all of it.\nIt was so before.") == ""


@pytest.mark.parametrize(
    ("words", "announcing"),
    [("Now the docs", True), ("Let me look", True), ("Okay, I’ll sign it", True), ("The cart adds up", False)],
)
def test_words_that_only_say_what_comes_next(words: str, announcing: bool) -> None:
    assert announces(words) is announcing


def test_a_name_tells_as_much_as_enough_words() -> None:
    assert telling("fix `total_price`") >= TELLING
    assert telling("fix the other things") == 0
    assert telling("the rounding of the till") == 2
