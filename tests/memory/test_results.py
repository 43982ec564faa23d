"""What came of each turn, under the request that it answers."""

from __future__ import annotations

import pytest

from memcli.memory import labels, sections
from memcli.memory.results import TurnLabels, asks, closings
from memcli.transcript.entries import Entry, MachineText, TurnEnd
from tests.ledger.builders import agent, entry, folded, ran, stopped, user
from tests.memory.test_render import text

LAST = (user("what is next?"), agent("The invoices are next, as the list of the shop says."))


def completed(*entries: Entry | list[Entry]) -> str:
    return text(sections.COMPLETED, *entries, *LAST)


def ran_command(name: str) -> Entry:
    return entry("user", MachineText(f"<command-name>{name}</command-name>"))


def ended() -> Entry:
    return entry("", TurnEnd())


def test_a_result_stands_under_the_request_of_its_turn() -> None:
    shown = completed(user("round the prices"), agent("Prices of the cart are rounded by round_half_up now."))

    assert 't1, user: "round the prices":\n- Prices of the cart are rounded by round_half_up now.' in shown


def test_turns_stand_in_order() -> None:
    shown = completed(
        user("round the prices"),
        agent("Prices of the cart are rounded now."),
        user("revert that"),
        agent("Prices of the cart are exact again."),
    )

    assert shown.index("t1, user") < shown.index("are rounded") < shown.index("t2, user") < shown.index("exact again")


def test_a_turn_that_a_command_began_is_named_after_it() -> None:
    began = entry("user", MachineText("<command-name>/ship</command-name>"))

    assert "t1, the user ran `/ship`:\n- Version four of the shop is released." in completed(
        began, agent("Version four of the shop is released.")
    )


def test_the_words_that_ended_a_turn_are_not_those_of_the_command_after_it() -> None:
    ends = agent("The tax of the checkout is added and stands in commit 11b303d.")
    review = agent("The review found three contradictions in the parser of the cart.")
    shown = completed(user("add the tax"), ends, ran_command("/review"), review, user("mend all of them"))

    assert "t2, the user ran `/review`:\n- The review found" in shown
    assert 't1, user: "add the tax":\n- The tax of the checkout' in shown


def test_a_question_is_no_result() -> None:
    shown = completed(user("look at the cart"), agent("Shall I round the prices of the cart as well?"))

    assert "Shall I round" not in shown


def test_an_offer_is_no_result() -> None:
    shown = completed(user("look"), agent("The cart holds all prices. Let me know if the till should hold them too."))

    assert "Let me know" not in shown


def test_a_step_before_a_notice_of_the_machine_is_no_result() -> None:
    shown = completed(
        user("build the images"),
        agent("Both images of the shop are building in the cloud."),
        ended(),
        agent("All images of the shop were built and scanned."),
        ended(),
    )

    assert "were built and scanned" in shown
    assert "are building" not in shown


def test_a_report_stays_a_result_though_work_went_on() -> None:
    report = "All images are built:\n\n" + "\n\n".join(
        f"Image number {n} of the shop is scanned and safe." for n in "abcd"
    )
    shown = completed(
        user("build the images"), agent(report), ended(), agent("The old monitor is stopped as well."), ended()
    )

    assert "Image number" in shown


def test_what_was_awaited_is_forgotten_once_there_is_a_result() -> None:
    awaited = "The root cause is clear; still waiting for the android scan because of the queue."
    shown = completed(user("scan"), agent(awaited), *ran("make scan"), agent("The android scan of the shop passed."))

    assert "waiting for the android scan" not in shown


def test_what_was_said_when_the_user_stopped_the_work_is_no_result() -> None:
    shown = completed(user("round the prices"), agent("Prices of the cart are rounded by the till now."), stopped())

    assert "rounded by the till" not in shown


def test_a_finding_on_the_way_is_told_from_a_result() -> None:
    shown = completed(
        user("why are prices wrong?"),
        agent("The root cause is that round_half_up is called twice by the till."),
        *ran("make"),
        agent("Prices of the till are right again."),
    )

    assert "- found: The root cause is that round_half_up is called twice" in shown


