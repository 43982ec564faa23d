from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.ledger import names
from memcli.ledger.names import (
    NAME,
    Names,
    defined_in,
    is_name,
    key_of,
    keys_in,
    names_in,
    speaks,
    uses_in,
    words_in,
)

_TEXTS = st.lists(
    st.sampled_from(
        [
            *'a/.-_:@~+ \n("`é—日',
            "foo",
            "Bar",
            "http://",
            "https://",
            " Two ",
            " three",
            "x.py",
            "1a2b3c4",
            "defaced",
            "--flag",
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see src/shop/cart.py, please", ["src/shop/cart.py"]),
        ("call totalPrice() then total_price()", ["totalPrice", "total_price"]),
        ("use --dry-run now", ["--dry-run"]),
        ("commit 3c20da5 fixes SHOP-42", ["3c20da5", "SHOP-42"]),
        ("open https://example.org/a/b?c=d.", ["https://example.org/a/b?c=d"]),
        ("class PriceList and README.md", ["PriceList", "README.md"]),
    ],
)
def test_names_of_every_kind_are_found(text: str, found: list[str]) -> None:
    assert names_in(text) == found


@pytest.mark.parametrize(
    "text", ["just plain words here.", "1.2.3 and 10/12/2024", "deadbeef", "1234567", "a/b", "Hello World"]
)
def test_ordinary_words_and_figures_are_no_names(text: str) -> None:
    assert names_in(text) == []


@pytest.mark.parametrize(
    ("name", "key"),
    [("/a/b/cart.py", "cart.py"), ("src/internal", "internal"), ("x/src/cli", "src/cli"), ("plain_name", "plain_name")],
)
def test_a_path_is_known_by_its_end(name: str, key: str) -> None:
    assert key_of(name) == key


def test_keys_are_distinct_and_in_order() -> None:
    assert keys_in("b_b then a/cart.py then b_b then c/cart.py") == ["cart.py"]
    assert keys_in("price_list, then a/cart.py, price_list") == ["price_list", "cart.py"]


@given(_TEXTS)
def test_a_text_holds_the_names_and_words_of_its_pieces_alone(text: str) -> None:
    parted = NAME.sub(" ", text)

    assert words_in(text) == words_in(parted)
    assert set(names_in(text)) <= {match.group().rstrip(".,:;/-+") for match in NAME.finditer(text)}


@given(_TEXTS)
def test_a_name_is_found_wherever_the_pattern_finds_it(text: str) -> None:
    whole = [match.group().rstrip(".,:;/-+") for match in NAME.finditer(text)]

    assert names_in(text) == [name for name in whole if name in names_in(text)]


@given(_TEXTS)
def test_uses_are_counted_in_the_order_of_first_appearance(text: str) -> None:
    inner = [key_of(name) for name in names_in(text) if not name.startswith(("http", "/"))]
    assert list(uses_in(text).items()) == list(Counter(inner).items())
    assert keys_in(text) == list(dict.fromkeys(map(key_of, names_in(text))))


def test_names_in_a_piece_too_long_for_a_word_are_found_too() -> None:
    blob = "x" * 300

    assert names_in(f"{blob} total_price") == ["total_price"]
    assert uses_in(f"{blob} total_price") == {"total_price": 1}


def test_words_do_not_count_names() -> None:
    assert words_in("we read src/cart.py for total_price") == ["read", "for"]


@pytest.mark.parametrize(
    ("code", "symbols"),
    [
        ("def total(cart):\n", ["total"]),
        ("func (c *Cart) Total() int {", ["Total"]),
        ("export async function loadCart() {", ["loadCart"]),
        ("pub struct Basket;\nimpl Basket {", ["Basket"]),
        ("total = 3", []),
    ],
)
def test_definitions_are_found_in_the_usual_languages(code: str, symbols: list[str]) -> None:
    assert defined_in(code) == symbols


def test_more_speakers_weigh_more_than_more_repetition() -> None:
    seen = Names()
    for _ in range(4):
        seen.called(["often_called"], 1)
    seen.person("well_known here", 1)
    seen.agent("well_known there", 1)
    seen.called(["well_known"], 1)
    weights = seen.weights(1)

    assert weights["well_known"] > weights["often_called"]


def test_a_name_loses_half_its_weight_in_a_half_life() -> None:
    seen = Names()
    seen.person("old_name", 0)

    assert seen.weights(names.HALF_LIFE)["old_name"] == seen.weights(0)["old_name"] / 2


def test_being_written_weighs_less_than_being_called() -> None:
    seen = Names()
    seen.called(["called_one"], 1)
    seen.written(["written_one"], 1)

    assert seen.weights(1)["written_one"] < seen.weights(1)["called_one"]


def test_beyond_the_cap_the_least_recent_name_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MAX_NAMES", 2)
    seen = Names()
    for index, key in enumerate(["one_x", "two_x", "one_x", "three_x"]):
        seen.called([key], index)

    assert list(seen.seen) == ["one_x", "three_x"]


@settings(max_examples=300)
@given(_TEXTS, st.integers(1, 5))
def test_a_text_speaks_by_its_ordinary_words(text: str, least: int) -> None:
    assert speaks(text, least) == (len(words_in(text)) >= least)


@pytest.mark.parametrize("text", ["defaced effaced", "src/one.py two_words --three", "of at by", "oneTwo ThreeFour"])
def test_names_and_short_words_say_nothing(text: str) -> None:
    assert not speaks(text, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see ./src/a.py; ../b/c.go!", ["./src/a.py", "../b/c.go"]),
        ("at https://a.example/x, then src/b.py", ["https://a.example/x", "src/b.py"]),
        ("doc:https://a.example/x_y", ["https://a.example/x_y"]),
        ("xhttps://a.example/b", ["https://a.example/b"]),
        ("a Dockerfile.dockerfile and x.lock", ["Dockerfile.dockerfile", "x.lock"]),
        ("/usr and /src/x", ["/src/x"]),
        ("--x --yes-do", ["--yes-do"]),
        ("AB-1 and A-1 and ABC-12", ["ABC-12"]),
        ("“total_price”—then…src/a.py", ["total_price", "src/a.py"]),
        ("1.2.3/4.5 and 2024-05-04", []),
        ("a1b2c3d and a1b2c3", ["a1b2c3d"]),
        ("x" * 201 + "_y", []),
    ],
)
def test_names_are_told_from_what_stands_around_them(text: str, found: list[str]) -> None:
    assert names_in(text) == found


