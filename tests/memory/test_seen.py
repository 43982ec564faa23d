"""What was shown to a model, and by whom."""

from __future__ import annotations

import pytest

from memcli.memory.document import Block, Document
from memcli.memory.jobs import Message
from memcli.memory.sections import COMPLETED, ERRORS, PINNED, USER_INTENT
from memcli.memory.seen import Seen, Source, claimed, seen
from tests.ledger.builders import done, edited, folded, ran, user

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


def test_a_passage_is_two_sentences_that_follow_each_other() -> None:
    passages = Source(["Never round prices. The cart adds up. Nothing else."]).passages

    assert any({"never", "round", "price", "cart", "adds"} <= passage for passage in passages)
    assert not any({"never", "nothi"} <= passage for passage in passages)


def test_empty_texts_say_nothing() -> None:
    assert Source(["", " \n"]).texts == ()
    assert not Source([""]).holds("")
    assert not SAID.holds("?!")


@pytest.mark.parametrize("gap", ["…", "...", "[…]", "[redacted:token]", "(…)", "***", "[truncated 12 lines]"])
def test_no_quote_spans_what_was_left_out_however_that_is_marked(gap: str) -> None:
    source = Source([f"the first half of the text {gap} the second half of it"])

    assert not source.holds("half of the text the second half")
    assert source.holds(f"first half of the text {gap} the second half")


def test_short_parts_of_a_quote_with_gaps_prove_nothing() -> None:
    assert SAID.holds("zzz […] round the prices")
    assert not SAID.holds("zzz […] yyy")


def test_a_part_that_is_not_there_is_not_held_whatever_stands_beside_it() -> None:
    assert not SAID.holds("round the prices […] never said by anybody")


@pytest.mark.parametrize(("name", "shown"), [("a_b", False), ("b", True), ("see", True), ("src", True), ("ax", False)])
def test_characters_within_a_longer_word_are_not_shown(name: str, shown: bool) -> None:
    assert Source(["see xa_bx, xax and b in src/x"]).shows(name) is shown


def test_a_name_inside_a_longer_word_is_found_where_it_stands_alone_later() -> None:
    assert Source(["my_total_price and total_price"]).shows("total_price")


def test_too_short_a_quote_is_never_put_right() -> None:
    assert Source(["never round prices before"]).near("never round prices befor") == ""


def test_a_repaired_quote_spans_no_gap() -> None:
    gap = Source(["please add the red […] tax to the sum of it all now"])

    assert gap.near("please add the red tax to the sum of it all now") == ""


def test_a_repaired_quote_has_no_double_marks_inside() -> None:
    source = Source(['please add the "red" tax to the sum of it all now'])

    assert source.near("please add this red tax to the sum of it all now") == (
        "please add the 'red' tax to the sum of it all now"
    )


@pytest.mark.parametrize("count", [9, 10, 11, 19, 20, 30, 100])
def test_one_word_in_ten_may_be_wrong_and_no_more(count: int) -> None:
    words = [f"word{number}" for number in range(count)]
    source, most = Source([" ".join(words)]), count // 10
    wrong = [f"other{number}" for number in range(most + 1)]

    assert source.near(" ".join([*wrong[:most], *words[most:]])) == " ".join(words)
    assert source.near(" ".join([*wrong, *words[most + 1 :]])) == ""


def test_words_in_another_order_nearly_are_the_quote_only_at_one_place() -> None:
    once = Source(["add the tax to the total sum of the whole cart now"])

    assert once.near("add the tax to the total sum of the cart whole now") != ""


def test_a_quote_is_put_right_only_within_the_role() -> None:
    shown = Seen(user=["please add the red tax to the sum of it all"], tool=["nothing of the kind is said here"])

    assert shown.near("please add a red tax to the sum of it all", "user") != ""
    assert shown.near("please add a red tax to the sum of it all", "tool") == ""
    assert shown.near("please add a red tax to the sum of it all") != ""


def test_two_voices_that_nearly_said_it_differently_settle_nothing() -> None:
    shown = Seen(
        user=["please add the red tax to the sum of it all"], tool=["please add the old tax to the sum of it all"]
    )

    assert shown.near("please add the grey tax to the sum of it all") == ""


def test_the_record_speaks_for_no_role_and_our_words_for_nobody() -> None:
    shown = Seen(record=["a saying of old times"], shown=["the words of the memory"])

    assert shown.holds("a saying of old times")
    assert not any(shown.holds("a saying of old times", role) for role in ("user", "assistant", "tool"))
    assert not shown.holds("the words of the memory")
    assert shown.shows("the words of the memory")


def test_pinned_words_are_the_users() -> None:
    shown = seen([], {}, Document((Block(PINNED, '- "keep it blue"'),)))

    assert shown.holds("keep it blue", "user")


def test_code_in_the_memory_is_known_but_in_nobodys_voice() -> None:
    shown = seen([], {COMPLETED: "- ran `make total-all` for it"}, Document(()))

    assert shown.holds("make total-all")
    assert not shown.holds("make total-all", "assistant")


def test_what_code_knows_goes_along() -> None:
    ledger = folded(
        edited("/srv/shop/cart.py"),
        ran("make", "error: the cart cannot be built at all", failed=True),
        done(
            "TodoWrite", {"todos": [{"content": "Add", "status": "pending"}, {"content": "Sum", "status": "completed"}]}
        ),
    )
    states = seen([], {}, Document(()), ledger).states

    assert states.files == {"/srv/shop/cart.py": "modified"}
    assert states.open == ("error: the cart cannot be built at all",)
    assert (states.fixed, states.pending, states.completed) == ((), ("Add",), ("Sum",))
