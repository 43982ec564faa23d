"""Snapshots as differences: every content comes back byte for byte, within bounds."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.ledger.history import FRESH, GROUP, HELD, KEPT, History, Snapshot, difference, patched

PIECES = st.lists(st.sampled_from([b"", b"a", b"fold ", b"\x00\xff", b"0123456789abcdef" * 9, b"x" * 700]), max_size=12)
CONTENTS = PIECES.map(b"".join)


def grown(turns: int) -> list[bytes]:
    """Contents as a ledger has them: most stays, some changes, some comes."""
    content = os.urandom(4_000)
    contents = []
    for turn in range(turns):
        content = content[: turn * 7] + b"%d" % turn + content[turn * 7 + 1 :] + os.urandom(40)
        contents.append(content)
    return contents


def of(contents: list[bytes], stored: int = 1) -> History:
    """A history of which every `stored` turns the items were asked for."""
    history = History()
    for offset, content in enumerate(contents):
        history.add(offset, content)
        if stored and offset % stored == 0:
            assert history.items
    return history


@settings(max_examples=200)
@given(before=CONTENTS, after=CONTENTS)
def test_a_difference_gives_the_content_back(before: bytes, after: bytes) -> None:
    assert patched(before, difference(before, after)) == after


@settings(max_examples=100)
@given(content=st.binary(min_size=200, max_size=3000), place=st.integers(0, 200), cut=st.integers(0, 90), new=CONTENTS)
def test_a_change_in_one_place_gives_the_content_back(content: bytes, place: int, cut: int, new: bytes) -> None:
    after = content[:place] + new + content[place + cut :]

    assert patched(content, difference(content, after)) == after


def test_what_is_alike_costs_nothing() -> None:
    content = os.urandom(100_000)

    assert len(difference(content, content)) < 30
    assert len(difference(content, content[:50_000] + b"new" + content[50_000:])) < 200


@pytest.mark.parametrize("stored", [0, 1, 3])
def test_every_snapshot_comes_back(stored: int) -> None:
    contents = grown(40)
    history = of(contents, stored)

    assert [history.at(offset) for offset in range(40)] == contents
    assert history.newest == contents[-1]
    assert history.at(40) is None


def test_a_history_goes_on_from_its_items() -> None:
    contents = grown(30)
    one, other = of(contents), History(of(contents[:20]).items)
    for offset in range(20, 30):
        other.add(offset, contents[offset])
        assert other.items

    assert other.items == one.items


@pytest.mark.parametrize("stored", [1, 4])
def test_after_a_cut_the_other_branch_comes_back(stored: int) -> None:
    contents = grown(15)
    history = of(contents, stored)
    history.cut(10)
    history.add(12, b"another")

    assert [item.offset for item in history.items] == [*range(10), 12]
    assert (history.at(9), history.at(12)) == (contents[9], b"another")


def test_of_turns_that_come_in_one_go_the_newest_are_stored() -> None:
    contents = grown(40)
    history = of(contents, stored=0)

    assert [item.offset for item in history.items] == list(range(40 - FRESH, 40))
    assert (history.at(3), history.at(39 - FRESH), history.at(39)) == (None, None, contents[39])
    assert (history.last, history.newest) == (39, contents[39])


def test_a_gap_between_stored_turns_does_no_harm() -> None:
    contents = grown(60)
    history = of(contents[:5])
    for offset in range(5, 60):
        history.add(offset, contents[offset])
    again = History(history.items)

    assert [item.offset for item in again.items] == [*range(5), *range(60 - FRESH, 60)]
    assert all(again.at(item.offset) == contents[item.offset] for item in again.items)


def test_contents_that_wait_are_bounded() -> None:
    history = History()
    for offset in range(2 * KEPT):
        history.add(offset, b"x" * (HELD // KEPT if offset < KEPT else HELD // 8))

    assert history.at(2 * KEPT - GROUP - 1) is None
    assert history.at(2 * KEPT - GROUP) is not None


def test_a_history_is_bounded_and_keeps_the_newest() -> None:
    contents = grown(5 * KEPT)
    history = of(contents)

    assert KEPT <= len(history.items) <= KEPT + GROUP
    assert history.items[0].whole
    assert history.at(4 * KEPT) == contents[4 * KEPT]


@pytest.mark.parametrize("payload", [b"", b"no zlib", b"x\x9cK\xcb\xcfI\x01\x00\x04d\x01\xb1"])
def test_items_that_hold_no_content_are_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        History([Snapshot(0, True, payload)])


@pytest.mark.parametrize("offset", [0, 4, 5])
def test_a_snapshot_that_is_not_behind_all_others_is_not_kept(offset: int) -> None:
    history = History()
    history.add(5, b"five")
    history.add(offset, b"other")

    assert (history.last, history.newest, history.at(offset)) == (5, b"five", b"five" if offset == 5 else None)


def test_where_nothing_was_kept_there_is_nothing() -> None:
    history = History()

    assert (history.last, history.newest, history.at(0), history.items) == (-1, b"", None, [])


def test_cutting_all_away_begins_anew() -> None:
    history = of([b"a" * 50, b"b" * 50])
    history.cut(0)
    history.add(0, b"c")

    assert [(item.offset, item.whole) for item in history.items] == [(0, True)]
    assert history.at(0) == b"c"


def test_a_cut_keeps_what_was_taken_before_its_place() -> None:
    history = of([b"a", b"b", b"c"])
    history.cut(1)

    assert (history.last, history.at(0), history.at(1)) == (0, b"a", None)


@pytest.mark.parametrize("told", [b"", b"x", b"\xc1", difference(b"a", b"b")[:-1]])
def test_what_tells_no_difference_is_refused(told: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        patched(b"a", told)
