from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.sidecar.snapshots import KEPT, Snapshots
from tests.sidecar.builders import FullDisk

if TYPE_CHECKING:
    from pathlib import Path


def a_log(directory: Path, *offsets: int) -> Snapshots:
    log = Snapshots(directory / "ledger")
    for offset in offsets:
        log.append(offset, b"fold at %d" % offset)
    return log


def test_the_latest_not_beyond_an_offset_is_given(tmp_path: Path) -> None:
    log = a_log(tmp_path, 10, 20, 30)
    assert log.latest(29) == (20, b"fold at 20")
    assert log.latest(30) == (30, b"fold at 30")
    assert log.latest(9) is None


def test_a_restart_finds_the_same(tmp_path: Path) -> None:
    a_log(tmp_path, 10, 20)
    assert Snapshots(tmp_path / "ledger").latest(99) == (20, b"fold at 20")


def test_a_later_one_of_the_same_offset_wins(tmp_path: Path) -> None:
    log = a_log(tmp_path, 10)
    log.append(10, b"again")
    assert log.latest(10) == (10, b"again")
    assert Snapshots(tmp_path / "ledger").latest(10) == (10, b"again")


def test_a_discarded_branch_stays_discarded_after_a_restart(tmp_path: Path) -> None:
    log = a_log(tmp_path, 10, 20, 30, 40)
    log.discard(10, 40)
    assert log.offsets() == [10, 40]
    assert Snapshots(tmp_path / "ledger").offsets() == [10, 40]


def test_a_frame_after_a_discarded_branch_may_lie_inside_it(tmp_path: Path) -> None:
    log = a_log(tmp_path, 10, 20, 30)
    log.discard(10, 30)
    log.append(20, b"new")
    assert Snapshots(tmp_path / "ledger").latest(29) == (20, b"new")


@pytest.mark.parametrize("torn", [1, 7, 20, 30])
def test_a_torn_last_frame_is_as_if_never_written(tmp_path: Path, torn: int) -> None:
    a_log(tmp_path, 10, 20)
    path = tmp_path / "ledger"
    os.truncate(path, path.stat().st_size - torn)
    log = Snapshots(path)
    assert log.latest(99) == (10, b"fold at 10")
    log.append(30, b"on it goes")
    assert Snapshots(path).offsets() == [10, 30]


@given(position=st.integers(0), flip=st.integers(1, 255))
def test_no_damaged_byte_ever_gives_a_wrong_snapshot(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    a_log(directory, 10, 20)
    data = bytearray((directory / "ledger").read_bytes())
    data[position % len(data)] ^= flip
    (directory / "ledger").write_bytes(data)
    found = Snapshots(directory / "ledger").latest(99)
    assert found in (None, (10, b"fold at 10"), (20, b"fold at 20"))


def test_a_full_disk_costs_the_last_snapshot_only(tmp_path: Path) -> None:
    a_log(tmp_path, 10)
    full = Snapshots(tmp_path / "ledger", FullDisk(12))
    with pytest.raises(OSError, match="No space left"):
        full.append(20, b"x" * 1000)
    assert full.offsets() == [10]
    a_log(tmp_path, 30)
    assert Snapshots(tmp_path / "ledger").offsets() == [10, 30]


def test_the_log_is_bounded_in_number_and_in_bytes(tmp_path: Path) -> None:
    log = Snapshots(tmp_path / "ledger")
    for offset in range(5 * KEPT):
        log.append(offset, os.urandom(500))
    assert log.offsets() == list(range(4 * KEPT, 5 * KEPT))
    assert (tmp_path / "ledger").stat().st_size < 2.2 * KEPT * 540
    assert Snapshots(tmp_path / "ledger").offsets()[-KEPT:] == log.offsets()


def test_a_tidied_log_still_gives_every_snapshot(tmp_path: Path) -> None:
    log = a_log(tmp_path, *([10] * 20), 20, 30)
    assert [log.latest(offset) for offset in (10, 20, 30)] == [(at, b"fold at %d" % at) for at in (10, 20, 30)]


def test_a_file_that_is_no_log_is_replaced_by_one(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_bytes(b"from a later version of memcli")
    log = a_log(tmp_path, 10)
    assert log.latest(10) == (10, b"fold at 10")
    assert Snapshots(tmp_path / "ledger").offsets() == [10]
