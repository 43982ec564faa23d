"""The commit point: what is built is read back, what is damaged is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli import head as heads

numbers = st.integers(0, 2**40)
names = st.text(max_size=12)
built = st.builds(
    heads.Head,
    format=names,
    session=names,
    generation=names,
    made=st.floats(0, 4e9),
    covered=numbers,
    tail=numbers,
    end=numbers,
    fingerprint=numbers,
    before=st.binary(max_size=40),
    state=st.binary(max_size=40),
    after=st.binary(max_size=40),
    envelope=names,
    memory_name=names,
    open_calls=numbers,
    skip=st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple),
    words=st.lists(st.tuples(numbers, names), max_size=3).map(tuple),
    cuts=st.lists(st.tuples(numbers, st.sampled_from("tr"), numbers, numbers), max_size=3).map(tuple),
    fills=st.lists(st.tuples(numbers, numbers, names), max_size=3).map(tuple),
    opening=numbers,
    closing=numbers,
    room=numbers,
    edit_key=names,
)


def small() -> heads.Head:
    spans = {"covered": 20, "tail": 10, "end": 30, "fingerprint": 7, "skip": ((11, 12),), "words": ((13, "no, stop"),)}
    pieces = {"before": b"\n\nbefore", "state": b"", "after": b"after\x00\n"}
    return heads.Head(format="pi", session="s", generation="g", made=1.5, **spans, **pieces)


@given(built)
def test_what_was_built_is_read_back(head) -> None:
    assert heads.parse(heads.build(head)) == head


def test_every_changed_byte_is_seen() -> None:
    data = heads.build(small())
    for place in range(len(data)):
        for flip in (1, 32, 128, 255):
            damaged = bytearray(data)
            damaged[place] ^= flip
            with pytest.raises(ValueError, match="damaged"):
                heads.parse(bytes(damaged))


def test_a_missing_or_added_byte_is_seen() -> None:
    data = heads.build(small())
    for place in range(len(data)):
        with pytest.raises(ValueError, match="damaged"):
            heads.parse(data[:place])
    with pytest.raises(ValueError, match="damaged"):
        heads.parse(data + b"\n")


def test_bytes_that_change_places_are_seen() -> None:
    """A Mersenne prime as modulus would miss some of these."""
    data = bytes(range(256)) * 4
    for distance in (61, 89, 127, 521):
        swapped = bytearray(data)
        swapped[100], swapped[100 + distance] = data[100 + distance], data[100]
        assert heads.number(bytes(swapped)) != heads.number(data)


def test_leading_zero_bytes_count() -> None:
    assert len({heads.number(b"\0" * length) for length in range(50)}) == 50


def test_heads_differ_when_one_field_differs() -> None:
    other = small()
    other.words = ()

    assert other != small()
    assert small() == small()
    assert "words=()" in repr(other)


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        heads.parse(heads.build(small()).replace(b"memcli-head 2 ", b"memcli-head 1 "))


def test_a_header_without_a_field_is_refused() -> None:
    body = heads.build(small()).partition(b"\n")[2].replace(b"covered 20\n", b"")
    with pytest.raises(ValueError, match="covered"):
        heads.parse(heads._sealed(b"memcli-head", body))


@given(built, numbers, st.binary(max_size=30))
def test_now_is_what_of_a_head_changes_while_the_transcript_grows(head, end, state) -> None:
    later = heads.renewed(head, end=end, state=state, skip=((1, 2),), words=((3, "no, stop"),), open_calls=1)
    data = heads.build_now(later)

    assert heads.parse_now(data, head) == later
    with pytest.raises(ValueError, match="damaged"):
        heads.parse_now(data[:-1] + bytes([data[-1] ^ 4]), head)


def test_now_of_another_memory_is_refused() -> None:
    other = heads.renewed(small(), generation="another")
    with pytest.raises(ValueError, match="another memory"):
        heads.parse_now(heads.build_now(other), small())


@pytest.mark.parametrize(("covered", "end"), [(0, 0), (0, 5), (700, 700), (9000, 9100), (9000, 90000)])
def test_spans_stand_at_the_start_before_the_boundary_and_before_the_end(covered, end) -> None:
    first, middle, last = heads.spans(covered, end)

    assert first[0] == 0
    assert middle[1] == covered
    assert last[1] == end
    assert all(0 <= begin <= stop <= end for begin, stop in (first, middle, last))


def test_a_fingerprint_knows_where_its_pieces_end() -> None:
    assert heads.fingerprint((b"a", b"bc", b"")) != heads.fingerprint((b"ab", b"c", b""))


def test_nothing_is_imported_for_it() -> None:
    code = "import sys; before = set(sys.modules); import memcli.head; print(set(sys.modules) - before)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.replace("'", "") in ("{memcli, memcli.head}\n", "{memcli.head, memcli}\n")
