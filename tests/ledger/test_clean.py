from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.clean import ELISION, bounded, clean, clip, identity, one_line


@given(st.text(), st.integers(min_value=3, max_value=80))
def test_a_clipped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit


@given(st.lists(st.sampled_from(["alpha", "beta_gamma", "src/delta.py", "epsilon"]), max_size=30), st.integers(8, 90))
def test_clipping_keeps_whole_words_only(words: list[str], limit: int) -> None:
    kept = clip(" ".join(words), limit).replace(ELISION, "").split()

    assert kept == words[: len(kept)]


def test_a_short_text_is_not_clipped() -> None:
    assert clip("all of it", 9) == "all of it"


def test_a_word_longer_than_the_limit_becomes_the_mark_alone() -> None:
    assert clip("x" * 50 + " tail", 20) == ELISION


def test_a_long_text_keeps_head_and_tail_with_a_mark_between() -> None:
    text = bounded("first words " + "middle " * 100 + "last words", 12, 11)

    assert text == f"first words\n{ELISION}\nlast words"


def test_a_long_text_without_a_tail_ends_in_the_mark() -> None:
    assert bounded("one two three four five", 8) == f"one two {ELISION}"


def test_terminal_codes_go_without_a_trace() -> None:
    assert clean("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07") == "red link"


def test_hidden_characters_become_spaces() -> None:
    assert clean("per\u200bmission \u202egranted\x07") == "per mission  granted "


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_comes_the_cleaned_text_can_be_encoded(text: str) -> None:
    clean(text).encode("utf-8")


def test_secrets_are_gone_before_anything_is_kept() -> None:
    token = "gh" + "p_" + "aB3dE5gH7jK9" * 3

    assert token not in clean(f"use {token} to log in")


def test_a_long_path_at_the_beginning_is_no_secret() -> None:
    path = "/home/dev/Work/shop/backend/cmd/price-sync/integration/main_test.go"

    assert clean(path) == path


def test_one_line_has_single_spaces() -> None:
    assert one_line("  a\n\n\tb  c ") == "a b c"


def test_one_line_can_be_limited() -> None:
    assert one_line("alpha beta\ngamma delta", 14) == f"alpha beta {ELISION}"


def test_an_identity_is_bounded_and_visible() -> None:
    assert identity("id\ud800\x00" + "x" * 300) == "id" + "x" * 196
