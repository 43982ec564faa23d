"""Rules in the texts behind slash commands and skills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.instructions import MAX_TEXTS, RULES_LIMIT, rules_in
from memcli.transcript.entries import Entry, MachineText
from tests.ledger.builders import agent, entry, folded, ran, user

BODY = "# Ship\n\nShip the shop.\n\n- Never push on a Friday evening\n- Look at the till\n- You must ask before a release\n"


def machine(text: str) -> Entry:
    return entry("user", MachineText(text))


def command(name: str) -> Entry:
    return machine(f"<command-name>{name}</command-name>")


def known(*entries: Entry) -> dict[str, list[str]]:
    return {name: one.rules for name, one in folded(*entries).state.instructions.known.items()}


def test_sentences_that_order_or_forbid_are_rules() -> None:
    assert rules_in(BODY) == ["Never push on a Friday evening", "You must ask before a release"]


def test_what_must_be_comes_before_what_may_be() -> None:
    """Where there is room for some only, the strict ones stay."""
    mild = "\n".join(f"- Prefer the small till number {n} over the large one" for n in range(20))

    assert "Never round prices in the cart" in rules_in(f"{mild}\n- Never round prices in the cart")


def test_rules_are_bounded() -> None:
    assert sum(map(len, rules_in("- You must never do the thing number one\n" * 50 + BODY * 90))) <= RULES_LIMIT


@pytest.mark.parametrize(
    "text", ["```\nnever run this code\n```", "<!-- never show this remark -->", "Use $ARGUMENTS always"]
)
def test_code_remarks_and_places_for_arguments_are_no_rules(text: str) -> None:
    assert rules_in(text) == []


def test_the_text_after_a_command_is_that_of_the_command() -> None:
    assert list(known(command("/ship"), machine(BODY))) == ["/ship"]


def test_a_text_without_a_command_before_it_gives_no_rules() -> None:
    assert known(machine(BODY)) == {}


def test_once_the_agent_spoke_the_text_of_a_command_comes_no_more() -> None:
    assert known(command("/ship"), agent("I ship it."), machine(BODY)) == {}


def test_a_reminder_is_not_the_text_of_a_command() -> None:
    reminder = "<system-reminder>You must never say this.</system-reminder>"

    assert known(command("/ship"), machine(reminder), machine(BODY)) == {"/ship": rules_in(BODY)}


def test_a_skill_names_itself() -> None:
    assert list(known(machine(f"Base directory for this skill: /home/dev/skills/till\n\n{BODY}"))) == ["till"]


def test_what_the_person_types_gives_no_rules() -> None:
    assert known(command("/ship"), user(BODY)) == {}


def test_the_oldest_texts_are_forgotten() -> None:
    names = [f"/ship-{n}" for n in range(MAX_TEXTS + 2)]

    assert list(known(*(one for name in names for one in (command(name), machine(BODY))))) == names[2:]


@pytest.mark.parametrize(
    "rule",
    [
        "Do not round early in the cart.",
        "The cart MUST be closed at night.",
        "Ask before you open the till.",
        "Keep the till closed at night.",
        "Every step gets committing rights only later, so never commit.",
    ],
)
def test_orders_and_bans_are_rules_in_their_own_words(rule: str) -> None:
    assert rules_in(f"It is about the till.\n\n{rule}\n") == [rule]


@pytest.mark.parametrize("text", ["Never.", "Example: never do this to the cart", "Output the never ending list of it"])
def test_what_says_nothing_or_speaks_of_itself_is_no_rule(text: str) -> None:
    assert rules_in(text) == []


def test_a_rule_said_twice_stands_once() -> None:
    assert rules_in("Never round in the cart.\n\n- Never round in the cart.\n") == ["Never round in the cart."]


@given(st.lists(st.sampled_from(["Never round in the cart.", "Ask before a release.", "It is a till."]), max_size=9))
def test_rules_stand_in_the_order_of_their_text(lines: list[str]) -> None:
    rules = rules_in("\n\n".join(lines))

    assert rules == [line for line in dict.fromkeys(lines) if not line.startswith("It")]


def test_a_command_told_again_stands_last_with_its_new_text() -> None:
    again = machine("Never push at night, whatever the cart says.")
    rules = known(command("/a"), machine(BODY), command("/b"), machine(BODY), command("/a"), again)

    assert list(rules) == ["/b", "/a"]
    assert rules["/a"] == ["Never push at night, whatever the cart says."]


def test_a_text_that_lost_its_rules_takes_the_old_ones_away() -> None:
    assert known(command("/a"), machine(BODY), command("/a"), machine("It is a till.")) == {}


def test_a_command_has_one_text() -> None:
    other = machine("Never push at night, whatever the cart says.")

    assert known(command("/a"), machine(BODY), other) == {"/a": rules_in(BODY)}


def test_a_call_ends_the_wait_for_the_text_of_a_command() -> None:
    assert known(command("/a"), *ran("ls"), machine(BODY)) == {}


def test_a_remark_before_the_text_is_part_of_it() -> None:
    assert known(command("/a"), machine(f"<!-- version 2 -->\n{BODY}")) == {"/a": rules_in(BODY)}


def test_what_a_tool_prints_gives_no_rules() -> None:
    printed = entry("tool", MachineText(BODY))

    assert known(command("/a"), printed) == {}


SKILL = machine(f"Base directory for this skill: /home/dev/skills/planner\n\n{BODY}")


def test_the_next_command_of_a_family_ends_the_rules_that_the_last_had_brought() -> None:
    planned = [command("/till"), machine(BODY), command("/shop:plan"), machine(BODY), *ran("ls"), SKILL]

    assert list(known(*planned)) == ["/till", "/shop:plan", "planner"]
    assert list(known(*planned, command("/shop:build"))) == ["/till"]
    assert list(known(*planned, command("/shop"))) == ["/till", "/shop:plan", "planner"]


def test_a_skill_that_no_command_brought_outlives_commands() -> None:
    assert list(known(command("/shop:plan"), user("plan it"), SKILL, command("/shop:build"))) == ["planner"]
