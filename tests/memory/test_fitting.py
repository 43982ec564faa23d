"""Facts and prose in one memory: prose never costs a fact, and the budget holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.memory import facts, sections
from memcli.memory.budget import Room, take_all
from memcli.memory.document import Block, Document, parse
from memcli.memory.fitting import MOST_OF_ROOM, _standing, fitted, rendered, shortened
from memcli.memory.jobs import Job
from memcli.memory.render import _chars, render
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, ERRORS, PINNED, USER_INTENT, Sections
from tests.ledger.builders import a_session, folded
from tests.memory.strategies import WRITABLE, a_block
from tests.memory.test_render import a_long_session

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger

OWN = Sections({f"{n} {'m' * 58}": "how it turns" for n in "abcdef"})
"""As many and as long as they may be."""

SHORT, LONG = folded(*a_session()), folded(*a_long_session())


def facts_held(ledger: Ledger, document: Document, budget: int, pinned: bool = False) -> set[str]:
    """The lines of facts that must stay, as a budget has them, which stand in a memory."""
    total = _chars(budget, pinned)
    lines = [
        line.text
        for section in sections.SECTIONS[1:]
        for group, share in facts.groups(section.name, ledger, int(total * section.share))
        for line in take_all(Room(100_000, 10_000), group, share)
    ]
    return {line for line in lines if line in document.to_markdown("")}


def some_prose(size: int) -> dict[str, str]:
    text = "\n".join(f"- item {n} of this block says something about the shop" for n in range(size))
    return dict.fromkeys(WRITABLE, text)


@pytest.mark.parametrize("budget", [2_000, 4_000, 8_000])
@pytest.mark.parametrize("ledger", [SHORT, LONG], ids=["short", "long"])
def test_no_fact_gives_way_to_prose(ledger: Ledger, budget: int) -> None:
    bare, full = render(ledger, budget), fitted(ledger, budget, (), "", some_prose(200))

    assert facts_held(ledger, bare, budget) <= facts_held(ledger, full, budget) != set()


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.sampled_from([*WRITABLE, "Files", "Other"]),
        a_block() | st.text(max_size=9).map(lambda text: text * 900),
        max_size=5,
    ),
    st.sampled_from([(SHORT, 2_000), (SHORT, 4_000), (LONG, 2_000), (LONG, 700)]),
    st.booleans(),
)
def test_any_prose_keeps_budget_and_facts_and_can_be_parsed(
    prose: dict[str, str], case: tuple[Ledger, int], pinned: bool
) -> None:
    ledger, budget = case
    pins = ("never round before the tax",) if pinned else ()
    document = fitted(ledger, budget, pins, "", prose)
    state = "x" * sections.current_state_limit(budget)
    text = document.to_markdown(state)

    assert len(text) <= budget * sections.CHARS_PER_TOKEN
    bare = render(ledger, budget, pins)
    assert facts_held(ledger, bare, budget, pinned) <= facts_held(ledger, document, budget, pinned)
    assert parse(text) == msgspec.structs.replace(document, current_state=state)
    assert not {block.name for block in document.blocks if block.prose} - set(WRITABLE)


@settings(max_examples=25)
@given(
    st.dictionaries(st.sampled_from(OWN.writable), a_block() | st.text(max_size=9).map(lambda text: text * 900)),
    st.sampled_from([(SHORT, 2_000), (LONG, 2_000), (LONG, 4_000)]),
    st.booleans(),
)
def test_with_sections_of_the_users_own_the_budget_and_the_facts_are_kept_too(
    prose: dict[str, str], case: tuple[Ledger, int], pinned: bool
) -> None:
    ledger, budget = case
    pins = ("never round before the tax",) if pinned else ()
    document = fitted(ledger, budget, pins, "", prose, OWN)
    text = document.to_markdown("x" * sections.current_state_limit(budget))
    bare = render(ledger, budget, pins, sections=OWN)

    assert len(text) <= budget * sections.CHARS_PER_TOKEN
    assert [block.name for block in document.blocks] == [*OWN.names[1:], *([PINNED] if pinned else [])]
    assert facts_held(ledger, bare, budget, pinned) <= facts_held(ledger, document, budget, pinned)
    assert parse(text, OWN.names).blocks == document.blocks


def test_a_section_of_the_users_own_has_its_room_however_much_is_written_elsewhere() -> None:
    flood = "\n".join(f"- item {n} of this block says something about the shop" for n in range(200))
    document = fitted(LONG, 4_000, (), "", dict.fromkeys(OWN.writable, flood), OWN)

    assert all(document.block(section.name).prose for section in OWN.own)


def test_prose_that_fits_is_not_touched() -> None:
    prose = {USER_INTENT: "Prices with  tax.\n\n\n- a  b", COMPLETED: "- done\n"}
    document = fitted(SHORT, 4_000, (), "", prose)

    assert {block.name: block.prose for block in document.blocks if block.prose} == {
        USER_INTENT: "Prices with  tax.\n\n\n- a  b",
        COMPLETED: "- done",
    }


def test_without_prose_it_is_the_bare_memory() -> None:
    assert fitted(LONG, 4_000, (), "", {}) == render(LONG, 4_000)


def test_a_block_loses_its_older_items_but_not_its_first() -> None:
    kept = shortened({ACTIVE_WORK: "\n".join(f"- item {n} of this block" for n in range(30))}, 200)[ACTIVE_WORK].split(
        "\n"
    )

    assert kept[0] == "- item 0 of this block"
    assert kept[-1] == "- item 29 of this block"
    assert len(kept) == 200 // 25 - 1


def test_errors_keep_more_than_completed_work() -> None:
    text = "\n".join(f"- item {n} of this block" for n in range(30))
    kept = shortened({ERRORS: text, COMPLETED: text}, 900)

    assert len(kept[ERRORS]) > len(kept[COMPLETED]) > 0


@given(st.dictionaries(st.sampled_from(WRITABLE), a_block()), st.integers(-10, 600))
def test_what_was_shortened_once_fits(prose: dict[str, str], room: int) -> None:
    once = shortened(prose, room)

    assert shortened(once, room) == once
    assert sum(len(block) for block in once.values()) <= max(0, room)


def test_no_section_has_more_than_its_words_with_prose() -> None:
    document = fitted(LONG, 4_000, (), "", some_prose(100))

    assert any(block.prose for block in document.blocks)
    assert all(len(f"{block.ledger} {block.prose}".split()) <= 500 for block in document.blocks)


def test_a_job_names_the_sections_of_the_users_own_and_they_stand_empty_without_prose() -> None:
    blocks = rendered(Job("1", 4_000, LONG.snapshot(), sections={"Mill": "how it turns"})).blocks

    assert list(blocks) == [*sections.NAMES[1:], "Mill"]
    assert blocks["Mill"] == ""


def test_a_job_without_a_model_is_answered_with_fresh_facts_and_the_prose_that_stands() -> None:
    job = Job("1", 4_000, LONG.snapshot(), ("a pin",), prose={ACTIVE_WORK: "- a"})
    result = rendered(job)

    assert result.prose == {ACTIVE_WORK: "- a"}
    assert result.blocks == {block.name: block.ledger for block in fitted(LONG, 4_000, job.pins, "", job.prose).blocks}
    assert rendered(job, {COMPLETED: "- b"}).prose == {COMPLETED: "- b"}


@given(st.dictionaries(st.sampled_from(WRITABLE), a_block()), st.integers(0, 1_500))
def test_prose_pays_for_all_it_takes_and_leaves_room_for_other_lines(prose: dict[str, str], chars: int) -> None:
    room = Room(chars, 500)
    standing = _standing(prose, room, 100_000)
    whole, bare = (Document(tuple(Block(n, "- x", p.get(n, "")) for n in WRITABLE)) for p in (standing, {}))

    assert chars - room.chars == len(whole.to_markdown("")) - len(bare.to_markdown(""))
    assert room.chars >= int(chars * (1 - MOST_OF_ROOM))
