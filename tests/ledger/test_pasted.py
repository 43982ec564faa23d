"""Logs between the words of a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.pasted import without_logs

LOG = "\n".join(f"time=2026-01-0{n} level=INFO msg=planned branch=b{n}" for n in range(1, 9))


def test_of_a_log_the_first_line_stays_and_all_words_around_it() -> None:
    shown = without_logs(f"look:\n{LOG}\nwhy so slow?")

    assert shown.split("\n") == ["look:", LOG.split("\n")[0], "[…]", "why so slow?"]


@pytest.mark.parametrize(
    ("place", "shown"), [(0, [0, "[…]"]), (1, [0, 1, "[…]"]), (4, [0, "[…]", 4, "[…]"]), (7, [0, "[…]", 7])]
)
def test_of_a_log_the_first_line_that_tells_a_failure_stays_too(place: int, shown: list[int | str]) -> None:
    lines = LOG.split("\n")
    lines[place] = lines[place].replace("INFO msg=planned", "ERROR msg=locked")
    kept = without_logs("\n".join(lines)).split("\n")

    assert kept == [lines[one] if isinstance(one, int) else one for one in shown]


def test_a_milder_line_of_a_log_is_no_failure() -> None:
    lines = LOG.split("\n")
    lines[3] = lines[3].replace("planned", "planned error=none")

    assert without_logs("\n".join(lines)).split("\n") == [lines[0], "[…]"]


def test_a_list_of_wishes_stays_whole() -> None:
    wishes = "\n".join(
        f"{n}. please add a test for the {what}" for n, what in enumerate(["cart", "tax", "sum", "form"])
    )

    assert without_logs(wishes) == wishes
    assert without_logs("- add a test for x\n" * 5) == "- add a test for x\n" * 5


def test_a_few_lines_are_no_log() -> None:
    assert without_logs("\n".join(LOG.split("\n")[:3])) == "\n".join(LOG.split("\n")[:3])


LINES = ("time=1 level=INFO a", "time=2 level=INFO b", "time=3 level=ERROR c", "why?", "")


@given(st.text("ab1= \n", max_size=120) | st.lists(st.sampled_from(LINES), max_size=20).map("\n".join))
def test_nothing_is_added_and_a_second_time_changes_nothing(text: str) -> None:
    once = without_logs(text)

    assert without_logs(once) == once
    assert set(once.split("\n")) <= {*text.split("\n"), "[…]"}


@pytest.mark.parametrize(("lines", "left"), [(3, 3), (4, 2), (9, 2)])
def test_four_lines_alike_are_a_log(lines: int, left: int) -> None:
    assert len(without_logs("\n".join(LOG.split("\n")[:1] * lines)).split("\n")) == left


def test_lines_must_begin_alike_for_a_dozen_characters() -> None:
    assert without_logs("\n".join(f"run {n}: x{n}" for n in "abcd")) == "\n".join(f"run {n}: x{n}" for n in "abcd")
    assert "[…]" in without_logs("\n".join(f"run 1 of 10: step {n}" for n in "abcd"))


def test_words_alike_without_figures_or_settings_are_no_log() -> None:
    wishes = "\n".join(f"please add a test for {what}" for what in ("cart", "tax", "sum", "form"))

    assert without_logs(wishes) == wishes


def test_two_logs_one_after_the_other_are_two() -> None:
    other = "\n".join(f"2026/01/02 10:0{n} served the page" for n in range(5))

    assert without_logs(f"{LOG}\n{other}").count("[…]") == 2
