from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.history import KEPT, History
from memcli.sidecar.snapshots import Snapshots
from memcli.transcript.entries import Entry
from memcli.transcript.thread import State, Thread
from tests.sidecar.builders import FullDisk

if TYPE_CHECKING:
    from pathlib import Path


class Session:
    """What a log follows: snapshots, and a thread that has seen ids."""

    def __init__(self) -> None:
        self.history = History()
        self.thread = Thread()

    def turn(self, offset: int, content: bytes = b"") -> Session:
        self.history.add(offset, content or b"fold at %d" % offset)
        self.thread.place(Entry(offset, offset + 1, id=f"id-{offset}"))
        return self

    def logged(self, log: Snapshots) -> Session:
        log.follow(self.history.items, self.thread, self.thread.state.seen)
        return self


def a_log(directory: Path, *offsets: int) -> tuple[Snapshots, Session]:
    log, session = Snapshots(directory / "ledger"), Session()
    for offset in offsets:
        session.turn(offset).logged(log)
    return log, session


def contents(directory: Path) -> dict[int, bytes | None]:
    """What a new process finds."""
    history = History(Snapshots(directory / "ledger").read().snapshots)
    return {item.offset: history.at(item.offset) for item in history.items}


def ids(directory: Path) -> list[str]:
    past = Snapshots(directory / "ledger").read()
    thread = Thread(State(seen=past.known))
    thread.recollect(past.ids, past.known)
    return list(thread.state.nodes)


def test_a_restart_finds_the_same(tmp_path: Path) -> None:
    a_log(tmp_path, 10, 20)
    assert contents(tmp_path) == {10: b"fold at 10", 20: b"fold at 20"}
    assert ids(tmp_path) == ["id-10", "id-20"]


def test_a_turn_costs_the_bytes_that_are_new_in_it(tmp_path: Path) -> None:
    log, session = a_log(tmp_path)
    before = os.urandom(50_000)
    session.turn(10, before).logged(log)
    size = (tmp_path / "ledger").stat().st_size
    session.turn(20, before[:20_000] + b"new" + before[20_000:]).logged(log)
    assert (tmp_path / "ledger").stat().st_size - size < 200


def test_a_branch_that_was_left_is_gone_after_a_restart(tmp_path: Path) -> None:
    log, session = a_log(tmp_path, 10, 20, 30)
    session.history.cut(20)
    session.turn(40).logged(log)
    assert contents(tmp_path) == {10: b"fold at 10", 40: b"fold at 40"}
    assert ids(tmp_path) == ["id-10", "id-20", "id-30", "id-40"]


def test_a_branch_that_was_left_altogether_is_gone_too(tmp_path: Path) -> None:
    log, session = a_log(tmp_path, 10, 20)
    session.history.cut(0)
    session.logged(log)
    assert contents(tmp_path) == {}


def test_what_is_level_is_not_written_again(tmp_path: Path) -> None:
    log, session = a_log(tmp_path, 10, 20)
    before = (tmp_path / "ledger").stat()
    session.logged(log)
    after = (tmp_path / "ledger").stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (before.st_mtime_ns, before.st_size, before.st_ino)


def test_a_log_of_another_reading_is_written_anew(tmp_path: Path) -> None:
    a_log(tmp_path, 10, 20, 30)
    log = Snapshots(tmp_path / "ledger")
    log.read()
    Session().turn(5).turn(10, b"another").logged(log)
    assert contents(tmp_path) == {5: b"fold at 5", 10: b"another"}
    assert ids(tmp_path) == ["id-5", "id-10"]


def test_a_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    _, session = a_log(tmp_path, 10, 20)
    inode = (tmp_path / "ledger").stat().st_ino
    log = Snapshots(tmp_path / "ledger")
    log.read()
    session.turn(30).logged(log)
    assert list(contents(tmp_path)) == [10, 20, 30]
    assert (tmp_path / "ledger").stat().st_ino == inode


@pytest.mark.parametrize("torn", [1, 7, 17, 30])
def test_a_torn_last_frame_is_as_if_never_written(tmp_path: Path, torn: int) -> None:
    _, session = a_log(tmp_path, 10, 20)
    path = tmp_path / "ledger"
    os.truncate(path, path.stat().st_size - torn)
    assert contents(tmp_path) == {10: b"fold at 10"}
    log = Snapshots(path)
    log.read()
    session.turn(30).logged(log)
    assert contents(tmp_path) == {10: b"fold at 10", 20: b"fold at 20", 30: b"fold at 30"}


@given(position=st.integers(0), flip=st.integers(1, 255))
def test_no_damaged_byte_ever_gives_a_wrong_snapshot(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    a_log(directory, 10, 20)
    data = bytearray((directory / "ledger").read_bytes())
    data[position % len(data)] ^= flip
    (directory / "ledger").write_bytes(data)
    found = contents(directory)
    assert found in ({}, {10: b"fold at 10"}, {10: b"fold at 10", 20: b"fold at 20"})


def test_a_full_disk_costs_the_last_snapshot_only(tmp_path: Path) -> None:
    _, session = a_log(tmp_path, 10)
    full = Snapshots(tmp_path / "ledger", FullDisk(12))
    full.read()
    with pytest.raises(OSError, match="No space left"):
        session.turn(20, os.urandom(1000)).logged(full)
    assert list(contents(tmp_path)) == [10]
    log = Snapshots(tmp_path / "ledger")
    log.read()
    session.logged(log)
    assert list(contents(tmp_path)) == [10, 20]


def test_the_log_is_bounded_in_number_and_in_bytes(tmp_path: Path) -> None:
    log, session = a_log(tmp_path)
    for offset in range(5 * KEPT):
        session.turn(offset, os.urandom(500)).logged(log)
    assert KEPT <= len(session.history.items) <= 1.5 * KEPT
    assert (tmp_path / "ledger").stat().st_size < 2.2 * 1.5 * KEPT * 560
    assert list(contents(tmp_path))[-KEPT:] == list(range(4 * KEPT, 5 * KEPT))


def test_a_log_that_was_taken_away_is_written_anew(tmp_path: Path) -> None:
    log, session = a_log(tmp_path, 10, 20)
    (tmp_path / "ledger").unlink()
    session.turn(30).logged(log)
    assert list(contents(tmp_path)) == [10, 20, 30]
    assert ids(tmp_path) == ["id-10", "id-20", "id-30"]


def test_a_file_that_is_no_log_is_replaced_by_one(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_bytes(b"from a later version of memcli")
    a_log(tmp_path, 10)
    assert contents(tmp_path) == {10: b"fold at 10"}
