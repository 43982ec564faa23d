"""What holds for the reader of every format."""

from __future__ import annotations

import itertools
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.entries import Entry
from memcli.transcript.formats import NAMES, open_reader, save
from memcli.transcript.lines import Line, LineBuffer
from tests.transcript.scripts import FIXTURES, as_lines, entries_of, fixture, lines_of

WORDS = (
    "type role content message payload subtype operation uuid parentUuid isMeta toolUseResult tool_use_result attachment "
    "compactMetadata id name input arguments call_id output info git usage model tool_calls function messages text "
    "tool_use tool_result tool_use_id user assistant system attachment queue-operation enqueue remove dequeue popAll "
    "response_item event_msg session_meta turn_context compacted user_message token_count patch_apply_end function_call "
    "function_call_output reasoning custom_tool_call_output thread_rolled_back num_turns toolResult toolCall "
    "bashExecution compaction session firstKeptEntryId stopReason aborted queued_command prompt commandMode answers "
    "annotations preservedMessages uuids tool function_call success exit_code last_token_usage is_error "
    "compact_boundary isCompactSummary metadata"
).split()
ODD = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(WORDS) | st.text(max_size=8)
VALUES = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(records=st.lists(RECORDS, max_size=4))
def test_records_of_any_shape_are_read_or_counted(name: str, records: list[Any]) -> None:
    reader = open_reader(name)
    entries = entries_of(name, as_lines(*records), reader)
    single = [record for record in records if "messages" not in record]

    assert len(entries) + reader.problems.get("unreadable", 0) >= len(single)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_read(name: str, data: bytes) -> None:
    for entry in entries_of(name, lines_of(data)):
        assert 0 <= entry.offset <= entry.end <= len(data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(cuts=st.lists(st.integers(1, 16_000), max_size=8))
def test_any_chunking_gives_the_same_entries(name: str, cuts: list[int]) -> None:
    data = (FIXTURES / f"{name}.jsonl").read_bytes()
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    buffer, reader = LineBuffer(), open_reader(name)
    chunks = [data[start:end] for start, end in itertools.pairwise(places)]
    entries = [entry for chunk in chunks for line in buffer.feed(chunk) for entry in reader.read(line)]

    assert entries == entries_of(name, fixture(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_may_be_saved_after_any_line(name: str) -> None:
    lines = fixture(name)
    reader = open_reader(name)
    entries = []
    for line in lines:
        entries += reader.read(line)
        reader = open_reader(name, save(reader))

    assert entries == entries_of(name, lines)


@pytest.mark.parametrize("name", NAMES)
def test_entries_tile_the_file_and_survive_being_stored(name: str) -> None:
    entries = entries_of(name, fixture(name))
    stored = msgspec.msgpack.encode(entries)

    assert [entry.offset for entry in entries[1:]] == [entry.end for entry in entries[:-1]]
    assert msgspec.msgpack.decode(stored, type=list[Entry]) == entries


@pytest.mark.parametrize("name", NAMES)
def test_what_a_reader_remembers_is_bounded(name: str) -> None:
    reader = open_reader(name)
    sizes = []
    for turn in range(200):
        for line in fixture(name):
            data = re.sub(rb'"(msg|call|toolu)_', b'"\\1_%d_' % turn, line.data)
            reader.read(Line(line.offset, line.end, data))
        sizes.append(len(save(reader)))

    assert max(sizes[100:]) <= max(sizes[50:100]) + 100
    assert reader.problems == {}