def test_what_came_of_a_turn_is_told_before_its_other_notes() -> None:
    """Every turn gets one line before any turn gets two."""
    long = "\n\n".join(
        f"Remark {n} on the prices of the cart: " + "they are rounded by the till " * 6 for n in range(30)
    )
    entries = [
        one for n in range(6) for one in (user(f"request {n}"), agent(f"Part {n} of the shop is released.\n\n{long}"))
    ]
    shown = text(sections.COMPLETED, *entries, *LAST)

    assert all(f"- Part {n} of the shop is released." in shown for n in range(6))


REPORT = "The cart has been moved to its own module, prices too.\n\n**Remaining:**\n"
REPORT += "- Move the checkout over to the module, with all that the form asks of the cart\n- Delete the docs of the old cart, too"


def test_what_remains_is_pending_and_no_result() -> None:
    entries = [user("move the shop"), agent(REPORT), user("fine, first a look at it"), *ran("ls")]

    assert "Move the checkout over" not in text(sections.COMPLETED, *entries)
    assert '- [t1] agent: "Delete the docs of the old cart, too"' in text(sections.PENDING, *entries)


def test_what_was_named_as_next_long_ago_is_forgotten() -> None:
    later = [one for n in range(9) for one in (user(f"now number {n}"), agent("That is done, with its tests."))]

    assert "checkout" not in text(sections.PENDING, user("move the shop"), agent(REPORT), *later)


def test_a_request_that_is_an_address_stands_above_its_results() -> None:
    address = "https://shop.example/issues/532/of-the-cart-that-was-lost-in-the-checkout"
    entries = [user(f"{address} please"), agent("The cart is lost because its cookie ends too early."), user("ok")]
    entries.append(agent("Then I mend the cookie of the shop."))

    assert f't1, user: "{address} […]":' in text(sections.COMPLETED, *entries)


def test_before_any_request_results_stand_under_no_turn() -> None:
    ledger = folded(agent("The cart adds up all of its items now."), user("go"), agent("The till adds up all, too."))
    turns = TurnLabels(ledger)

    assert [turns.at(note.index) for note in ledger.state.narrative.notes] == [labels.RESULTS, 't1, user: "go":']


def test_a_request_that_was_forgotten_still_numbers_its_turn() -> None:
    ledger = folded(user("go"), agent("The cart adds up all of its items now."))
    ledger.state.requests.said.clear()

    assert TurnLabels(ledger).at(1) == "t1, a request no longer known:"


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("Shall I round the total of the cart", True),
        ("Does the cart add up?", True),
        ("Let me know when the cart is full", True),
        ("If you'd like, I can round it", True),
        ("Ready for the next cart", True),
        ("The cart is ready", False),
        ("The user asked why; it adds up", False),
    ],
)
def test_questions_and_offers_are_known_by_their_words(words: str, offers: bool) -> None:
    assert asks(words) is offers


def closing(*texts: str) -> list[str]:
    said = [user("go"), agent("\n\n".join(texts)), user("on"), agent("The list is next, as it says.")]
    return [line.text for line in closings(folded(*said)) if line.text]


def test_the_first_note_that_says_enough_stands_for_its_turn() -> None:
    short, long = "All of it is done there.", "The rounding of prices happens after adding the shop tax."

    assert closing(short, long) == [f"- {long}"]
    assert closing("That rounding of prices happens after adding the shop tax.", long) == [f"- {long}"]
    assert closing(short) == []


def test_where_no_note_says_much_one_that_says_something_will_do() -> None:
    assert closing("The cart rounds prices.") == ["- The cart rounds prices."]


def test_what_only_leads_to_the_answer_is_left_out() -> None:
    answer = "The rounding of prices happens after adding the shop tax."

    assert closing("Let me be precise about the rounding of all those prices.", answer) == [f"- {answer}"]
    assert closing(f"You were right to push back. {answer}") == [f"- {answer}"]
    assert closing("Yes. Let me say how, since it was told wrong earlier.", answer) == [f"- Yes. […] {answer}"]
    assert closing("No test of the shop rounds any prices.") == ["- No test of the shop rounds any prices."]


def test_the_newest_turn_is_served_first_and_the_last_text_is_left_to_active_work() -> None:
    turns = [
        (user(f"turn {name}"), agent(f"The {name} rounds prices of the shop.")) for name in ("cart", "till", "bill")
    ]
    lines = closings(folded(*(one for turn in turns for one in turn)))

    assert [line.text for line in lines] == [
        "",
        "- The till rounds prices of the shop.",
        "- The cart rounds prices of the shop.",
    ]
    assert closings(folded(user("go"))) == []
