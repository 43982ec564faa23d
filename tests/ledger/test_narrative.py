from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger import narrative
from memcli.ledger.narrative import Narrative, passing
from memcli.transcript.entries import MachineText, TurnEnd
from tests.ledger.builders import agent, entry, folded, stopped, user

STEP = "The cart is read by the till as well."
REPORT = "\n".join(f"- The {part} of the shop adds the tax now." for part in ("cart", "till", "list", "bill"))
END = entry("", TurnEnd())


def finals(*texts: str | None) -> list[int]:
    """The numbers of the texts that are results; None ends a stretch of work."""
    told = Narrative()
    for index, text in enumerate(texts):
        if text is None:
            told.turned()
        else:
            told.said(text, index)
    return told.finals


def test_a_text_behind_which_the_work_went_on_was_a_step() -> None:
    assert finals(STEP, None) == [1]
    assert finals(STEP, None, STEP) == []


def test_a_report_is_a_result_even_if_the_work_went_on() -> None:
    assert finals(REPORT, None, STEP) == [1]


def test_of_several_ends_of_one_turn_the_last_counts_and_longer_reports() -> None:
    assert finals(STEP, None, REPORT, None) == [2]
    assert finals(REPORT, None, STEP, None) == [1, 2]


def test_the_result_of_an_earlier_turn_is_left_alone() -> None:
    told = folded(user("go"), agent(STEP), user("on"), agent(STEP), END, agent(STEP)).state.narrative

    assert told.finals == [1]


def test_an_end_without_a_text_has_no_result() -> None:
    assert finals(None, None) == []
    assert finals(STEP, None, None) == [1]


def test_what_was_said_before_an_interruption_is_no_result() -> None:
    assert folded(user("go"), agent(STEP), stopped(), user("not so")).state.narrative.finals == []


def test_a_final_text_is_a_result_at_once() -> None:
    told = Narrative()
    told.said(STEP, 1, final=True)

    assert told.finals == [1]


def ahead(*texts: str) -> list[str]:
    return [note.words for note in folded(*map(agent, texts)).state.narrative.ahead]


def test_what_the_newest_such_list_names_is_ahead() -> None:
    texts = "Remaining:\n- round the total of the cart\n", "Next steps:\n- test the till once more\n"

    assert ahead(*texts) == ["Next steps: test the till once more"]


def test_a_text_without_such_a_list_leaves_the_older_one_standing() -> None:
    assert ahead("Remaining:\n- sign the bill of the cart\n", STEP) == ["Remaining: sign the bill of the cart"]
    assert ahead(STEP) == []


def test_short_items_count_only_where_they_are_ahead() -> None:
    assert ahead("Remaining:\n- sign it\n- send it\n") == ["Remaining: sign it; send it"]
    assert folded(agent("- sign it\n- send it\n")).state.narrative.notes == []


def expired(text: str, *later: str | None) -> bool:
    told = Narrative()
    told.said(text, 0)
    for other in later:
        told.turned() if other is None else told.said(other, 0)
    return told.expired(told.notes[0])


@pytest.mark.parametrize("words", ["The tests are still running over there.", "I'm waiting for the build of the shop."])
def test_what_was_under_way_holds_for_two_more_texts_or_until_a_result(words: str) -> None:
    assert not expired(words, STEP, STEP)
    assert expired(words, STEP, STEP, STEP)
    assert expired(words, STEP, None)


def test_an_intention_holds_until_a_result_whatever_is_said() -> None:
    assert not expired("I'll round the total of the cart.", *[STEP] * 9)
    assert expired("I'll round the total of the cart.", STEP, None)


def test_a_decision_and_a_finding_hold_on() -> None:
    assert not expired("I'll round last because floats lie here.", STEP, None)
    assert not expired(STEP, STEP, None)


@pytest.mark.parametrize(
    ("words", "only_now"),
    [
        ("Two jobs are pending", True),
        ("Next, the till", True),
        ("So far it works", True),
        ("Next steps: sign it", True),
        ("The next step of the stair is broken", False),
        ("The waiter rounds", False),
    ],
)
def test_words_of_the_moment(words: str, only_now: bool) -> None:
    assert passing(words) is only_now


def test_a_plan_counts_as_a_text_of_its_own() -> None:
    told = Narrative()
    told.said(STEP, 1)
    told.planned(["Add the tax to the total", "sign"], 2)

    assert [(note.words, note.text, note.plan) for note in told.notes] == [
        (STEP, 1, False),
        ("Add the tax to the total", 2, True),
    ]


def test_beyond_the_cap_results_stay_before_other_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrative, "MAX_NOTES", 4)
    told = Narrative()
    told.said("The cart adds up to the total.", 0, final=True)
    told.asked()
    for name in "abcd":
        told.said(f"Now reading the file called {name} too.", 1)

    assert [note.text for note in told.notes] == [1, 3, 4, 5]


def test_beyond_the_cap_where_all_matter_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrative, "MAX_NOTES", 2)
    told = Narrative()
    for name in ("cart", "till", "bill"):
        told.said(f"The {name} must never be rounded early.", 0)

    assert [note.text for note in told.notes] == [2, 3]


def test_the_words_of_a_reason_must_stand_alone() -> None:
    notes = folded(
        agent("The musty cellar of the shop is dry.\n\nThe cart must stay in the shop.")
    ).state.narrative.notes

    assert [note.reason for note in notes] == [False, True]


@given(st.lists(st.sampled_from([STEP, REPORT, None, "ok"]), max_size=12))
def test_results_are_texts_in_their_order_each_once(texts: list[str | None]) -> None:
    found = finals(*texts)

    assert found == sorted(set(found))
    assert all(1 <= number <= sum(text is not None for text in texts) for number in found)


def test_a_notice_of_the_machine_is_no_word_of_the_agent() -> None:
    assert folded(entry("user", MachineText(STEP))).state.narrative.texts == 0


def test_a_single_line_of_what_is_next_does_not_replace_the_list_before_it() -> None:
    items = [
        f"- the docs of the {name} tell nothing of the tax that is added to its total" for name in ("cart", "till")
    ]
    listed, again = (agent("\n".join([lead, *items])) for lead in ("Remaining:", "Next steps:"))
    line = agent("Next: the price of the mill")

    assert len(folded(listed, line).state.narrative.ahead) == 3
    assert len(folded(listed, line, again).state.narrative.ahead) == 2
