"""What the user writes into the Markdown stands in the next memory, and what is struck out stays out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.ledger.ledger import Ledger
from memcli.memory import edits as room
from memcli.memory.current_state import current_state
from memcli.memory.document import Block, Document, parse
from memcli.memory.edits import LABEL, Edits, budget_left, from_record, taken_in, to_record, unstruck, with_edits
from memcli.memory.render import render
from memcli.memory.sections import (
    CHARS_PER_TOKEN,
    CURRENT_STATE_SHARE,
    FILES,
    NAMES,
    PENDING,
    PINNED,
    USER_INTENT,
    Sections,
    current_state_limit,
)
from tests.ledger.builders import agent, presented, ran, user
from tests.ledger.builders import edited as edited_file

KEPT = NAMES[1:]
NONE = Edits()
LEDGER = Document((Block(USER_INTENT, "- fix the mill\n- and test it"), Block(FILES, "- mill.py\n- and test it")))

words = st.text("ab #-<!>\\:", max_size=6).map(lambda text: f"- w{text}") | st.sampled_from(
    ["# a", "## b", "\\## c", "<!-- prose -->x", "  indented", "trailing ", "d\te", "é “f”", "- none of it"]
)
places = st.sampled_from(KEPT)
documents = st.dictionaries(places, st.lists(words, max_size=4)).map(
    lambda blocks: Document(tuple(Block(name, "\n".join(blocks.get(name, ()))) for name in KEPT))
)


def text(document: Document) -> str:
    return document.to_markdown("- at work")


def lines(document: Document | str, section: str) -> list[str]:
    found = parse(document) if isinstance(document, str) else document
    return found.block(section).ledger.split("\n")


def put(document: Document, section: str, *new: str) -> Document:
    """The document with lines at the end of a section."""
    names = dict.fromkeys([*(block.name for block in document.blocks), section])
    blocks = {name: document.block(name).ledger for name in names}
    blocks[section] = "\n".join([*filter(None, blocks[section].split("\n")), *new])
    return Document(tuple(Block(name, ledger) for name, ledger in blocks.items()))


def drop(document: Document, section: str, line: str) -> Document:
    kept = "\n".join(one for one in lines(document, section) if one != line)
    blocks = (Block(block.name, kept) if block.name == section else block for block in document.blocks)
    return Document(tuple(blocks))


# ------------------------------------------------------------------ what an edit means


@given(documents, st.lists(st.tuples(places, words), max_size=5))
def test_every_line_that_was_added_is_remembered_and_stands(document: Document, new: list[tuple[str, str]]) -> None:
    edited = document
    for section, line in new:
        edited = put(edited, section, line)
    found = taken_in(NONE, text(document), text(edited))
    shown = text(with_edits(document, found, 4_000))

    assert not found.struck
    for section, line in new:
        assert line in lines(shown, section)


@settings(max_examples=50)
@given(documents, documents, documents)
def test_lines_of_an_older_edit_outlive_a_later_one_that_leaves_them(
    document: Document, first: Document, second: Document
) -> None:
    mine = taken_in(NONE, text(document), text(first))
    both = taken_in(mine, text(with_edits(document, mine, 8_000)), text(second))
    after = with_edits(document, both, 8_000)

    for section, line in mine.added:
        assert (line in lines(after, section)) >= (line in lines(second, section))


@given(documents, documents)
def test_what_the_user_struck_out_stays_out(document: Document, edited: Document) -> None:
    after = with_edits(document, taken_in(NONE, text(document), text(edited)), 8_000)

    for section in KEPT:
        gone = set(lines(document, section)) - set(lines(edited, section))
        assert not gone & set(lines(after, section))


@settings(max_examples=60)
@given(documents, documents)
def test_taking_an_edit_in_again_changes_nothing(document: Document, edited: Document) -> None:
    once = taken_in(NONE, text(document), text(edited))
    twice = taken_in(once, text(document), text(edited))
    assert (twice.added, set(twice.struck)) == (once.added, set(once.struck))


@given(documents)
def test_a_memory_that_nobody_edited_has_no_edits(document: Document) -> None:
    assert taken_in(NONE, text(document), text(document)) == NONE


@settings(max_examples=60)
@given(documents, documents)
def test_the_memory_with_edits_is_no_edit_itself(document: Document, edited: Document) -> None:
    """What we publish of the user's lines, labels included, is not taken for something new."""
    mine = taken_in(NONE, text(document), text(edited))
    shown = text(with_edits(document, mine, 2_000))
    assert taken_in(mine, shown, shown) == mine


