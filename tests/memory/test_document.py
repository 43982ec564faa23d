from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.document import PROSE_MARK, Block, Document, parse
from memcli.memory.sections import NAMES, PINNED

_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n")) | st.sampled_from(
    ["## Files", "# x", "- none", "- none known", "\\## Files", "\\- none", PROSE_MARK, "\\" + PROSE_MARK, "- item", ""]
)
_TEXT = st.lists(_LINE, max_size=6).map("\n".join).map(lambda text: text.strip("\n"))


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=7, max_size=7), _TEXT, st.booleans())
def test_parsing_undoes_writing(texts: list[tuple[str, str]], state: str, pinned: bool) -> None:
    blocks = [Block(name, *text) for name, text in zip(NAMES[1:], texts, strict=True)]
    document = Document((*blocks, *([Block(PINNED, "- kept")] if pinned else [])), state)

    assert parse(document.to_markdown(state)) == document


@given(st.lists(_TEXT, min_size=8, max_size=8), st.booleans())
def test_sections_of_the_users_own_are_parsed_as_ours_are(texts: list[str], pinned: bool) -> None:
    names = (*NAMES, "Mill & dam")
    blocks = [Block(name, "", text) for name, text in zip(names[1:], texts, strict=True)]
    document = Document((*blocks, *([Block(PINNED, "- kept")] if pinned else [])))

    assert parse(document.to_markdown(""), names) == document


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_can_be_parsed_and_has_all_sections(text: str) -> None:
    assert [block.name for block in parse(text).blocks][:7] == list(NAMES[1:])


def test_every_heading_stands_once_and_in_order() -> None:
    text = Document().to_markdown("- now")

    assert [line[3:] for line in text.split("\n") if line.startswith("## ")] == list(NAMES)


def test_an_empty_section_says_so() -> None:
    empty = Document().to_markdown("")

    assert "## Files\n- none\n" in empty
    assert "## Pending Tasks\n- none known\n" in empty


def test_current_state_can_be_written_anew() -> None:
    first = parse(Document().to_markdown("- before"))

    assert parse(first.to_markdown("- after")).current_state == "- after"


def test_a_block_cannot_forge_a_heading() -> None:
    text = Document((Block("User Intent", "- a\n## Files\n- forged"),)).to_markdown("")

    assert "\n\\## Files\n" in text


def test_a_heading_nobody_knows_stays_text_of_its_section() -> None:
    document = parse("# Session memory\n\n## Files\n- a.py\n\n## My notes\n- keep this\n")

    assert document.block("Files").ledger == "- a.py\n## My notes\n- keep this"


def test_a_block_that_is_not_there_is_empty() -> None:
    assert Document().block(PINNED) == Block(PINNED)


@pytest.mark.parametrize(
    "line", ["# Files", "## Files", "###### x", "<!-- prose -->", "- none", "- none known", "\\## Files", "\\- none"]
)
def test_every_line_that_looks_like_a_mark_comes_back_as_it_was(line: str) -> None:
    document = Document((Block("Files", f"a\n{line}\nb", line),))

    assert parse(document.to_markdown("")).block("Files") == document.blocks[0]


def test_prose_without_facts_and_facts_without_prose_come_back() -> None:
    document = Document((Block("Files", "", "prose"), Block("Key References", "facts", "")))
    parsed = parse(document.to_markdown("now"))

    assert parsed.block("Files") == Block("Files", "", "prose")
    assert parsed.block("Key References") == Block("Key References", "facts", "")
    assert parsed.current_state == "now"


def test_of_two_headings_of_one_section_the_second_is_text() -> None:
    assert parse("## Files\na\n## Files\nb").block("Files").ledger == "a\n## Files\nb"


def test_text_above_the_first_heading_is_no_section() -> None:
    assert parse("hello\n## Files\na").block("Files").ledger == "a"
    assert all(not block.ledger for block in parse("hello").blocks)


def test_a_section_is_pinned_only_where_it_stands() -> None:
    assert [block.name for block in parse("## Pinned\n- x").blocks][-1] == "Pinned"
    assert "Pinned" not in [block.name for block in parse("## Files\n- x").blocks]


def test_line_ends_of_other_systems_are_read() -> None:
    assert parse("## Files\r\na\r\n<!-- prose -->\r\nb\r\n").block("Files") == Block("Files", "a", "b")


def test_a_prose_mark_alone_is_no_prose() -> None:
    assert parse("## Files\na\n<!-- prose -->").block("Files") == Block("Files", "a", "")
