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


@given(st.text(alphabet="ab \n", max_size=120), st.integers(1, 30), st.integers(0, 30))
def test_a_bounded_text_keeps_about_its_bounds_and_is_cut_only_if_it_must(text: str, head: int, tail: int) -> None:
    kept = bounded(text, head, tail)

    assert len(kept) <= head + tail + len(ELISION) + 2
    assert kept == text or ELISION in kept


@given(st.lists(st.sampled_from(["alpha", "beta_gamma", "delta"]), max_size=30), st.integers(10, 30))
def test_what_is_bounded_begins_and_ends_as_the_text_did_with_whole_words(words: list[str], size: int) -> None:
    text = " ".join(words)
    head, mark, tail = bounded(text, size, size).partition(f"\n{ELISION}\n")

    assert words[: len(head.split())] == head.split()
    assert not mark or words[len(words) - len(tail.split()) :] == tail.split()


def test_a_clip_without_a_mark_may_be_empty_and_uses_all_its_room() -> None:
    assert clip("alpha beta gamma", 10, mark=False) == "alpha beta"
    assert clip("x" * 50, 10, mark=False) == ""
    assert clip("alpha beta", 3) == ELISION


def test_a_clip_at_a_line_end_keeps_the_line() -> None:
    assert clip("alpha\nbeta gamma", 11, mark=False) == "alpha\nbeta"


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_line_ends_of_other_systems_become_ours() -> None:
    assert clean("one\r\ntwo") == "one\ntwo"
    assert clean("one\rtwo") == "one two"


def test_a_secret_at_the_cut_is_gone_though_half_of_it_is_cut_away() -> None:
    token = "gh" + "p_" + "aB3dE5gH7jK9" * 3
    kept = clean("word " * 10 + token + " word" * 200, head=60)

    assert token[:12] not in kept


def test_a_secret_whose_name_was_cut_away_is_gone_too() -> None:
    text = "word " * 100 + "password = hunter2hunter2x9 " + "word " * 3

    assert "hunter2" not in clean(text, head=20, tail=40)


def test_short_texts_are_cleaned_like_long_ones() -> None:
    short = "\x1b[31mred\x1b[0m\u200b"

    assert clean(short) == "red "
    assert clean(short + " word" * 60).startswith("red  word")


def test_a_visible_identity_is_left_as_it_is() -> None:
    assert identity("toolu_01 a-b") == "toolu_01 a-b"
    assert identity("näme") == "näme"