def test_a_line_that_moved_stands_in_its_new_section_alone_also_after_the_next_edit() -> None:
    moved = put(drop(LEDGER, USER_INTENT, "- fix the mill"), PENDING, "- fix the mill")
    first = taken_in(NONE, text(LEDGER), text(moved))
    shown = with_edits(put(LEDGER, PENDING), first, 4_000)
    second = taken_in(first, text(shown), text(put(shown, FILES, "- dam.py")))
    after = with_edits(put(LEDGER, PENDING), second, 4_000)

    assert "- fix the mill" not in lines(after, USER_INTENT)
    assert lines(after, PENDING) == [LABEL, "- fix the mill"]


def test_striking_a_line_takes_no_twin_of_the_users_own_away() -> None:
    mine = Edits(added=((PENDING, "- and test it"),))
    shown = with_edits(put(LEDGER, PENDING), mine, 4_000)
    struck = taken_in(mine, text(shown), text(drop(shown, FILES, "- and test it")))

    after = with_edits(put(LEDGER, PENDING), struck, 4_000)
    assert "- and test it" in lines(after, PENDING)
    assert "- and test it" not in lines(after, FILES)


def test_a_struck_line_comes_back_when_the_user_writes_it_again() -> None:
    struck = Edits(struck=("- mill.py",))
    shown = with_edits(LEDGER, struck, 4_000)
    again = taken_in(struck, text(shown), text(put(shown, FILES, "- mill.py")))

    assert again == Edits(added=((FILES, "- mill.py"),))
    assert lines(with_edits(LEDGER, again, 4_000), FILES).count("- mill.py") == 1


def test_a_line_of_the_users_own_that_was_taken_away_is_forgotten_and_not_struck() -> None:
    mine = Edits(added=((FILES, "- dam.py"),))
    shown = with_edits(LEDGER, mine, 4_000)
    assert taken_in(mine, text(shown), text(LEDGER)) == NONE


def test_what_stands_in_current_state_is_not_taken_for_the_users() -> None:
    edited = text(LEDGER).replace("- at work", "- at work\n- mine")
    assert taken_in(NONE, text(LEDGER), edited) == NONE


@pytest.mark.parametrize(
    ("before", "mine"),
    [
        ("# Session memory", "Never push."),
        ("## Current State", "Never push."),
        ("## Current State", "## Rules\n- never push"),
        ("## User Intent", "## Rules\n- never push"),
    ],
)
def test_what_is_written_above_all_sections_is_intent(before: str, mine: str) -> None:
    found = taken_in(NONE, text(LEDGER), text(LEDGER).replace(before, f"{mine}\n\n{before}", 1))

    assert found.added == tuple((USER_INTENT, line) for line in mine.split("\n"))
    assert mine in with_edits(LEDGER, found, 4_000).block(USER_INTENT).ledger


def test_a_section_of_the_users_own_at_the_end_is_kept_in_the_last_one() -> None:
    found = taken_in(NONE, text(LEDGER), text(LEDGER) + "\n## Rules\n- never push\n")
    assert [line for _, line in found.added] == ["## Rules", "- never push"]


def test_a_pinned_section_stands_although_the_ledger_has_none() -> None:
    found = taken_in(NONE, text(LEDGER), text(LEDGER) + f"\n## {PINNED}\n- never push\n")
    after = with_edits(LEDGER, found, 4_000)

    assert lines(text(after), PINNED) == [LABEL, "- never push"]
    assert taken_in(found, text(after), text(after)) == found


