from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.formats.records import decode_line
from memcli.transcript.lines import Line

DECODER = msgspec.json.Decoder(dict)


def decode(data: bytes, offset: int = 0) -> tuple[list[tuple[int, int, dict[str, object]]], dict[str, int]]:
    problems: dict[str, int] = {}
    found = decode_line(Line(offset, offset + len(data), data), DECODER, problems)
    return [(item.offset, item.end, item.record) for item in found], problems


def test_a_clean_line_is_one_record() -> None:
    assert decode(b'{"a":1}\r\n', 10) == ([(10, 19, {"a": 1})], {})


def test_two_objects_on_a_line_share_it_and_the_last_takes_the_rest() -> None:
    assert decode(b'{"a":1} {"b":2} \n', 100) == ([(100, 107, {"a": 1}), (107, 117, {"b": 2})], {})


@pytest.mark.parametrize("blank", [b"\n", b"  \t\r\n", b"\x00\x00\x00\n", b"\xef\xbb\xbf\n"])
def test_a_blank_line_is_no_problem(blank: bytes) -> None:
    assert decode(blank) == ([], {})


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s\n", b"\x00\x00%s\x00\n", b" %s \r\n"])
def test_what_stands_around_a_record_is_not_looked_at(around: bytes) -> None:
    line = around % b'{"a":1}'

    assert decode(line) == ([(0, len(line), {"a": 1})], {})


def test_offsets_count_bytes_also_after_wrong_ones() -> None:
    first = b'{"a":"\xff\xc3\xa9"}'
    found, _ = decode(first + b'{"b":2}\n')

    assert [(0, len(first)), (len(first), len(first) + 8)] == [item[:2] for item in found]


def test_lone_surrogates_and_wrong_bytes_become_the_replacement_character() -> None:
    assert decode(b'{"a":"x\\ud83dy"}\n')[0][0][2] == {"a": "x\ufffdy"}
    assert decode(b'{"a":"x\xffy"}\n')[0][0][2] == {"a": "x\ufffdy"}


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert decode(b'{"a":"\\ud83d\\ude00"}{}\n')[0][0][2] == {"a": "\U0001f600"}


def test_control_characters_within_strings_are_taken() -> None:
    assert decode(b'{"a":"x\ty"}\n')[0][0][2] == {"a": "x\ty"}


@pytest.mark.parametrize("bad", [b"nonsense", b"[1]", b"12", b'{"a":', b'"text"', b"[" * 100_000])
def test_what_is_no_object_is_counted(bad: bytes) -> None:
    assert decode(bad + b"\n") == ([], {"unreadable": 1})


def test_garbage_after_a_record_is_counted_and_belongs_to_its_span() -> None:
    assert decode(b'{"a":1} garbage\n') == ([(0, 16, {"a": 1})], {"unreadable": 1})


@settings(max_examples=60)
@given(
    st.binary() | st.lists(st.sampled_from([b'{"a":', b"1}", b"\xff", b"\\ud800", b'"', b"{}", b"\x00"])).map(b"".join)
)
def test_no_bytes_raise_and_spans_lie_in_order_within_the_line(data: bytes) -> None:
    found, _ = decode(data)
    edges = [edge for start, end, _ in found for edge in (start, end)]

    assert edges == sorted(edges)
    assert not found or (edges[0], edges[-1]) == (0, len(data))
