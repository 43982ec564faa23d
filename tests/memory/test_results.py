"""What came of each turn, under the request that it answers."""

from __future__ import annotations

from memcli.memory import sections
from memcli.transcript.entries import Entry, MachineText, TurnEnd
from tests.ledger.builders import agent, entry, ran, stopped, user
from tests.memory.test_render import text

LAST = (user("what is next?"), agent("The invoices are next, as the list of the shop says."))


def completed(*entries: Entry | list[Entry]) -> str:
    return text(sections.COMPLETED, *entries, *LAST)


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