OWN = Sections({"Mill": "how it turns"})
MILL = Document((*LEDGER.blocks, Block("Mill", "", "- it turns")))


def test_a_line_in_a_section_of_the_users_own_stands_there_again() -> None:
    found = taken_in(NONE, text(MILL), text(MILL).replace("- it turns", "- it turns\n- to the left"), OWN.names)

    assert found.added == (("Mill", "- to the left"),)
    assert lines(parse(text(with_edits(MILL, found, 4_000)), OWN.names), "Mill") == [LABEL, "- to the left"]


def test_a_line_struck_out_of_a_section_of_the_users_own_stays_out() -> None:
    found = taken_in(NONE, text(MILL), text(MILL).replace("- it turns", "- none"), OWN.names)

    assert with_edits(MILL, found, 4_000).block("Mill").prose == ""


def test_a_section_whose_prose_was_struck_out_whole_has_no_new_line() -> None:
    """The mark above the prose is left alone in it: that is no line of the user's."""
    found = taken_in(NONE, text(MILL), text(MILL).replace("- it turns\n", ""), OWN.names)

    assert found == Edits(struck=("- it turns",))


def test_lines_stand_and_can_be_struck_out_where_their_section_is_configured_no_more() -> None:
    mine = Edits((("Mill", "- to the left"),))
    shown = text(with_edits(LEDGER, mine, 4_000))

    assert f"## Mill\n{LABEL}\n- to the left" in shown
    assert taken_in(mine, shown, shown) == mine
    assert taken_in(mine, shown, shown.replace("\n- to the left", "")) == NONE


def test_line_ends_and_byte_order_mark_of_an_editor_are_no_edit() -> None:
    assert taken_in(NONE, text(LEDGER), "\ufeff" + text(LEDGER).replace("\n", "\r\n")) == NONE


@pytest.mark.parametrize("emptied", ["", "\n", " \n\n"])
def test_an_emptied_file_says_nothing(emptied: str) -> None:
    """An editor that truncates before it writes, or had no room to, must not erase a memory."""
    mine = Edits(added=((FILES, "- dam.py"),))
    assert taken_in(mine, text(LEDGER), emptied) == mine


def test_only_so_many_lines_are_remembered_and_the_newest_are() -> None:
    many = [f"- {n}" for n in range(room.KEPT_LINES + 3)]
    found = taken_in(NONE, text(LEDGER), text(put(LEDGER, FILES, *many)))
    assert [line for _, line in found.added] == many[3:]


# ------------------------------------------------------------------ their part of the budget


headings = places | st.sampled_from([PINNED, "m" * 60, "n" * 60])
edited = st.lists(st.tuples(headings, st.text("ab#- ", min_size=1, max_size=400)), max_size=40)


@given(edited, st.sampled_from([2_000, 4_000, 9_000]))
def test_edits_take_no_more_than_their_share(added: list[tuple[str, str]], budget: int) -> None:
    bare = Document()
    grown = len(text(with_edits(bare, Edits(tuple(added)), budget))) - len(text(bare))
    assert grown <= budget * CHARS_PER_TOKEN * room.SHARE


@settings(max_examples=25)  # each renders a whole memory
@given(edited, st.sampled_from([2_000, 4_000, 9_000]))
def test_the_whole_memory_keeps_the_budget_with_edits(added: list[tuple[str, str]], budget: int) -> None:
    mine = Edits(tuple(added))
    document = with_edits(render(_FULL, budget_left(mine, budget)), mine, budget)
    now = current_state(presented(user("w " * 9_000)), budget)
    assert len(document.to_markdown(now)) <= budget * CHARS_PER_TOKEN


