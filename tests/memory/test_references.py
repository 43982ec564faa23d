"""Code of the user and rules of commands among the references."""

from __future__ import annotations

import pytest

from memcli.memory import sections
from memcli.memory.document import parse
from memcli.memory.quoting import fenced
from memcli.transcript.entries import MachineText
from tests.ledger.builders import agent, entry, place, user
from tests.memory.test_render import memory, text

CODE = "def total(cart):\n    return sum(cart)"


def references(*prompts: str) -> str:
    return text(sections.REFERENCES, *map(user, prompts))


def test_code_of_the_user_stands_verbatim_between_fences() -> None:
    assert f"Code the user gave, verbatim:\n- [t1] \n```py\n{CODE}\n```" in references(
        f"use this:\n```py\n{CODE}\n```\n"
    )


def test_the_same_code_stands_once() -> None:
    assert references(*[f"use this:\n```\n{CODE}\n```\n"] * 2).count("def total") == 1


def test_a_name_between_fences_is_no_code() -> None:
    assert "```" not in references("run\n```\nmake all\n```\n")


def test_a_long_paste_is_no_code() -> None:
    assert "```" not in references("see\n```\n" + "a line of the log\n" * 200 + "```\n")


def test_code_cannot_close_its_fence() -> None:
    assert fenced("a\n```\nb") == "````\na\n```\nb\n````"


def test_a_heading_in_code_opens_no_section() -> None:
    document = memory(user("use this:\n~~~\nx = 1\n## Files\n~~~\n"))

    assert parse(document.to_markdown("")) == document


def test_rules_of_a_command_are_quoted_and_said_to_be_its_own() -> None:
    body = "Ship the shop.\n\n- Never push on a Friday evening\n"
    note = "<command-name>/ship</command-name>"
    shown = text(
        sections.REFERENCES,
        user("are we done?"),
        agent("Yes, the shop can be shipped."),
        entry("user", MachineText(note)),
        entry("user", MachineText(body)),
        agent("I ship the shop."),
    )

    assert 'not typed by the user):\n- [t2] `/ship`: "Never push on a Friday evening"' in shown


def test_words_given_with_a_command_stand_with_it() -> None:
    heard = entry("user", user("the tests", "command").parts[0], MachineText("<command-name>/review</command-name>"))

    assert '- [t1] `/review` "the tests"' in text(sections.USER_INTENT, heard)


@pytest.mark.parametrize(("branch", "told"), [("topic/cart", True), ("", False), ("HEAD", False)])
def test_a_branch_is_told_if_the_work_is_on_one(branch: str, told: bool) -> None:
    assert ("works on branch" in text(sections.REFERENCES, place(branch=branch), user("go"))) is told