@pytest.mark.parametrize(
    ("word", "name"), [("total_price", True), ("price", False), ("well-known", False), ("x" * 260 + "_y", False)]
)
def test_a_single_word_may_be_a_name(word: str, name: bool) -> None:
    assert is_name(word) is name


@pytest.mark.parametrize(
    ("name", "key"),
    [("https://a.example/b/c", "https://a.example/b/c"), ("///", "///"), ("/a/", "a"), ("src/abcdef", "abcdef")],
)
def test_addresses_are_known_whole_and_short_ends_with_what_stands_before(name: str, key: str) -> None:
    assert key_of(name) == key


@given(st.lists(st.sampled_from(["a", "src", "cart.py", "internal"]), min_size=1, max_size=4).map("/".join))
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)


def test_words_are_found_around_addresses_but_not_in_them() -> None:
    assert words_in("see https://total.example/price for more") == ["see", "for", "more"]
    assert words_in("seehttps://total.example/price for") == ["see", "for"]


@pytest.mark.parametrize("text", ["two", "No", "of", "x1y", "src/two", "two_three", "a.two"])
def test_what_is_no_ordinary_word(text: str) -> None:
    assert words_in(text) == (["two"] if text == "two" else [])


def test_a_symbol_defined_twice_is_told_once() -> None:
    assert defined_in("def total(): ...\ndef other(): ...\ndef total(): ...") == ["total", "other"]
    assert defined_in("+ pub(crate) fn total_of() {\n  private static class Till {") == ["total_of", "Till"]
    assert defined_in("define total\nclassify it\ndef ab(): ...") == []


def test_each_kind_of_use_is_counted_once_a_text_and_the_last_is_remembered() -> None:
    seen = Names()
    seen.person("total_price and total_price", 1)
    seen.agent("about total_price again", 2)
    seen.called(["total_price"], 3)
    seen.written(["total_price"], 4)
    name = seen.seen["total_price"]

    assert (name.person, name.agent, name.calls, name.written, name.last) == (1, 1, 1, 1, 4)


def test_weights_of_persons_agents_and_calls_are_alike() -> None:
    seen = Names()
    seen.person("one_name", 1)
    seen.agent("two_name", 1)
    seen.called(["three_name"], 1)

    assert len(set(seen.weights(1).values())) == 1
