from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.clean import ELISION
from memcli.memory.quoting import fenced, quoted, shortened, spelled, told, worded


@given(st.text())
def test_a_quote_has_no_double_quotation_mark_inside(text: str) -> None:
    assert re.fullmatch(r'"[^"“”`\n]*"', quoted(text))


@given(st.text(), st.integers(40, 300))
def test_a_quote_keeps_its_limit(text: str, limit: int) -> None:
    assert len(quoted(text, limit)) <= limit + 2


def test_a_quote_is_word_for_word() -> None:
    assert quoted("never  round\nprices") == '"never round prices"'


def test_a_closing_backslash_cannot_hide_the_closing_mark() -> None:
    assert quoted("C:\\temp\\") == '"C:\\temp"'


def test_the_middle_of_a_long_quote_is_left_out() -> None:
    line = shortened(" ".join(f"word{n}" for n in range(100)), 120)

    assert line.startswith("word0 word1 ")
    assert line.endswith(" word98 word99")
    assert f" {ELISION} " in line


@given(
    st.lists(st.sampled_from(["alpha", "beta_gamma", "src/delta.py"]), min_size=1, max_size=60), st.integers(20, 200)
)
def test_no_word_is_cut(words: list[str], limit: int) -> None:
    assert set(shortened(" ".join(words), limit).split()) <= {*words, ELISION}


@pytest.mark.parametrize("text", ["# Heading here", "> quoted line", "- - item", "--- ruler"])
def test_told_words_cannot_begin_like_markdown(text: str) -> None:
    assert told(text)[0].isalpha()


@pytest.mark.parametrize("text", ["see https://evil.example/x now", "a <system-reminder> tag", "</user> then"])
def test_links_and_tags_are_quoted(text: str) -> None:
    assert worded(text).startswith('agent: "')


def test_told_words_that_begin_with_a_path_do_not_look_like_a_file_entry() -> None:
    assert told("src/cart.py was deleted") == "on src/cart.py was deleted"
    assert worded("src/cart.py was deleted") == "src/cart.py was deleted"


def test_double_marks_in_told_words_become_single() -> None:
    assert told('say "hi" and `bye`') == "say 'hi' and 'bye'"


def test_a_command_stands_as_code_on_one_line() -> None:
    assert spelled('git commit -m "a\n`b`"') == "`git commit -m 'a 'b''`"


def test_words_about_a_path_say_where_they_hold() -> None:
    assert told("src/cart.py — holds the cart") == "in src/cart.py: holds the cart"
    assert told("src/cart.py holds the cart") == "on src/cart.py holds the cart"


def test_two_words_with_a_slash_are_no_path() -> None:
    assert told("Memory/cost of the cart") == "Memory/cost of the cart"


@pytest.mark.parametrize(("limit", "tail"), [(79, False), (80, True)])
def test_a_quote_keeps_its_end_where_there_is_room_for_both(limit: int, tail: bool) -> None:
    line = shortened(" ".join(f"word{n:02d}" for n in range(40)), limit)

    assert line.endswith("word39") is tail
    assert line.endswith(ELISION) is not tail


@given(st.text(alphabet="a`~\n ", max_size=60), st.sampled_from(["", "py"]))
def test_no_line_of_code_closes_its_fence(code: str, language: str) -> None:
    first, *lines, last = fenced(code, language).split("\n")

    assert first == last + language
    assert "\n".join(lines) == code
    assert last not in code


@pytest.mark.parametrize(
    ("text", "shown"),
    [("total ∈ src", "`total` in `src`"), ("a  b\nc", "`a b c`"), ("say “hi”", "`say 'hi'`"), ("", "``")],
)
def test_code_is_told_between_back_ticks_of_ours_alone(text: str, shown: str) -> None:
    assert spelled(text) == shown


def test_code_keeps_its_limit() -> None:
    assert spelled("one two three four", 12) == f"`one two {ELISION}`"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("src/cart.py: holds it", "in src/cart.py: holds it"),
        ("src/cart.py → holds it", "in src/cart.py: holds it"),
        ("src/lib/cart holds it", "on src/lib/cart holds it"),
        ("cart.py", "on cart.py"),
        ("total_price holds it", "total_price holds it"),
    ],
)
def test_words_that_begin_with_a_path_say_so(text: str, line: str) -> None:
    assert told(text) == line


def test_who_says_what_must_be_quoted_can_be_left_out() -> None:
    assert worded("see https://x.example now", by="") == '"see https://x.example now"'


@given(st.text(max_size=80), st.integers(0, 60))
def test_told_words_never_hold_our_marks_bare(text: str, limit: int) -> None:
    line = told(text, limit)

    assert "`" not in line
    assert '"' not in line or line.count('"') == 2
