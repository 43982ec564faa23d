"""Bytes of a stream put together: however they are cut, whatever is wrong with them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.jobs import Usage
from memcli.summarize.backends.stream import Answer, Garbled, dollars, events, tokens
from tests.summarize.wire import event, start, stop, text


def answer(*chunks: bytes) -> Answer:
    found = Answer()
    for said in events(chunks):
        found.take(said)
    return found


@given(st.lists(st.text(max_size=20), max_size=8), st.integers(1, 200), st.sampled_from([b"\n", b"\r\n"]))
def test_chunks_of_any_size_give_the_same_answer(parts: list[str], size: int, end: bytes) -> None:
    sent = (start() + event("ping") + text(*parts) + stop()).replace(b"\n", end)
    found = answer(*(sent[n : n + size] for n in range(0, len(sent), size)))
    assert (found.text, found.stop, found.ended) == ("".join(parts), "end_turn", True)


def test_a_character_in_two_halves_is_one_character() -> None:
    halves = [json.loads(f'"{half}"') for half in ("\\ud83d", "\\ude00")]
    assert answer(start() + text(*halves) + stop()).text == "\N{GRINNING FACE}"
    assert answer(start() + text(halves[0]) + stop()).text == "\N{REPLACEMENT CHARACTER}"


def test_comments_unknown_events_and_a_foreign_end_are_passed_over() -> None:
    sent = b": keep alive\n\n" + start() + event("weather", text="rain") + text("Yes.") + stop() + b"data: [DONE]\n\n"
    assert answer(sent).text == "Yes."


def test_the_space_after_the_colon_may_be_missing() -> None:
    assert answer((start() + text("Yes.") + stop()).replace(b"data: ", b"data:")).text == "Yes."


def test_the_last_empty_line_may_be_missing() -> None:
    assert answer((start() + text("Yes.") + stop()).rstrip(b"\n")).ended


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_no_field_of_a_stranger_breaks_it(value: object) -> None:
    """Whatever stands where an object is due, it is taken for nothing."""
    found = Answer()
    for kind, field in [("message_start", "message"), ("content_block_delta", "delta"), ("message_delta", "usage")]:
        found.take({"type": kind, field: value})
    assert found.text == ""
    assert found.usage("5m").prompt_tokens >= 0


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: 7\n\n", b"data: " + b"[" * 99_999 + b"\n\n"])
def test_what_is_no_json_object_is_said_to_be_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        answer(data)


def test_counts_that_come_later_replace_and_do_not_add() -> None:
    found = answer(start(output_tokens=1) + stop(output_tokens=40, input_tokens=None))
    assert found.usage("5m") == Usage(input_tokens=900, output_tokens=40, service_tier="standard")


@pytest.mark.parametrize(("ttl", "wanted"), [("5m", (9, 0)), ("1h", (0, 9))])
def test_writes_without_their_kind_are_of_the_kind_that_was_asked_for(ttl: str, wanted: tuple[int, int]) -> None:
    usage = answer(start(cache_creation_input_tokens=9)).usage(ttl)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == wanted


@pytest.mark.parametrize(("told", "taken"), [(0.5, 0.5), (0, 0.0), (None, None), (True, None), ("1", None), (-1, None)])
def test_a_price_that_is_told_is_taken_if_it_is_one(told: object, taken: float | None) -> None:
    assert dollars(told) == taken
    assert answer(start(cost=told)).usage("5m").cost == taken


def test_tokens_are_estimated_by_the_characters() -> None:
    assert (tokens(0), tokens(2_700)) == (0, 1_000)
