"""Rules in the texts behind slash commands and skills."""

from __future__ import annotations

import pytest

from memcli.ledger.instructions import MAX_TEXTS, RULES_LIMIT, rules_in
from memcli.transcript.entries import Entry, MachineText
from tests.ledger.builders import agent, entry, folded, user

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
