"""Files as crashes, merges and redaction leave them: lines lost, written twice, out of order, cut anywhere.

Whatever the file, the output is a valid request, says every word that lives from the cut on once, and leaves no call
without its result but in the last round.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript import encode
from memcli.transcript.encode.to_messages import to_messages
from memcli.transcript.entries import AssistantText, UserText
from tests.builders import pairs_are_whole
from tests.swap.a_head import a_head, facts, lines_of, swapped
from tests.swap.rules import broken_rule
from tests.swap.sessions import FORMATS, WRITERS, conversations

each_format = pytest.mark.parametrize("format", FORMATS)
some = settings(max_examples=15)
PLACES = st.integers(0, 60)
BLOWS = st.lists(st.tuples(st.sampled_from(["lost", "twice", "swapped", "redacted"]), PLACES, PLACES), max_size=4)


def struck(lines: list[bytes], blow: str, place: int, other: int) -> list[bytes]:
    """The file after one accident."""
    at = place % len(lines)
    match blow:
        case "lost":
            return [*lines[:at], *lines[at + 1 :]] if len(lines) > 1 else lines
        case "twice":
            later = at + other % (len(lines) - at) + 1
            return [*lines[:later], lines[at], *lines[later:]]
        case "swapped":
            return [*lines[:at], *lines[at : at + 2][::-1], *lines[at + 2 :]]
        case _:
            return [line.replace(f"call{other}".encode(), b"REDACTED") for line in lines]


@st.composite
def damaged(draw, format: str, *, turns: bool = False) -> tuple[bytes, int]:
    """A file after some accidents, and a cut in it: at any line, or where a turn begins."""
    lines = WRITERS[format](draw(conversations(format))).splitlines(keepends=True)
    for blow in draw(BLOWS):
        lines = struck(lines, *blow)
    data = b"".join(lines)
    places = [entry.offset for entry in facts(format, data)[0] if entry.prompts or not turns]
    return data, draw(st.sampled_from([*places, len(data)]))


def swap_bytes(format: str, data: bytes, cut: int) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return swapped(a_head(format, data, cut), data, Path(directory))[0]


def words(format: str, data: bytes, cut: int = 0) -> tuple[list[str], set[str]]:
    """Texts of people and agents that live from the cut on, sorted, and those of refusals, which stand twice."""
    entries, _, _, thread = facts(format, data)
    live = [e for e in entries if e.offset >= cut and not any(a <= e.offset < b for a, b in thread.dead)]
    texts = [part.text for e in live for part in e.parts if isinstance(part, UserText | AssistantText)]
    texts = sorted(text for text in texts if "memcli generation" not in text)
    return [text for text in texts if not text.startswith("not ")], {text for text in texts if text.startswith("not ")}


@each_format
@some
@given(draw=st.data())
def test_a_request_made_of_any_file_is_valid(format, draw) -> None:
    data, cut = draw.draw(damaged(format))
    output = swap_bytes(format, data, cut)
    messages, _ = to_messages(output.splitlines(keepends=True), encode.module(format).said)

    assert broken_rule(messages) == ""
    assert json.loads(messages[0])["content"][0]["text"].startswith("<!-- memcli")


@each_format
@some
@given(draw=st.data())
def test_no_word_of_any_file_is_lost_or_doubled(format, draw) -> None:
    data, cut = draw.draw(damaged(format, turns=True))

    assert words(format, swap_bytes(format, data, cut)) == words(format, data, cut)


@each_format
@some
@given(draw=st.data())
def test_calls_and_results_of_any_file_are_paired_up_to_the_last_round(format, draw) -> None:
    data, cut = draw.draw(damaged(format))

    assert pairs_are_whole(format, swap_bytes(format, data, cut))


@each_format
@some
@given(draw=st.data())
def test_a_swap_of_a_swap_says_the_same_again(format, draw) -> None:
    """The output is a transcript like any other: nothing in it needs a second repair."""
    data, cut = draw.draw(damaged(format))
    once = swap_bytes(format, data, cut)
    first = next(offset for offset, raw in lines_of(once) if b"memcli generation" in raw)
    behind = first + once[first:].index(b"\n") + 1
    twice = swap_bytes(format, once, behind)

    assert words(format, twice) == words(format, once)
    assert twice.count(b"\n") == once.count(b"\n")