@pytest.mark.parametrize("budget", [2_000, 4_000, 6_000])
def test_the_largest_edits_beside_a_full_ledger_and_a_full_state_keep_the_budget(budget: int) -> None:
    chars = budget * CHARS_PER_TOKEN
    mine = Edits(((USER_INTENT, "- " + "x" * (int(chars * room.SHARE) - 300)),))
    document = with_edits(render(_FULL, budget_left(mine, budget)), mine, budget)
    now = "- " + "w" * (current_state_limit(budget) - 2)
    assert 0.95 <= len(document.to_markdown(now)) / chars <= 1


@pytest.mark.parametrize("size", [1, 30, 60])
def test_a_heading_that_stands_for_hand_edits_alone_is_paid_for(size: int) -> None:
    mine = Edits((("m" * size, "- a"), ("n" * size, "- b")))
    taken = (4_000 - budget_left(mine, 4_000)) * CHARS_PER_TOKEN * (1 - CURRENT_STATE_SHARE)
    assert len(text(with_edits(Document(), mine, 4_000))) - len(text(Document())) <= taken


def test_without_edits_the_whole_budget_is_left() -> None:
    assert budget_left(NONE, 4_000) == 4_000


@settings(max_examples=50)
@given(edited, st.sampled_from([2_000, 4_000]))
def test_what_has_no_room_is_counted(added: list[tuple[str, str]], budget: int) -> None:
    document = with_edits(Document(), Edits(tuple(added)), budget)
    shown = [line for block in document.blocks for line in block.ledger.split("\n") if line not in ("", LABEL)]
    counts = [int(line[3:].split(" ")[0]) for line in shown if line.startswith("- (")]
    assert len(shown) - len(counts) + sum(counts) == len(added)


def test_the_newest_lines_stand_where_room_is_short() -> None:
    added = tuple((FILES, f"- {n} " + "x" * 300) for n in range(20))
    shown = lines(with_edits(Document(), Edits(added), 2_000), FILES)
    assert shown[0] == LABEL
    assert shown[-2] == added[-1][1]
    assert "no room here" in shown[-1]


# ------------------------------------------------------------------ as a generation keeps them


@given(st.lists(st.tuples(places, words), unique=True), st.lists(words, unique=True))
def test_the_record_of_edits_is_read_back(added: list[tuple[str, str]], struck: list[str]) -> None:
    """Section by section: lines of different sections may change places, those of one do not."""
    back = from_record(to_record(Edits(tuple(added), tuple(struck))))

    assert back.struck == tuple(struck)
    for section in KEPT:
        assert [line for name, line in back.added if name == section] == [
            line for name, line in added if name == section
        ]
    assert len(back.added) == len(added)


def test_a_record_is_plain_text_by_section() -> None:
    mine = Edits(((FILES, "- a"), (PENDING, "- b"), (FILES, "- c")), ("- d", "- e"))
    assert to_record(mine) == {FILES: "- a\n- c", PENDING: "- b", "struck out": "- d\n- e"}


def test_no_edits_leave_no_record() -> None:
    assert to_record(NONE) == {}
    assert from_record({}) == NONE


def _a_full_ledger() -> Ledger:
    ledger = Ledger()
    for n in range(120):
        ledger.fold(user(f"request {n}: please change module_{n}.py so that function_{n} works again"))
        ledger.fold(agent(f"The root cause in function_{n} is that it ignores option_{n} of the caller."))
        for entry in [
            *edited_file(f"/srv/src/module_{n}.py", f"def function_{n}(option_{n}):\n    pass"),
            *ran(f"pytest tests/test_{n}.py", f"FAILED tests/test_{n}.py - ValueError: wrong {n}", failed=n % 2 == 0),
            *ran("git commit -am x", f"[main {n:04x}abc] Change module number {n}"),
        ]:
            ledger.fold(entry)
    return ledger


_FULL = _a_full_ledger()


def test_struck_lines_are_left_out_of_prose_and_what_is_empty_then_is_gone() -> None:
    prose = {"Completed Work": "- one\n- two", "Files": "- two"}

    assert unstruck(prose, Edits(struck=("- two",))) == {"Completed Work": "- one"}
    assert unstruck(prose, Edits()) == prose
