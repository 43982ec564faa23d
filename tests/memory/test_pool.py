"""The lines that compete for what the facts leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.memory import labels
from memcli.memory.pool import lines
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, FILES, REFERENCES
from tests.ledger.builders import agent, done, edited, folded, place, ran, user, wrote

if TYPE_CHECKING:
    from memcli.memory.budget import Line
    from memcli.transcript.entries import Entry

ROOT = "/home/dev/shop"
FOUND = "The till counts every item of the cart twice over."


def pool(*entries: Entry | list[Entry]) -> list[Line]:
    return lines(folded(place(ROOT), *entries), [], {})


def of(group: str, *entries: Entry | list[Entry]) -> list[str]:
    return [line.text for line in pool(*entries) if line.group == group]


def where(words: str, *entries: Entry | list[Entry]) -> tuple[str, str]:
    (line,) = [line for line in pool(*entries) if words in line.text]
    return line.section, line.text


def test_a_step_of_the_running_turn_is_active_work_and_of_an_earlier_one_a_finding() -> None:
    assert where(FOUND, user("go"), agent(FOUND), ran("true")) == (ACTIVE_WORK, f"- {FOUND}")
    assert where("till counts", user("go"), agent(FOUND), agent("Now the bill is next."), user("on"))[0] == REFERENCES


def test_a_result_and_a_reason_are_completed_work_and_a_reason_on_the_way_says_so() -> None:
    reason = "The till is wrong because it counts every item twice."

    assert where("till counts", user("go"), agent(FOUND), user("on"))[0] == COMPLETED
    assert where("till is wrong", user("go"), agent(reason), agent(FOUND)) == (COMPLETED, f"- found: {reason}")


def test_a_result_is_worth_more_than_a_step_and_a_newer_one_more_than_an_older() -> None:
    step, result = "The bill lists every item of the cart once more.", FOUND
    worth = {line.text: line.worth for line in pool(user("go"), agent(step), agent(result), user("on"), agent(step))}

    assert worth[f"- {result}"] > worth[f"- {step}"]


def test_a_question_is_no_line_of_results() -> None:
    assert not list(pool(user("go"), agent("Shall the till count every item twice?"), user("on")))


def test_a_command_without_a_purpose_is_told_as_run_and_a_search_as_looked_for() -> None:
    assert of(labels.COMMANDS, user("go"), ran("make all"), done("Grep", {"pattern": "total"})) == [
        "- ran: `make all` worked",
        "- looked for: `total` worked",
    ]


def test_a_command_that_failed_says_so_and_stands_as_typed_in_the_project() -> None:
    failed = ran(f"cd {ROOT} && make {ROOT}/a", "error: it broke at once", failed=True, why="Build the shop")

    assert of(labels.COMMANDS, user("go"), failed) == ["- Build the shop: `make …/a` failed"]


@pytest.mark.parametrize(("command", "kept"), [("make all", True), ("grep -n total src", False)])
def test_of_earlier_turns_commands_are_kept_and_bare_look_ups_are_not(command: str, kept: bool) -> None:
    assert bool(of(labels.COMMANDS, user("go"), ran(command), user("on"))) is kept


def test_a_command_run_often_is_worth_more_up_to_a_bound() -> None:
    def worth(times: int) -> float:
        (line,) = [line for line in pool(user("go"), *[ran("make all")] * times) if line.group == labels.COMMANDS]
        return line.worth

    assert worth(1) < worth(3) < worth(5) == worth(9)


def test_a_file_that_was_read_says_for_what_and_what_it_holds() -> None:
    read = done("Read", {"file_path": f"{ROOT}/src/cart.py"}, "def total_price(cart): ...")

    assert of(labels.READ, user("go"), agent("Let me read how the cart adds up:"), read) == [
        "- read src/cart.py for: Let me read how the cart adds up; holds total_price"
    ]
    assert of(labels.READ, user("go"), read, edited(f"{ROOT}/src/cart.py")) == []


def test_the_names_and_remarks_of_a_deleted_file_are_not_told() -> None:
    text = "# The rate of the tax is a share of the price\ntax_rate = 1"
    gone = [wrote(f"{ROOT}/tax.py", text), ran(f"rm {ROOT}/tax.py")]

    assert of(labels.CHANGES, user("go"), gone[0]) == ["- in tax.py: The rate of the tax is a share of the price"]
    assert of(labels.CHANGES, user("go"), *gone) == []


def test_files_of_one_name_are_told_apart_by_their_path() -> None:
    text = "# The rate of the tax is a share of the price\n"
    said = of(labels.CHANGES, user("go"), wrote(f"{ROOT}/a/tax.py", text), wrote(f"{ROOT}/b/tax.py", text))

    assert [line.split(":")[0] for line in said] == ["- in a/tax.py", "- in b/tax.py"]


def test_what_a_subagent_was_asked_and_answered_is_told_short_once_its_turn_is_over() -> None:
    report = "\n".join(f"The total_{letter} of the cart is rounded too early." for letter in "abcdefghijkl")
    asked = done("Task", {"prompt": "Look at how the cart adds up all of it.", "description": "Look"}, report)

    assert len(of(labels.SUBAGENTS, user("go"), asked)) == 13
    assert len(of(labels.SUBAGENTS, user("go"), asked, user("on"))) == 8
    assert of(labels.SUBAGENTS, user("go"), asked)[1].startswith('- answer to Look, tool output: "The total_a')


def test_the_middle_of_a_long_request_is_told_sentence_by_sentence() -> None:
    long = "Add the tax. " + "The cart must add up all of its items before the tax. " * 12 + "Thanks."
    asked = of(labels.MORE_ASKED, user(long))

    assert asked[0] == '- [t1] user: "The cart must add up all of its items before the tax."'
    assert len(asked) == 12
    assert of(labels.MORE_ASKED, user(long[:400])) == []


def test_names_that_no_line_shows_are_packed_a_dozen_a_line_and_few_lines_a_file() -> None:
    names = " = ".join(f"name_{letter}{other}" for letter in "abcdefgh" for other in "abcdefgh")
    left = of(labels.NAMES_LEFT, user("go"), wrote(f"{ROOT}/tax.py", names))

    assert all(line.startswith("- tax.py holds name_") and line.count("name_") <= 12 for line in left)
    assert 1 < len(left) <= 4


def test_a_name_that_stands_already_is_not_told_again() -> None:
    ledger = folded(place(ROOT), user("go"), wrote(f"{ROOT}/tax.py", "tax_rate = sum_total"))
    (taken,) = [line for line in lines(ledger, [], {}) if line.group == labels.NAMES_LEFT]

    assert "tax_rate" in taken.text
    assert not [line for line in lines(ledger, [taken], {}) if line.group == labels.NAMES_LEFT]


def test_the_weightier_name_comes_first() -> None:
    ledger = folded(place(ROOT), user("go"), wrote(f"{ROOT}/tax.py", "tax_rate = sum_total"))
    (line,) = [
        line for line in lines(ledger, [], {"sum_total": 2.0, "tax_rate": 1.0}) if line.group == labels.NAMES_LEFT
    ]

    assert line.text == "- tax.py holds sum_total, tax_rate"


def test_every_line_belongs_to_a_section_and_begins_as_an_item_or_goes_on_one() -> None:
    session = [
        user("go"),
        agent(FOUND),
        wrote(f"{ROOT}/tax.py", "# The rate is a share of it all\nx_y = 1"),
        ran("make"),
    ]

    assert {line.section for line in pool(*session)} <= {ACTIVE_WORK, COMPLETED, FILES, REFERENCES}
    assert all(line.extends or line.text.startswith("- ") for line in pool(*session))


def test_of_a_finding_only_what_it_states_is_told() -> None:
    found = "The till of the shop rounds each total twice. Let me look at the bill. The bill of the shop adds the tax."
    entries = [
        user("go"),
        agent(f"Good. {found}"),
        agent("Good, the bill is here. Let me look at the till."),
        agent("Ok."),
    ]

    assert of(labels.FINDINGS, *entries, user("on")) == [
        "- Good. The till of the shop rounds each total twice. […] The bill of the shop adds the tax."
    ]
