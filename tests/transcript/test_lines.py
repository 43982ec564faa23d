from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.lines import Line, LineBuffer, whole
from tests.transcript.scripts import lines_of

DIRTY = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\x00", b"\xff", b"\xe2\x80\xa8", b"{}"])).map(b"".join)


def test_a_line_keeps_its_exact_bytes_and_its_place() -> None:
    lines = LineBuffer().feed(b"one\r\n\x00two\n")

    assert lines == [Line(0, 5, b"one\r\n"), Line(5, 10, b"\x00two\n")]


def test_only_lf_ends_a_line() -> None:
    assert LineBuffer().feed("a\u2028b\x85c\rd\x0be".encode()) == []


def test_what_follows_the_last_lf_is_the_rest() -> None:
    buffer = LineBuffer()
    buffer.feed(b"one\ntw")
    buffer.feed(b"o")

    assert buffer.rest == Line(4, 7, b"two")


def test_a_finished_file_has_no_rest() -> None:
    buffer = LineBuffer()
    buffer.feed(b"one\n")

    assert buffer.rest is None


def test_a_rest_that_was_taken_is_not_given_again() -> None:
    buffer = LineBuffer()
    buffer.feed(b"{}")

    assert buffer.take_rest() == Line(0, 2, b"{}")
    assert buffer.feed(b"\nx\n") == [Line(2, 3, b"\n"), Line(3, 5, b"x\n")]


def test_reading_may_begin_in_the_middle_of_a_file() -> None:
    assert LineBuffer(100).feed(b"x\n") == [Line(100, 102, b"x\n")]


@settings(max_examples=60)
@given(data=DIRTY, cuts=st.lists(st.integers(0, 200)))
def test_any_chunking_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    buffer = LineBuffer()
    lines = [line for start, end in itertools.pairwise(places) for line in buffer.feed(data[start:end])]

    assert lines_of(data) == lines + ([buffer.rest] if buffer.rest else [])


@settings(max_examples=60)
@given(data=DIRTY)
def test_lines_tile_the_file(data: bytes) -> None:
    assert b"".join(line.data for line in lines_of(data)) == data
    assert all(line.end - line.offset == len(line.data) for line in lines_of(data))


def test_a_whole_record_is_told_from_half_a_one() -> None:
    assert whole(Line(0, 0, b'{"a": 1}'))
    assert whole(Line(0, 0, b'\xef\xbb\xbf{"a": 1} {"b": 2}\x00'))
    assert not whole(Line(0, 0, b'{"a": 1} {"b"'))
    assert not whole(Line(0, 0, b"12"))
    assert not whole(Line(0, 0, b"  "))
