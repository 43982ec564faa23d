"""A long conversation in pieces: in order, each within its room, the newest never left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.jobs import Message
from memcli.summarize.chunks import BYTES_PER_TOKEN, CHUNK_TOKENS, MOST, PROMPT_TOKENS, chunks

sizes = st.lists(st.integers(0, 400), max_size=40)


def messages(lengths: list[int]) -> list[Message]:
    return [Message("user", "x" * length, number) for number, length in enumerate(lengths)]


def test_nothing_is_no_piece():
    assert chunks([]) == ((), 0)


def test_a_short_conversation_is_one_piece():
    told = messages([10, 20, 30])
    assert chunks(told) == ((tuple(told),), 0)


@given(sizes)
def test_every_message_is_in_one_piece_and_in_order(lengths):
    told = messages(lengths)
    pieces, omitted = chunks(told, most=1000, tokens=100)
    assert [one for piece in pieces for one in piece] == told
    assert omitted == 0


@given(sizes)
def test_no_piece_is_too_large_but_for_a_message_that_is_so_alone(lengths):
    for piece in chunks(messages(lengths), most=1000, tokens=100).pieces:
        assert piece
        assert len(piece) == 1 or sum(len(one.text) + 24 for one in piece) <= 100 * BYTES_PER_TOKEN


@given(sizes, st.integers(1, 4))
def test_what_is_left_out_is_the_oldest_and_is_counted(lengths, most):
    told = messages(lengths)
    pieces, omitted = chunks(told, most=most, tokens=100)
    assert [one for piece in pieces for one in piece] == told[omitted:]
    assert len(pieces) <= most


@pytest.mark.parametrize("count", [1, 50])
def test_a_job_never_asks_for_more_than_a_few_long_prompts(count):
    found = chunks(messages([CHUNK_TOKENS * BYTES_PER_TOKEN - 24] * count))
    assert len(found.pieces) == min(count, MOST)
    assert found.omitted == max(0, count - MOST)
    assert CHUNK_TOKENS < PROMPT_TOKENS < 100_000
