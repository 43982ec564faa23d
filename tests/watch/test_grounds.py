"""Where transcripts are: what is found, and which directories have to be watched for more."""

from __future__ import annotations

import os
import time

import pytest

from memcli.watch.grounds import Grounds


@pytest.fixture
def room(tmp_path):
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def made(*paths) -> set[str]:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return set(map(str, paths))


def grounds(*trees, files=()) -> Grounds:
    found = Grounds(map(str, trees), map(str, files))
    found.search()
    return found


def test_every_transcript_below_is_found_and_every_directory_watched(room):
    wanted = made(room / "a.jsonl", room / "deep" / "er" / "b.jsonl")
    found = Grounds([str(room)], [])
    assert found.search() == wanted
    assert set(found.directories) == {str(room), str(room / "deep"), str(room / "deep" / "er")}


def test_neither_hidden_directories_nor_our_own_files_nor_others_are_found(room):
    made(room / ".cache" / "a.jsonl", room / "run.compacted.jsonl", room / "notes.txt", room / "session-memory.md")
    (room / "odd.jsonl").mkdir()
    assert Grounds([str(room)], []).search() == set()


def test_links_mean_what_they_point_to_and_its_directory_is_watched(room, tmp_path):
    (target,) = made(tmp_path / "far" / "run.jsonl")
    inside = made(tmp_path / "other" / "in.jsonl")
    (room / "link.jsonl").symlink_to(target)
    (room / "again.jsonl").symlink_to(target)
    (room / "way").symlink_to(tmp_path / "other")
    found = Grounds([str(room)], [])
    assert found.search() == {target} | inside
    assert {str(tmp_path / "far"), str(tmp_path / "other")} < set(found.directories)


def test_links_in_a_circle_are_walked_once(room):
    wanted = made(room / "deep" / "a.jsonl")
    (room / "deep" / "up").symlink_to(room)
    assert Grounds([str(room)], []).search() == wanted


def test_a_link_to_a_file_of_ours_is_none(room):
    made(room / ".memcli" / "run.jsonl" / "line-1.jsonl")
    (room / "link.jsonl").symlink_to(room / ".memcli" / "run.jsonl" / "line-1.jsonl")
    assert Grounds([str(room)], []).search() == set()


def test_the_directory_of_a_named_file_is_watched_and_not_searched(room):
    made(room / "run.jsonl", room / "other.jsonl")
    found = grounds(files=[room / "run.jsonl"])
    assert set(found.directories) == {str(room)}
    assert found.means(str(room / "run.jsonl")) == str(room / "run.jsonl")
    assert found.means(str(room / "other.jsonl")) == ""


def test_what_happens_below_means_a_transcript_by_its_real_path(room, tmp_path):
    found = grounds(room)
    (target,) = made(tmp_path / "far" / "run.jsonl")
    (room / "link.jsonl").symlink_to(target)
    (new,) = made(room / "new.jsonl")
    assert found.means(new) == new
    assert found.means(str(room / "link.jsonl")) == target
    assert found.means(str(room / "gone.jsonl")) == ""
    assert found.means(target) == ""


def test_a_directory_that_has_come_is_searched_and_watched(room, tmp_path):
    found = grounds(room)
    wanted = made(room / "new" / "deep" / "a.jsonl")
    assert found.look_into(str(room / "new")) == wanted
    assert {str(room / "new"), str(room / "new" / "deep")} < set(found.directories)
    made(room / ".hidden" / "b.jsonl", tmp_path / "beside" / "c.jsonl")
    assert found.look_into(str(room / ".hidden")) == found.look_into(str(tmp_path / "beside")) == set()


def old(directory) -> None:
    """As if nothing had happened in a directory for long."""
    os.utime(directory, (time.time() - 100,) * 2)


def test_only_directories_that_changed_are_searched_again(room):
    made(room / "quiet" / "a.jsonl", room / "busy" / "b.jsonl")
    old(room / "quiet")
    old(room / "busy")
    found = grounds(room)
    old(room)
    found.search()
    new = made(room / "busy" / "c.jsonl")
    assert found.search() == new | {str(room / "busy" / "b.jsonl")}


def test_a_directory_made_anew_is_told_from_the_one_before(room):
    made(room / "deep" / "a.jsonl")
    found = grounds(room)
    before = dict(found.directories)
    (room / "deep").rename(room / "moved")
    again = made(room / "deep" / "b.jsonl")
    assert again < found.search()
    assert found.directories[str(room / "deep")] != before[str(room / "deep")]
    assert found.directories[str(room / "moved")] == before[str(room / "deep")]


def test_a_directory_that_is_gone_is_not_watched_any_more(room):
    made(room / "deep" / "a.jsonl")
    found = grounds(room)
    (room / "deep" / "a.jsonl").unlink()
    (room / "deep").rmdir()
    found.search()
    assert set(found.directories) == {str(room)}
