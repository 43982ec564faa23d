from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.code import MAX_NAMES, about, added, by_file, key_names, remarks, unnumbered


def test_added_lines_are_those_the_old_text_has_not() -> None:
    assert added("a\nb", "a\nc\nb") == "c"


def test_a_pure_removal_shows_what_stays() -> None:
    assert added("a\nb", "a") == "a"


def test_definitions_come_before_uses() -> None:
    assert key_names("x = tax_rate + tax_rate\ndef total(cart):") == ["total", "tax_rate"]


def test_remarks_are_comments_that_say_something() -> None:
    code = "x = 1  # set\n# The tax_rate is a share of the price, not percent.\n# short one\n\ny = 2\n"

    assert remarks(code, "a.py") == ["The tax_rate is a share of the price, not percent. short one"]


def test_doc_strings_and_slashes_are_comments_too() -> None:
    assert remarks('"""Total of the whole cart with tax."""', "a.py") == ["Total of the whole cart with tax."]
    assert remarks("// Total returns the sum of all items", "a.go") == ["Total returns the sum of all items"]


def test_a_document_is_all_remarks() -> None:
    text = "# Prices\n\nAll prices are stored in cents, see PriceList.\n- they are never rounded before the total\n"

    assert remarks(text, "docs/a.md") == [
        "Prices: All prices are stored in cents, see PriceList.",
        "they are never rounded before the total",
    ]


def test_commented_out_code_is_no_remark() -> None:
    assert remarks("// return total price of the cart();", "a.js") == []


def test_remarks_are_few() -> None:
    assert (
        len(remarks("\n\n".join(f"This is sentence number {n} of the text." for n in "abcdefgh"), "a.md", limit=3)) == 3
    )


def test_line_numbers_of_a_printed_file_go() -> None:
    assert unnumbered("     1→def a():\n    12\tpass\n") == "def a():\npass\n"


def test_a_search_tells_which_file_defines_what() -> None:
    found = "src/a.py:3:def total(cart):\nsrc/a.py:9:    return total(cart)\nsrc/b.go-12-func Sum() int {\nplain line"

    assert by_file(found) == {"src/a.py": ["total"], "src/b.go": ["Sum"]}


def test_a_document_is_about_its_title() -> None:
    assert about("---\nx: 1\n---\n# The rates of the tax\n\nText.", "docs/rates.md") == "The rates of the tax"


def test_code_is_about_the_comment_at_its_head() -> None:
    assert about('"""Rounds the prices of a cart. Slowly."""\nimport os\n', "round.py") == (
        "Rounds the prices of a cart. Slowly."
    )


def test_a_licence_says_not_what_a_file_is() -> None:
    assert about("// Copyright the shop, all rights reserved\n\n// Rounds the prices of a cart\n", "round.go") == (
        "Rounds the prices of a cart"
    )


def test_a_comment_far_below_says_not_what_a_file_is() -> None:
    assert about("x = 1\n" * 30 + "# Rounds the prices of a cart\n", "round.py") == ""


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), st.lists(st.sampled_from(["a", "b", "c"]), max_size=6))
def test_what_was_added_is_of_the_new_text_in_its_order(old: list[str], new: list[str]) -> None:
    lines = [line for line in new if line not in old]

    assert added("\n".join(old), "\n".join(new)) == ("\n".join(lines) or "\n".join(new))


def test_what_is_used_most_comes_first_and_the_same_at_any_path() -> None:
    assert key_names("a/cart.py two_x two_x b/cart.py cart.py") == ["cart.py", "two_x"]


def test_addresses_and_whole_paths_characterise_nothing() -> None:
    assert key_names("see https://x.example/a_b and /etc/passwd.conf or tax_rate") == ["tax_rate"]


def test_names_of_a_huge_piece_are_bounded() -> None:
    assert len(key_names(" ".join(f"name_{number}" for number in range(100)))) == MAX_NAMES


def test_short_definitions_say_nothing() -> None:
    assert key_names("def sum():\n    pass\n") == []


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("-- The rate of the tax is a share", "a.sql"),
        (";; The rate of the tax is a share", "a.lisp"),
        ("/* The rate of the tax is a share */", "a.c"),
        (" * The rate of the tax is a share", "a.java"),
        ("//! The rate of the tax is a share", "a.rs"),
        ("''' The rate of the tax is a share '''", "a.py"),
        ("# The rate of\n# the tax is a share", "a.py"),
    ],
)
def test_comments_are_known_in_the_usual_languages(code: str, path: str) -> None:
    assert remarks(code, path) == ["The rate of the tax is a share"]


@pytest.mark.parametrize("code", ["#!/usr/bin/env python of all the things", "x = 1  # The rate of the tax is a share"])
def test_what_is_no_comment_line_is_no_remark(code: str) -> None:
    assert remarks(code, "a.py") == []


def test_remarks_with_names_come_first() -> None:
    code = "# The rate of the tax is a share\n\n# The tax_rate of the whole cart is a share\n"

    assert remarks(code, "a.py") == ["The tax_rate of the whole cart is a share", "The rate of the tax is a share"]


def test_a_long_comment_is_told_by_its_first_sentences() -> None:
    (remark,) = remarks("# " + "The rate of the tax is a share. " * 20, "a.py")

    assert remark.endswith("share.")
    assert len(remark) < 170


@pytest.mark.parametrize("name", ["a.MD", "b.rst", "c.txt", "d.mdx", "e.adoc"])
def test_documents_are_known_by_their_endings(name: str) -> None:
    assert about("Intro.\n\n## The rates of the tax\n", name) == "The rates of the tax"
    assert about("Intro without a title of its own", name) == ""


def test_what_a_file_is_must_say_something() -> None:
    assert about("# set up\n", "a.py") == ""
    assert about("# eslint-disable all of the rules\n", "a.js") == ""


def test_lines_that_are_no_finds_tell_nothing() -> None:
    assert by_file("src/a.py:def total(cart):\nsrc/a.py:3 def total(cart):") == {}
    assert by_file("a.py:1:def total(): ...\na.py:9:def total(): ...") == {"a.py": ["total", "total"]}


def test_a_text_without_line_numbers_stays() -> None:
    assert unnumbered("def a():\n  1 + 2\n") == "def a():\n  1 + 2\n"
