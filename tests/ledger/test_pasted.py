"""Logs between the words of a person."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.pasted import without_logs

LOG = "\n".join(f"time=2026-01-0{n} level=INFO msg=planned branch=b{n}" for n in range(1, 9))


def test_of_a_log_the_first_line_stays_and_all_words_around_it() -> None:
    shown = without_logs(f"look:\n{LOG}\nwhy so slow?")

    assert shown.split("\n") == ["look:", LOG.split("\n")[0], "[…]", "why so slow?"]


def test_a_list_of_wishes_stays_whole() -> None:
    wishes = "\n".join(
        f"{n}. please add a test for the {what}" for n, what in enumerate(["cart", "tax", "sum", "form"])
    )

    assert without_logs(wishes) == wishes
    assert without_logs("- add a test for x\n" * 5) == "- add a test for x\n" * 5


def test_a_few_lines_are_no_log() -> None:
    assert without_logs("\n".join(LOG.split("\n")[:3])) == "\n".join(LOG.split("\n")[:3])


@given(st.text("ab1= \n", max_size=120))
def test_nothing_is_added_and_a_second_time_changes_nothing(text: str) -> None:
    once = without_logs(text)

    assert without_logs(once) == once
    assert set(once.split("\n")) <= {*text.split("\n"), "[…]"}
