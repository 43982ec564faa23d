"""The memory message: what goes in comes out, and a mark counts at its one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory import message
from memcli.memory.document import Block, Document
from memcli.memory.message import Mark, document_of, pieces, read_mark, signed, split
from memcli.memory.sections import NAMES
from memcli.transcript.encode import common

ID, DIGEST = "0123456789abcdef00000001", "ab" * 32
MARK = common.mark(ID, DIGEST)

ledgers = st.text(alphabet='ab#-<!>\\ \n"é', max_size=30) | st.sampled_from(
    ["## Current State\n- not it", "# Session memory", MARK, message.CLOSING, f"x\n\n{message.CLOSING}\n", "a\n\nb"]
)
documents = st.lists(ledgers, min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda texts: Document(tuple(Block(*pair) for pair in zip(NAMES[1:], texts[1:], strict=True))).to_markdown(texts[0])
)
MEMORY = Document((Block("User Intent", "- mend the dam"),)).to_markdown("- at work")


@given(documents, st.sampled_from(["", "/srv/run.jsonl", "/srv/a b/é.jsonl"]))
def test_the_document_is_found_again_in_the_message(document: str, source: str) -> None:
    found = document_of(str(pieces(MARK, document, source)))
    assert found == document.rstrip() + "\n"


@given(documents)
def test_what_the_digest_speaks_for_is_the_same_before_and_behind_the_message(document: str) -> None:
    assert signed(document_of(str(pieces(MARK, document)))) == signed(document)


@given(documents)
def test_a_document_is_the_sum_of_its_pieces(document: str) -> None:
    parts = split(document)
    assert str(parts) == document
    assert parts.state.startswith("## Current State\n")


@given(documents, documents)
def test_only_the_state_piece_changes_with_the_current_state(document: str, other: str) -> None:
    """So a fresh Current State can take the old one's place in bytes that are ready."""
    before, _, after = split(document)
    fresh = before + split(other).state + after

    assert pieces(MARK, fresh) == pieces(MARK, document)._replace(state=split(other).state)
    assert signed(fresh) == signed(document)


def test_another_ledger_line_is_another_signed_text() -> None:
    assert signed(MEMORY) != signed(MEMORY.replace("dam", "mill"))


def test_a_text_without_current_state_is_all_before() -> None:
    assert split("# Session memory\n\n## Files\n- a\n") == ("# Session memory\n\n## Files\n- a\n", "", "")


def test_the_message_begins_with_its_mark_and_says_what_it_is() -> None:
    text = str(pieces(MARK, MEMORY, "/srv/run.jsonl"))
    first, framing, blank, *rest = text.split("\n")

    assert (first, blank, rest[0]) == (MARK, "", "# Session memory")
    assert framing == f"{message.FRAMING} The full transcript: /srv/run.jsonl"
    assert text.endswith(f"\n\n{message.CLOSING}\n")


def test_a_stream_names_no_transcript() -> None:
    assert "The full transcript" not in str(pieces(MARK, MEMORY))


@pytest.mark.parametrize("text", ["", "hello", MEMORY, f"{MARK}\nno closing", f"one line {message.CLOSING}"])
def test_a_text_that_is_no_memory_message_holds_no_document(text: str) -> None:
    assert document_of(text) == ""


# ------------------------------------------------------------------ the mark


def test_the_mark_is_read_back_with_the_number_filled_in() -> None:
    text = str(pieces(MARK.replace("covered=0000000", "covered=0000012"), MEMORY))
    assert read_mark(text) == Mark(ID, 12, DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        f" {MARK}",
        f"\n{MARK}",
        f"Look: {MARK}",
        f"# Session memory\n{MARK}\n",
        f"> {MARK}",
        f"{MARK} and more",
        MARK.replace("<!-- ", "<!--"),
        MARK.replace(" -->", ""),
        MARK.replace("covered=", "covers="),
        MARK.replace("covered=0", "covered=-"),
        MARK.replace("covered=0000000", "covered="),
        MARK.replace(" digest=", " size=1 digest="),
        MARK.replace("digest", "digests"),
        MARK.upper(),
        "",
    ],
)
def test_a_mark_anywhere_else_or_in_any_other_shape_is_text(text: str) -> None:
    assert read_mark(text) is None


@given(st.text(min_size=1))
def test_a_mark_behind_any_other_text_is_none(text: str) -> None:
    assert read_mark(text + MARK) is None
