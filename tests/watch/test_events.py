"""Hints from the file system: what is noticed, and that nothing is lost but time when they fail."""

from __future__ import annotations

import os
import threading
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from memcli.watch.events import Changed, Events, expected
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

        return eventually(arrived)

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

    def start(*directories: Path) -> Noted:
        noted = Noted()
        opened.append(Events(noted.inbox.put))
        assert opened[-1].watch(map(str, directories))
        for directory in directories:
            probe = directory / "probe"
            assert eventually(lambda probe=probe: probe.touch() or bool(noted.inbox.qsize()))
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
    noted = noticing(room)
    happens(path)
    assert noted.has(path)


def test_a_file_that_was_replaced_by_a_rename_is_still_heard(room, noticing):
    """A watch on the file itself would be deaf from here on."""
    path = room / "t.jsonl"
    path.touch()
    noted = noticing(room)
    replace(path)
    assert noted.has(path)
    for _ in range(2):
        noted.forget(room)
        write(path)
        assert noted.has(path)


def test_a_file_deleted_and_made_anew_is_still_heard(room, noticing):
    path = room / "t.jsonl"
    path.touch()
    noted = noticing(room)
    path.unlink()
    path.touch()
    assert noted.has(path)
    noted.forget(room)
    write(path)
    assert noted.has(path)


def test_a_directory_is_heard_at_its_surface_only(room, noticing):
    """What is made in it is told; what happens in there is not, until it is watched, too."""
    noted = noticing(room)
    (room / "deep").mkdir()
    assert noted.has(room / "deep")
    write(room / "deep" / "t.jsonl")
    write(room / "last")
    assert noted.has(room / "last")
    assert str(room / "deep" / "t.jsonl") not in noted.paths


def test_other_directories_take_the_place_of_those_before(room, tmp_path):
    (tmp_path / "other").mkdir()
    noted, before = Noted(), threading.active_count()
    events = Events(noted.inbox.put)
    for directory in (room, tmp_path / "other"):
        assert events.watch([str(directory)])
        noted.forget(directory)
    assert eventually(lambda: threading.active_count() == before + 1)  # the watcher of those before has ended
    write(room / "t.jsonl")
    noted.forget(tmp_path / "other")
    assert str(room / "t.jsonl") not in noted.paths
    events.close()


def test_a_directory_that_is_not_there_costs_its_events_and_nothing_else(tmp_path, room):
    noted = Noted()
    events = Events(noted.inbox.put)
    assert events.watch([str(tmp_path / "none"), str(room)])
    write(room / "t.jsonl")
    assert noted.has(room / "t.jsonl")
    events.close()


def test_there_is_one_thread_and_closing_ends_it(room, tmp_path):
    before = set(threading.enumerate())
    events = Events(print)
    events.watch([str(tmp_path), str(room)])
    assert len(set(threading.enumerate()) - before) == 1
    events.watch([str(room)])
    events.close()
    assert eventually(lambda: set(threading.enumerate()) == before)


@pytest.mark.parametrize(("value", "wanted"), [("", True), ("false", True), ("1", False), ("true", False)])
def test_who_asks_for_polling_gets_no_events(monkeypatch, value, wanted):
    """Ours is done by the sweep; that of watchfiles would miss the second of two changes in a second."""
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", value)
    assert expected() == (wanted and "microsoft" not in os.uname().release.lower())
