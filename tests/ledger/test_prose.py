from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.prose import CHOICE_LIMIT, bare, notes_in, purpose, sentences


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
