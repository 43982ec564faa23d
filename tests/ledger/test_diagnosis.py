"""What the agent said a failure means."""

from __future__ import annotations

import pytest

from memcli.ledger.complaints import telling_lines
from memcli.ledger.diagnosis import LIMIT, diagnosis_in
from tests.ledger.builders import agent, folded, presented, ran

BROKEN = "Exit code 2\nsrc/a.c:3:1: error: expected ';' before the closing brace"


def cause(*said: str) -> str:
    entries = [*ran("make", BROKEN, failed=True), *map(agent, said)]
    return folded(*entries).state.work.failures.open[0].cause


def test_the_first_words_after_a_failure_are_its_diagnosis() -> None:
    assert cause("The brace is missing in the macro. Let me add it.") == "The brace is missing in the macro."


@pytest.mark.parametrize(
    "said", ["Let me look at the macro first.", "I'll fix that now.", "Fixing the macro now:", "Ok."]
)
def test_an_announcement_is_none(said: str) -> None:
    assert cause(said) == ""


def test_an_announcement_may_lead_to_one() -> None:
    assert cause("Let me see. The brace is missing in the macro.") == "The brace is missing in the macro."


def test_a_question_is_none() -> None:
    assert diagnosis_in("Why does the macro want a brace?") == ""


def test_only_the_text_right_after_counts() -> None:
    entries = [*ran("make", BROKEN, failed=True), *ran("ls"), agent("The brace is missing in the macro.")]

    assert folded(*entries).state.work.failures.open[0].cause == ""


def test_a_later_text_does_not_replace_it() -> None:
    assert cause("The brace is missing in the macro.", "The whole file is old anyway.").startswith("The brace")


def test_it_is_bounded() -> None:
    assert len(diagnosis_in("The macro is wrong because " + "of this and that " * 60 + ".")) <= LIMIT


def test_the_moment_knows_it_too() -> None:
    present = presented(*ran("make", BROKEN, failed=True), agent("The brace is missing in the macro."))

    assert present.state.work.failures.open[0].cause == "The brace is missing in the macro."


def test_a_warning_ranks_below_what_stopped_the_work() -> None:
    lines = telling_lines(
        "WARN resolver: the key file was not found in the home\nthe runner needs GNU parallel, which is missing"
    )

    assert lines[0].startswith("the runner")


def test_a_failed_task_stands_with_what_it_said_before() -> None:
    lines = telling_lines(
        "[lint:mod] module files modified, please commit them\n[lint:go] all is well here too\n[lint:mod] ERROR task failed"
    )

    assert "[lint:mod] module files modified, please commit them" in lines


def test_lines_that_differ_in_their_time_only_are_one() -> None:
    assert len(telling_lines("10:01:02 error: the key file is missing\n10:01:03 error: the key file is missing")) == 1


def test_what_is_printed_about_any_failure_does_not_blur_the_rest() -> None:
    lines = telling_lines("a.ts(5,3): error TS1: the property is missing\nnpm error Lifecycle script 'check' failed")

    assert lines == ["a.ts(5,3): error TS1: the property is missing"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The macro wants a brace. It is old.", "The macro wants a brace. It is old."),
        ("The macro wants a brace. Let me add it. It is old.", "The macro wants a brace."),
        ("- **The macro** wants a `brace`", "The macro wants a brace"),
        ("Too bad.\nThe macro wants a brace.", "The macro wants a brace."),
        ("I see. The macro wants a brace.", "The macro wants a brace."),
        ("Found it! The macro wants a brace. Yes.", "The macro wants a brace. Yes."),
        ("Why? The macro wants a brace.", "The macro wants a brace."),
        ("\n" * 12 + "The macro wants a brace.", ""),
    ],
)
def test_what_is_stated_first_is_the_cause(text: str, cause: str) -> None:
    assert diagnosis_in(text) == cause


def test_a_long_cause_stands_alone() -> None:
    first = "The macro wants a brace " + "and a brace " * 8 + "too."

    assert diagnosis_in(f"{first} It is old.") == first
