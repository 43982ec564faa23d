"""What holds of every tail, whatever the conversation and the format."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli import head as heads
from memcli import swap
from memcli.transcript import encode, formats
from memcli.transcript.encode.to_messages import to_messages
from memcli.transcript.entries import AssistantText, MachineText, Thinking, UserText
from memcli.transcript.lines import LineBuffer
from tests.swap.a_head import MEMORY, a_head, facts, lines_of, swapped
from tests.swap.rules import broken_rule
from tests.swap.sessions import FORMATS, WRITERS, conversations, dump

quick = settings(max_examples=15)
each_format = pytest.mark.parametrize("format", FORMATS)


def swap_bytes(head, data: bytes, **options) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return swapped(head, data, Path(directory), **options)[0]


def entries_of(format: str, output: bytes) -> list:
    reader = formats.open_reader(format)
    found = [entry for line in LineBuffer().feed(output) for entry in reader.read(line)]
    assert not reader.problems

    return found


def cut(draw: st.DataObject, format: str, data: bytes) -> int:
    """The start of some turn."""
    return draw.draw(st.sampled_from([entry.offset for entry in facts(format, data)[0] if entry.prompts]))


def texts(events) -> list[str]:
    return [event[-1] for event in events if event[0] in ("prompt", "say")]


def test_facts_are_made_of_every_line() -> None:
    data = WRITERS["anthropic"]([("prompt", "a"), ("say", "b")])

    assert b"".join(raw for _, raw in lines_of(data)) == data


@each_format
@quick
@given(draw=st.data())
def test_every_word_from_the_cut_on_stands_once_and_in_order(format, draw) -> None:
    events = draw.draw(conversations(format))
    turn = draw.draw(st.sampled_from([place for place, event in enumerate(events) if event[0] == "prompt"]))
    data = WRITERS[format](events)
    begin = len(WRITERS[format](events[:turn])) if turn else 0
    output = swap_bytes(a_head(format, data, begin), data)
    said = [text for entry in entries_of(format, output) for text in said_in(entry) if text not in str(MEMORY)]
    refused = [event[2] for event in events[turn:] if event[0] == "refused"]

    # words of a refusal in a round that is still open stand before it
    assert [text for text in said if text not in refused] == texts(events[turn:])
    assert sorted(text for text in said if text in refused) == sorted(refused)


def said_in(entry) -> list[str]:
    """The words of an entry; those of a refusal stand behind it once more, as a message that nobody reads twice."""
    kinds = (UserText, AssistantText, MachineText) if entry.role == "user" else (UserText, AssistantText)
    words = [part for part in entry.parts if isinstance(part, kinds)]
    return [
        part.text for part in words if getattr(part, "via", "") != "rejection" and "memcli generation" not in part.text
    ]


@each_format
@quick
@given(draw=st.data())
def test_a_request_made_of_the_output_is_valid(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    output = swap_bytes(a_head(format, data, cut(draw, format, data)), data)
    messages, _ = to_messages(output.splitlines(keepends=True), encode.module(format).said)

    assert broken_rule(messages) == ""


@each_format
@quick
@given(draw=st.data())
def test_only_the_last_round_may_be_open(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    entries = entries_of(format, swap_bytes(a_head(format, data, cut(draw, format, data)), data))
    last = max(place for place, entry in enumerate(entries) if entry.prompts or place == 0)
    before = entries[:last]

    assert {call for entry in before for call in entry.calls} == {call for entry in before for call in entry.results}


@each_format
@quick
@given(draw=st.data())
def test_thinking_is_gone_and_nothing_empty_is_left(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    output = swap_bytes(a_head(format, data, cut(draw, format, data)), data)
    entries = entries_of(format, output)

    assert not any(isinstance(part, Thinking) for entry in entries for part in entry.parts)
    assert all(entry.parts for entry in entries if entry.role == "assistant")


@each_format
@quick
@given(draw=st.data())
def test_messages_are_counted_as_the_reader_counts_them(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    head = a_head(format, data, cut(draw, format, data))
    encoder = encode.module(format)
    plan = encode.common.Plan(end=head.end, skip=head.skip, words=head.words, envelope=json.loads(head.envelope))
    lines = list(encoder.tail(lines_of(data, head.tail), plan))
    entries = entries_of(format, b"".join(line.data for line in lines))

    assert [line.counts for line in lines] == [entry.role in ("user", "assistant", "tool") for entry in entries]


@each_format
@quick
@given(draw=st.data())
def test_repeating_gives_the_same_bytes_and_another_end_gives_other_ids(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    head = a_head(format, data, cut(draw, format, data))

    assert swap_bytes(head, data) == swap_bytes(head, data)
    if format == "claude-code":
        ids = {json.loads(line)["uuid"] for line in swap_bytes(head, data).splitlines()}
        head.generation = "other"
        assert ids.isdisjoint(json.loads(line)["uuid"] for line in swap_bytes(head, data).splitlines())


@each_format
@quick
@given(draw=st.data())
def test_lines_nobody_saw_yet_change_nothing_or_raise_doubt(format, draw) -> None:
    data = WRITERS[format](draw.draw(conversations(format)))
    begin = cut(draw, format, data)
    seen = draw.draw(st.sampled_from([at for at, _ in lines_of(data) if at >= begin]))
    fresh = a_head(format, data, begin)
    stale = a_head(
        format, data, begin, end=seen, before=fresh.before, state=fresh.state, after=fresh.after, fills=fresh.fills
    )
    stale.cuts = fresh.cuts = ((begin, "t", 0, 0),)
    try:
        output = swap_bytes(stale, data)
    except ValueError:
        assert format in ("claude-code", "codex", "pi")
        return

    assert output == swap_bytes(fresh, data)


@pytest.mark.parametrize("format", ["anthropic", "openai"])
@quick
@given(draw=st.data())
def test_the_copy_and_the_encoder_give_the_same_bytes(format, draw) -> None:
    data = WRITERS[format]([event for event in draw.draw(conversations(format, whole=True)) if event[0] != "think"])
    head = a_head(format, data, cut(draw, format, data))
    copied = swap_bytes(head, data)
    assert head.route == "copy"
    head.route = "rewrite"

    assert swap_bytes(head, data) == copied


@each_format
def test_the_memory_is_the_first_message_and_its_state_can_be_replaced(format) -> None:
    data = WRITERS[format]([("prompt", "a"), ("say", "b")])
    head = a_head(format, data, len(data))
    fresh = swap_bytes(heads.renewed(head, state=encode.common.inner('## Current State\n- "new"\n\n')), data)
    first = next(said for line in fresh.splitlines() if (said := encode.module(format).said(json.loads(line))))

    assert first[0] == "user"
    assert first[2][0]["text"].endswith(f'{MEMORY[0]}## Current State\n- "new"\n\n{MEMORY[2]}')


@each_format
def test_every_cut_of_a_session_gives_a_valid_output(format) -> None:
    """Every line of the file as the place of the cut, the illegal ones too."""
    calls = [("call", "c1"), ("call", "c2"), ("result", "c2"), ("result", "c1"), ("say", "b")]
    data = WRITERS[format]([("prompt", "a"), ("think",), *calls, ("prompt", "c"), ("say", "d")])
    for offset, _ in lines_of(data):
        output = swap_bytes(a_head(format, data, offset), data)
        messages, _ = to_messages(output.splitlines(keepends=True), encode.module(format).said)
        assert broken_rule(messages) == ""


NAMES = [
    "type",
    "message",
    "role",
    "content",
    "uuid",
    "parentUuid",
    "id",
    "parentId",
    "payload",
    "call_id",
    "tool_calls",
    "function",
    "attachment",
]
WORDS = [
    "user",
    "assistant",
    "tool",
    "tool_result",
    "tool_use",
    "toolCall",
    "text",
    "thinking",
    "attachment",
    "system",
    "message",
    "response_item",
]
junk = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(WORDS) | st.just(""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@each_format
@settings(max_examples=25)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), junk, max_size=6), max_size=4), st.booleans())
def test_records_of_any_shape_are_written_or_doubted(format, records, seen) -> None:
    lines = lines_of(b"".join(map(dump, records)))
    encoder = encode.module(format)
    plan = encode.common.Plan(
        end=10**6, known=10**6 if seen else 0, envelope=encoder.context([], [raw for _, raw in lines])
    )
    try:
        out = [line.data for line in encoder.tail(lines, plan)]
    except encode.common.Doubt:
        assert not seen
        return
    messages, _ = to_messages([dump({"role": "user", "content": "x"}), *out], encoder.said)

    assert all(isinstance(json.loads(line), dict) for line in (*out, *messages))


def test_a_route_is_refused_for_a_format_that_is_never_copied() -> None:
    data = WRITERS["codex"]([("prompt", "a")])
    head = a_head("codex", data, 0)
    head.route = "copy"

    assert b'"id":"old"' not in swap_bytes(head, data)
    assert swap.place(head, None).offset == 0
