"""What changed, and how it is found out: by a hint, by looking, and the sooner the less there are hints."""

from __future__ import annotations

import os

import pytest

from memcli.watch.grounds import Grounds
from memcli.watch.lookout import DEAF_SWEEP_SECONDS, OVERFLOW, SWEEP_SECONDS, Lookout
from memcli.watch.roster import Roster
from memcli.watch.tail import identity


@pytest.fixture
def room(tmp_path):
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


@pytest.fixture
def looking(room):
    """Starts lookouts over the room that have looked once, and closes them with the test."""
    opened = []

    def start(*trees, files=()) -> Lookout:
        opened.append(Lookout(Roster(), Grounds(map(str, trees or [room]), map(str, files)), lambda _: None))
        return opened[-1]

    yield start
    for lookout in opened:
        lookout.close()


def made(*paths) -> list[str]:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    return list(map(str, paths))


def names(known) -> list[str]:
    return [one.path for one in known]


def test_at_first_all_there_is_is_old_the_newest_first(room, looking):
    paths = made(*(room / f"{number}.jsonl" for number in range(5)))
    for number, path in enumerate(paths):
        os.utime(path, (1000 + number,) * 2)
    noticed = looking().look(0.0)
    assert (names(noticed.old), noticed.changed) == (paths[::-1], [])


def test_what_is_found_later_and_was_just_written_is_news(room, looking):
    lookout = looking()
    lookout.look(0.0)
    (fresh, stale) = made(room / "new" / "a.jsonl", room / "new" / "b.jsonl")
    os.utime(stale, (1000,) * 2)
    noticed = lookout.look(lookout.due + 60)
    assert (names(noticed.changed), names(noticed.old)) == ([fresh], [stale])


def test_a_hint_at_a_directory_means_all_that_is_in_it(room, looking):
    """The kernel tells of the directory alone where files are made with it."""
    lookout = looking()
    lookout.look(0.0)
    paths = made(*(room / "new" / f"{number}.jsonl" for number in range(3)))
    assert names(lookout.hinted([str(room / "new")])) == paths


def test_hints_at_files_of_ours_and_at_what_is_gone_mean_nothing(room, looking):
    lookout = looking()
    lookout.look(0.0)
    made(room / "session-memory.md", room / "run.compacted.jsonl", room / ".memcli" / "run.jsonl" / "head")
    hints = ["session-memory.md", "run.compacted.jsonl", ".memcli", "gone.jsonl", "gone"]
    assert lookout.hinted([str(room / name) for name in hints]) == []


def test_a_hint_at_what_is_no_transcript_counts_if_another_file_stands_there(room, looking):
    (path,) = made(room / "run.jsonl")
    lookout = looking()
    (known,) = lookout.look(0.0).old
    known.refused = "no transcript"
    assert lookout.hinted([path]) == []
    os.unlink(path)
    made(room / "other", room / "run.jsonl")
    os.truncate(path, 1)
    assert lookout.hinted([path]) == [known]


def test_so_many_hints_at_once_that_some_may_be_lost_are_followed_by_a_sweep(room, looking):
    (path,) = made(room / "run.jsonl")
    lookout = looking()
    (known,) = lookout.look(0.0).old
    lookout.look(1.0)
    made(room / "run.jsonl")
    with open(path, "a") as file:
        file.write("more\n")
    lookout.hinted([str(room / f"{number}.txt") for number in range(OVERFLOW + 1)])
    assert lookout.due == 0.0
    assert lookout.look(1.01).changed == [known]


def test_without_hints_the_sweep_alone_is_often_enough(room, looking, monkeypatch):
    hearing = looking()
    hearing.look(100.0)
    hearing.look(200.0)
    assert hearing.due >= 200.0 + SWEEP_SECONDS[0]
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    deaf = looking()
    deaf.look(100.0)
    deaf.look(200.0)
    assert deaf.due <= 200.0 + DEAF_SWEEP_SECONDS[1]


def test_when_the_hints_end_they_are_asked_for_again(room, looking):
    lookout = looking()
    lookout.look(100.0)
    lookout.look(200.0)
    lookout.deaf()
    assert lookout.due <= 200.0
    lookout.look(200.0)
    assert lookout.due > 200.0


def test_a_named_file_that_is_not_there_is_found_when_it_comes(room, looking):
    lookout = looking(room / "none", files=[room / "late.jsonl"])
    known = lookout._roster.add(str(room / "late.jsonl"))
    assert lookout.look(0.0).changed == []
    made(room / "late.jsonl")
    assert lookout.look(100.0).changed == [known]
    known.seen = identity(known.path)
    assert lookout.look(200.0).changed == []
