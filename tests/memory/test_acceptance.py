"""When an answer is refused as a whole."""

from __future__ import annotations

import pytest

from memcli.memory.acceptance import refusal
from memcli.memory.jobs import ProseEdit
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, FILES, Sections
from memcli.memory.seen import Seen

SEEN = Seen(
    user=["Please add the tax to total_price in src/cart.py and src/till.py"],
    assistant=["I changed round_half_up in src/rounding.py for the shop"],
)


def refused(*texts: str, seen: Seen = SEEN, budget: int = 4_000, op: str = "append") -> str:
    edits = [ProseEdit(ACTIVE_WORK, op, text) for text in texts]  # type: ignore[arg-type]
    return refusal({}, edits, edits, seen, budget, Sections())


def test_an_honest_answer_is_looked_at() -> None:
    assert refused("The tax was added to total_price in src/cart.py.") == ""


def test_dropping_an_item_is_an_answer_without_text() -> None:
    assert refused("", op="drop") == ""
    assert refused("", op="replace") == "the edits hold no text"


def test_no_edit_is_true_where_prose_stands_and_a_lack_where_none_does() -> None:
    assert refusal({ACTIVE_WORK: "- a"}, [], [], SEEN, 4_000, Sections()) == ""
    assert "no edit" in refusal({ACTIVE_WORK: ""}, [], [], SEEN, 4_000, Sections())


def test_the_sections_that_may_be_written_are_named() -> None:
    edit = ProseEdit(FILES, "append", "x")

    assert COMPLETED in refusal({}, [edit], [], SEEN, 4_000, Sections())
    assert "Mill" in refusal({}, [edit], [], SEEN, 4_000, Sections({"Mill": "how it turns"}))


def test_all_edits_together_may_be_as_long_as_the_memory() -> None:
    text = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(300))

    assert refused(text[:2_000], budget=500) == ""
    assert "2001 characters" in refused(text[:2_001], budget=500)
    assert "characters" in refused(text[:1_000], text[:1_000], budget=500)


def test_quotes_are_counted() -> None:
    assert "300 quotes" in refused('"a" ' * 301)


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("I cannot help with that.", True),
        ("Sorry, no.", True),
        ("As an AI I may not.", True),
        ("The agent said: I cannot help with that.", False),
        ("I apologise for it", True),
    ],
)
def test_a_refusal_is_known_by_its_beginning(text: str, refuses: bool) -> None:
    assert ("refuses" in refused("The tax was added.", text)) is refuses


@pytest.mark.parametrize(
    "text", ['{"type": "tool_use", "name": "x"}', "<function_calls>", "[TOOL_CALLS]", "<|tool|>", "to=functions.run"]
)
def test_a_tool_call_is_no_answer(text: str) -> None:
    assert "calls a tool" in refused(text)


@pytest.mark.parametrize(
    ("text", "closed"), [("```\na\n```", True), ("```\na\n~~~\n```", True), ("~~~\na\n```", False), ("a ``` b", True)]
)
def test_a_fence_is_closed_by_its_own_kind(text: str, closed: bool) -> None:
    assert ("not closed" in refused(text)) is not closed


def test_a_fence_must_be_closed_within_its_edit() -> None:
    assert "not closed" in refused("```\na", "b\n```")


def test_a_language_that_somebody_used_is_no_drift() -> None:
    german = "Die Steuer ist mit dabei und das ist nicht für die Kasse, die auf der Seite eine und die andere ist."

    assert "German" in refused(german)
    assert refused(german, seen=Seen(user=[german])) == ""
    assert refused(german, seen=Seen(shown=[german])) == ""
    assert "German" in refused(german, seen=Seen(user=[SEEN.user.raw], tool=[german]))


def test_letters_that_somebody_used_are_no_drift() -> None:
    greek = "Ο φόρος προστέθηκε στο σύνολο"

    assert "Greek" in refused(greek)
    assert refused(greek, seen=Seen(user=["πρόσθεσε τον φόρο στο σύνολο του καλαθιού"])) == ""


def test_where_nobody_said_anything_no_letters_are_foreign() -> None:
    assert refused("Ο φόρος προστέθηκε", seen=Seen()) == ""


def test_a_loop_is_one_within_a_section() -> None:
    text = "the cart holds twelve items of the shop and the till counts them all once more in the evening "
    edits = [ProseEdit(name, "append", text) for name in (ACTIVE_WORK, COMPLETED) for _ in range(2)]

    assert refusal({}, edits[:1] + edits[2:3], edits[:1] + edits[2:3], SEEN, 4_000, Sections()) == ""
    assert refused(*[text] * 4) == "the answer repeats itself"


def test_short_repetition_tells_nothing() -> None:
    assert refused("the cart is small again and " * 8) == ""


@pytest.mark.parametrize(
    ("names", "grounded"),
    [
        ("total_price src/cart.py src/till.py round_half_up src/rounding.py", True),
        ("total_price src/cart.py src/till.py round_half_up made_up", True),
        ("total_price src/cart.py src/till.py made_up made_too", False),
        ("made_up made_too made_three made_four", True),
    ],
)
def test_four_of_five_names_must_have_been_shown(names: str, grounded: bool) -> None:
    assert ("stand nowhere" not in refused(names)) is grounded
