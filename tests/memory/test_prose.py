"""Edits of prose: what they change, and what they must leave alone."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.jobs import ProseEdit
from memcli.memory.prose import (
    END,
    MOST_EDITS,
    Unreadable,
    apply,
    canonical,
    edits_of,
    from_json,
    items,
    read_text,
    schema,
)
from memcli.memory.sections import ACTIVE_WORK, COMPLETED, FILES, USER_INTENT, Sections
from tests.memory.strategies import WRITABLE, a_block, an_edit

MILL = Sections({"Mill": "how it turns"})
BLOCK = "- first thing\n  with more of it\n- second thing\n\nA paragraph.\n\n```py\n- no item\n\nx = 1\n```"


def edited(op: str, text: str = "", item: str = "", block: str = BLOCK) -> str:
    return apply({ACTIVE_WORK: block}, [ProseEdit(ACTIVE_WORK, op, text, item)]).get(ACTIVE_WORK, "")  # type: ignore[arg-type]


def test_items_are_list_items_with_their_lines_paragraphs_and_fences() -> None:
    assert [item.split("\n")[0] for item in items(BLOCK)] == [
        "- first thing",
        "- second thing",
        "A paragraph.",
        "```py",
    ]


@given(st.text(alphabet="-*` \n1.ab~\x0c\x85\r"))
def test_items_joined_are_the_block(block: str) -> None:
    assert "".join(items(block)) == block


def test_replace_puts_a_new_block_in_place() -> None:
    assert edited("replace", "all new\n") == "all new"


def test_append_continues_a_list_and_parts_paragraphs() -> None:
    assert edited("append", "- two", block="- one") == "- one\n- two"
    assert edited("append", "More.", block="- one") == "- one\n\nMore."


def test_change_replaces_the_item_that_begins_so() -> None:
    assert edited("change", "- another", "First  thing") == BLOCK.replace(
        "- first thing\n  with more of it", "- another"
    )


def test_a_changed_list_item_stays_one() -> None:
    assert edited("change", "another", "second").split("\n")[2] == "- another"


def test_a_change_of_what_is_not_there_is_added() -> None:
    assert edited("change", "- new", "third thing", "- one") == "- one\n- new"


def test_drop_removes_one_item_only() -> None:
    assert edited("drop", item="**second**") == BLOCK.replace("- second thing\n\n", "")


@pytest.mark.parametrize("item", ["", "  ", "third thing", "**"])
def test_a_drop_that_names_no_item_drops_nothing(item: str) -> None:
    assert edited("drop", item=item) == BLOCK


def test_a_block_that_became_empty_is_gone() -> None:
    assert apply({ACTIVE_WORK: "- one"}, [ProseEdit(ACTIVE_WORK, "drop", item="one")]) == {}


def test_an_edit_of_a_section_that_is_no_models_does_nothing() -> None:
    assert apply({}, [ProseEdit(FILES, "replace", "- x"), ProseEdit("Other", "append", "- x")]) == {}


@given(st.dictionaries(st.sampled_from(WRITABLE), a_block(), max_size=5), st.lists(an_edit(), max_size=6))
def test_blocks_that_no_edit_names_keep_their_bytes(prose: dict[str, str], edits: list[ProseEdit]) -> None:
    after = apply(prose, edits)

    assert all(
        after.get(name, "") == text for name, text in prose.items() if name not in {edit.section for edit in edits}
    )


@given(a_block(), st.integers(0, 20))
def test_a_drop_takes_at_most_one_item(block: str, place: int) -> None:
    block = canonical(block)
    parts = items(block)
    left = edited("drop", item=parts[place % len(parts)] if parts else "x", block=block)

    assert left in {block, *(canonical("".join(parts[:n] + parts[n + 1 :])) for n in range(len(parts)))}


def test_plain_text_replaces_the_sections_it_names() -> None:
    (one, two) = edits_of(
        f"Let me think.\n\n## Active Work\n- now\n\n**x**\n### 2. completed work:\n- done\n{END}\nmore"
    )

    assert one == ProseEdit(ACTIVE_WORK, "replace", "- now\n\n**x**")
    assert two == ProseEdit(COMPLETED, "replace", "- done")


def test_sections_that_are_no_models_are_ignored_and_counted() -> None:
    answer = read_text(f"## Files\n- a.py deleted\n## Notes\nfoo\n## User Intent\nAll of it.\n### Detail\nmore\n{END}")

    assert answer.edits == (ProseEdit(USER_INTENT, "replace", "All of it.\n### Detail\nmore"),)
    assert answer.ignored == 2


def test_a_heading_inside_a_fence_is_code() -> None:
    (edit,) = edits_of(f"## Active Work\n```md\n## Files\n```\n{END}")

    assert edit.text == "```md\n## Files\n```"


@pytest.mark.parametrize("body", ["unchanged", "- none", "(no changes)", ""])
def test_a_section_said_to_be_unchanged_is_no_edit(body: str) -> None:
    assert edits_of(f"## Active Work\n{body}\n{END}") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("## Active Work\n- now", "cut off"),
        (f"some words\n{END}", "none of the sections"),
        ("x" * 200_001, "200000"),
    ],
)
def test_what_holds_no_edits_says_why(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        edits_of(text)


def test_a_structured_answer_is_read_with_or_without_a_fence() -> None:
    text = json.dumps({"edits": [{"section": ACTIVE_WORK, "op": "drop", "item": "first", "text": ""}]})

    assert from_json(text) == from_json(f"```json\n{text}\n```") == (ProseEdit(ACTIVE_WORK, "drop", item="first"),)


@pytest.mark.parametrize("text", ["{", "[]", '{"edits": 1}', '{"edits":[{"section":"x","op":"burn"}]}', "[" * 100_000])
def test_what_is_not_the_asked_json_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        from_json(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (edits_of, from_json):
        with contextlib.suppress(Unreadable):
            assert all(edit.section for edit in read(text))


def test_the_schema_allows_the_sections_of_a_model_and_no_other() -> None:
    allowed = schema(MILL)["properties"]["edits"]["items"]["properties"]["section"]["enum"]

    assert allowed == [*WRITABLE, "Mill"]
    assert FILES not in allowed


def test_a_section_of_the_users_own_is_written_as_ours_are() -> None:
    edits = edits_of(f"## mill:\n- it turns\n## Active Work\n- now\n{END}", MILL)

    assert apply({}, edits, MILL) == {"Mill": "- it turns", ACTIVE_WORK: "- now"}
    assert apply({}, edits) == {ACTIVE_WORK: "- now"}


@pytest.mark.parametrize(
    ("op", "text", "item", "left"),
    [
        ("change", "new", "a", "- new\n- b"),
        ("change", "new", "**A**", "- new\n- b"),
        ("change", "1. new", "a", "1. new\n- b"),
        ("change", "", "a", "- b"),
        ("change", "new", "", "- a\n- b\n\nnew"),
        ("drop", "", "b", "- a"),
        ("append", "", "", "- a\n- b"),
        ("append", "1. c", "", "- a\n- b\n1. c"),
        ("replace", " \n", "", ""),
    ],
)
def test_what_each_edit_leaves_of_two_items(op: str, text: str, item: str, left: str) -> None:
    assert edited(op, text, item, "- a\n- b") == left


def test_the_first_of_two_items_that_begin_so_is_meant() -> None:
    assert edited("drop", item="the cart", block="- the cart one\n- the cart two") == "- the cart two"


def test_an_item_is_found_by_its_beginning_not_by_its_middle() -> None:
    assert edited("drop", item="cart", block="- the cart") == "- the cart"


def test_a_fence_is_one_item_to_its_own_end() -> None:
    assert items("```\n- a\n~~~\n- b\n```\n- c") == ["```\n- a\n~~~\n- b\n```\n", "- c"]


@pytest.mark.parametrize("end", ["<!-- end -->", "end", "**End**", "<!--END-->", "  end.  "])
def test_an_answer_ends_however_its_end_is_written(end: str) -> None:
    assert edits_of(f"## Active Work\n- now\n{end}\n- more") == (ProseEdit(ACTIVE_WORK, "replace", "- now"),)


def test_an_answer_wrapped_whole_in_a_fence_is_read() -> None:
    assert edits_of(f"```markdown\n## Active Work\n- now\n{END}\n```") == (ProseEdit(ACTIVE_WORK, "replace", "- now"),)


def test_a_section_told_in_two_places_is_one() -> None:
    (edit,) = edits_of(f"## Active Work\n- one\n## Completed Work\nunchanged\n## Active Work\n- two\n{END}")

    assert edit.text == "- one\n- two"


def test_what_stands_under_a_section_that_is_no_models_goes_nowhere() -> None:
    (edit,) = edits_of(f"## Active Work\n- now\n## Files\n- a.py\n### Detail\n- b.py\n{END}")

    assert edit.text == "- now"


def test_edits_are_bounded() -> None:
    edit = {"section": ACTIVE_WORK, "op": "append", "item": "", "text": "- a"}

    assert len(from_json(json.dumps({"edits": [edit] * MOST_EDITS}))) == MOST_EDITS
    with pytest.raises(Unreadable, match=f"{MOST_EDITS + 1} edits"):
        from_json(json.dumps({"edits": [edit] * (MOST_EDITS + 1)}))


@given(st.lists(an_edit(), max_size=4))
def test_edits_in_one_go_are_edits_one_by_one(edits: list[ProseEdit]) -> None:
    prose = {ACTIVE_WORK: BLOCK}
    step = prose
    for edit in edits:
        step = apply(step, [edit])

    assert apply(prose, edits) == step
