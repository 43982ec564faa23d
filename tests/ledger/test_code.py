from __future__ import annotations

from memcli.ledger.code import about, added, by_file, key_names, remarks, unnumbered


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
