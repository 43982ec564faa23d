"""Bytes of a stream put together: however they are cut, whatever is wrong with them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.jobs import Usage
from memcli.summarize.backends.stream import (
    Answer,
    Garbled,
    document,
    dollars,
    estimated,
    events,
    text_of,
    tokens,
)
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


def test_text_is_told_as_it_comes_and_thinking_is_not() -> None:
    parts = [
        {"type": "content_block_start", "content_block": {"type": "text", "text": "a"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "b"}},
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "c", "text": "d"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": 7}},
        {"type": "message_start", "message": {"type": "text", "text": "e"}},
        {"type": "ping"},
    ]

    assert [text_of(part) for part in parts] == ["a", "b", "", "", "", ""]


@given(st.lists(st.tuples(st.integers(0, 3), st.text("ab", max_size=4)), max_size=12))
def test_blocks_that_come_mixed_are_put_together_by_their_place(pieces: list[tuple[int, str]]) -> None:
    found = Answer()
    for place, words in pieces:
        found.take({"type": "content_block_delta", "index": place, "delta": {"type": "text_delta", "text": words}})

    assert found.text == "".join(words for at in range(4) for place, words in pieces if place == at)


def test_an_answer_as_one_object_is_whole_at_once() -> None:
    found = Answer()
    blocks = [{"type": "thinking", "text": "no"}, {"type": "text", "text": "Yes"}, {"type": "text", "text": "."}]
    found.whole({"content": blocks, "model": "m", "stop_reason": "end_turn", "usage": {"input_tokens": 3}})

    assert (found.text, found.model, found.stop, found.began, found.ended) == ("Yes.", "m", "end_turn", True, True)
    assert found.usage("5m") == Usage(3)


@pytest.mark.parametrize(
    "message", [{"type": "error", "error": {"type": "x"}, "content": []}, {"error": {"type": "x"}}, {"content": "Yes."}]
)
def test_an_object_without_content_is_an_error(message: dict) -> None:
    found = Answer()
    found.whole(message)

    assert (found.began, found.ended, found.text) == (False, False, "")
    assert found.error == message.get("error", {})


def test_an_error_event_is_kept_and_ends_nothing() -> None:
    found = answer(start() + event("error", error={"type": "overloaded_error"}))

    assert (found.error, found.ended) == ({"type": "overloaded_error"}, False)


def test_an_answer_has_begun_once_the_service_took_the_request() -> None:
    assert not answer(event("ping")).began
    assert answer(start()).began


def test_a_stop_reason_is_not_taken_back() -> None:
    found = Answer()
    found.take({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}})
    found.take({"type": "message_delta", "delta": {"stop_reason": None}})

    assert found.stop == "max_tokens"


def test_cache_writes_are_told_apart_where_the_service_does_and_all_are_counted() -> None:
    both = {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}
    told = answer(start(cache_creation_input_tokens=9, cache_creation=both)).usage("5m")
    less = answer(start(cache_creation_input_tokens=12, cache_creation=both)).usage("1h")

    assert (told.cache_write_5m_tokens, told.cache_write_1h_tokens) == (4, 5)
    assert (less.cache_write_5m_tokens, less.cache_write_1h_tokens) == (0, 12)


def test_an_event_over_several_data_lines_is_one() -> None:
    assert list(events([b'data: {"type":\ndata: "ping"}\n\n'])) == [{"type": "ping"}]


@given(st.lists(st.binary(max_size=12), max_size=6))
def test_a_document_is_the_same_however_it_is_cut(pieces: list[bytes]) -> None:
    whole = json.dumps({"x": [piece.hex() for piece in pieces]}).encode()

    assert document([whole[:3], b"", whole[3:]]) == json.loads(whole)


@pytest.mark.parametrize("data", [b"", b"[]", b"<html>", b"\xff"])
def test_what_is_no_object_is_no_document(data: bytes) -> None:
    with pytest.raises(Garbled):
        document([data])


def test_estimates_are_marked_as_such() -> None:
    assert estimated(2_700, "x" * 27) == Usage(1_000, output_tokens=10, estimated=True)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.5, [1]])
def test_no_price_is_beyond_counting(value: object) -> None:
    assert dollars(value) is None
