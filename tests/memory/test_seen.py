"""What was shown to a model, and by whom."""

from __future__ import annotations

from memcli.memory.document import Block, Document
from memcli.memory.jobs import Message
from memcli.memory.sections import COMPLETED, ERRORS, USER_INTENT
from memcli.memory.seen import Seen, Source, claimed, seen
from tests.ledger.builders import folded, user

SAID = Source(
    ["Never round the prices\nbefore adding the tax, see src/checkout.py", "first half […] second half of it"]
)


def test_words_in_order_are_a_quote_whatever_their_marks() -> None:
    assert SAID.holds("never ROUND the prices, before adding")
    assert not SAID.holds("round the prices never")


def test_no_quote_spans_two_texts_or_an_elision() -> None:
    assert not SAID.holds("src/checkout.py first half")
    assert not SAID.holds("first half second half")
    assert SAID.holds("the prices before […] second half of")


def test_half_a_word_is_no_word() -> None:
    assert not SAID.holds("ound the prices before addin")


def test_a_name_counts_whole_and_as_its_last_component() -> None:
    assert SAID.names("src/checkout.py")
    assert SAID.names("lib/checkout.py")
    assert not SAID.names("checkout.p")
    assert not SAID.names("out.py")


def test_a_quote_that_is_nearly_right_is_found() -> None:
    assert SAID.near("never round any prices before adding the tax, see src/checkout.py") == (
        "Never round the prices before adding the tax, see src/checkout.py"
    )


def test_what_is_far_from_all_or_close_to_two_places_is_not_found() -> None:
    twice = Source(["please add the red tax to the sum of it all", "please add the blue tax to the sum of it all"])

    assert SAID.near("always round the total prices after the tax was added") == ""
    assert twice.near("please add the grey tax to the sum of it all") == ""


def test_the_nearest_word_tells_who_speaks_and_else_the_section() -> None:
    assert claimed("- the agent repeated what the user said: ", COMPLETED) == "user"
    assert claimed("- user: x, and its output: ", COMPLETED) == "tool"
    assert claimed("- `the user` is a long piece of code ", COMPLETED) == ""
    assert claimed("- ", USER_INTENT) == "user"


def test_quotes_of_the_memory_count_for_who_spoke_them() -> None:
    document = Document(
        (Block(USER_INTENT, '- "make it blue"'), Block(ERRORS, '- `make it` — output: "no such colour"'))
    )
    shown = seen([Message("assistant", "I made it green")], {COMPLETED: 'agent: "it is done"'}, document)

    assert shown.holds("make it blue", "user")
    assert shown.holds("no such colour", "tool")
    assert shown.holds("it is done", "assistant")
    assert shown.holds("I made it green", "assistant")
    assert not shown.holds("make it blue", "assistant")


def test_our_own_words_are_nobodys_quote_but_their_names_are_known() -> None:
    shown = seen([], {}, Document((Block(COMPLETED, "- finished render_page of the shop"),)))

    assert not shown.holds("finished render_page of the shop")
    assert shown.names("render_page")


def test_with_the_ledger_all_that_the_user_said_counts() -> None:
    assert seen([], {}, Document(()), folded(user("make the cart blue"))).holds("make the cart blue", "user")


def test_looking_for_a_quote_in_a_large_text_stays_quick() -> None:
    words = " ".join(f"the word {n % 50} of it" for n in range(40_000))

    assert Seen(user=[words]).near("the word 7 of it the word 9 of it " * 5) == ""
