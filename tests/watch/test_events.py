"""Hints from the file system: what is noticed, and that nothing is lost but time when they fail."""

from __future__ import annotations

import threading
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from memcli.watch.events import Changed, Events
from tests.builders import eventually

if TYPE_CHECKING:
    from pathlib import Path


class Noted:
    """What was noticed so far, and by whom."""

    def __init__(self) -> None:
        self.inbox: SimpleQueue[Changed] = SimpleQueue()
        self.paths: set[str] = set()
        self.numbers = count()

    def has(self, path: object) -> bool:
        def arrived() -> bool:
            while not self.inbox.empty():
                self.paths |= self.inbox.get().paths
            return str(path) in self.paths

        return eventually(arrived, within=5.0)

    def forget(self, directory: Path) -> None:
        """What happened so far is of no interest; a file made now comes after all of it."""
        last = directory / f"last{next(self.numbers)}"
        last.touch()
        assert self.has(last)
        self.paths.clear()


@pytest.fixture
def noticing():
    """Starts watchers that have proved to hear, and closes them with the test."""
    opened = []

    def start(flat=(), trees=()) -> Noted:
        noted = Noted()
        opened.append(Events(noted.inbox.put, map(str, flat), map(str, trees)))
        for directory in (*flat, *trees):
            probe = directory / "probe"
            assert eventually(lambda probe=probe: probe.touch() or bool(noted.inbox.qsize()), within=5.0)
            assert noted.has(probe)
        return noted

    yield start
    for events in opened:
        events.close()


@pytest.fixture
def room(tmp_path):
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def write(path) -> None:
    with path.open("ab") as file:
        file.write(b"line\n")


def replace(path) -> None:
    path.with_name("other").write_bytes(b"other\n")
    path.with_name("other").replace(path)


def delete(path) -> None:
    path.unlink()


@pytest.mark.parametrize("happens", [write, replace, delete])
def test_what_happens_to_a_file_is_noticed(room, noticing, happens):
    path = room / "t.jsonl"
    path.touch()
    noted = noticing(flat=[room])
    happens(path)
    assert noted.has(path)


def test_a_file_that_was_replaced_by_a_rename_is_still_heard(room, noticing):
    """A watch on the file itself would be deaf from here on."""
    path = room / "t.jsonl"
    path.touch()
    noted = noticing(flat=[room])
    replace(path)
    assert noted.has(path)
    for _ in range(2):
        noted.forget(room)
        write(path)
        assert noted.has(path)


def test_a_file_deleted_and_made_anew_is_still_heard(room, noticing):
    path = room / "t.jsonl"
    path.touch()
    noted = noticing(flat=[room])
    path.unlink()
    path.touch()
    assert noted.has(path)
    noted.forget(room)
    write(path)
    assert noted.has(path)


def test_a_tree_is_heard_in_its_depth_and_in_directories_made_later(room, noticing):
    """Of a directory that is made with a file in it only the directory is told: the loop has to look inside."""
    noted = noticing(trees=[room])
    (room / "deep").mkdir()
    write(room / "deep" / "t.jsonl")
    assert noted.has(room / "deep")
    noted.forget(room)
    write(room / "deep" / "t.jsonl")
    assert noted.has(room / "deep" / "t.jsonl")


def test_a_flat_directory_is_heard_at_its_surface_only(room, noticing):
    (room / "deep").mkdir()
    noted = noticing(flat=[room])
    write(room / "deep" / "t.jsonl")
    write(room / "last")
    assert noted.has(room / "last")
    assert str(room / "deep" / "t.jsonl") not in noted.paths


def test_a_directory_that_is_not_there_costs_its_events_and_nothing_else(tmp_path, room, noticing):
    noted = noticing(trees=[room])
    Events(noted.inbox.put, [str(tmp_path / "none")], []).close()
    write(room / "t.jsonl")
    assert noted.has(room / "t.jsonl")


def test_closing_ends_every_thread(room, tmp_path):
    before = set(threading.enumerate())
    events = Events(print, [str(tmp_path)], [str(room)])
    assert len(set(threading.enumerate()) - before) == 2
    events.close()
    assert set(threading.enumerate()) == before


def test_nothing_to_watch_is_no_thread():
    before = threading.active_count()
    Events(print, [], []).close()
    assert threading.active_count() == before
