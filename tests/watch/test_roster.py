"""What is kept of a transcript while it rests, and what the sweep makes of it."""

from __future__ import annotations

import os
import sys

import pytest

from memcli.sidecar.place import Place
from memcli.watch.roster import Known, Roster
from memcli.watch.tail import identity


@pytest.fixture
def path(tmp_path):
    (tmp_path / "run.jsonl").write_text("{}\n")
    return tmp_path / "run.jsonl"


@pytest.fixture
def known(path):
    known = Known(str(path))
    known.seen = identity(str(path))
    return known


def grow(path) -> None:
    with path.open("a") as file:
        file.write("{}\n")


def replace(path) -> None:
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)


def shrink(path) -> None:
    os.truncate(path, 1)


@pytest.mark.parametrize("happens", [grow, replace, shrink])
def test_a_change_is_seen_until_it_was_dealt_with(path, known, happens):
    assert not known.changed()
    happens(path)
    assert known.changed()
    assert known.changed()
    known.seen = identity(str(path))
    assert not known.changed()


def test_what_is_gone_is_seen_again_when_it_comes_back(path, known):
    content = path.read_bytes()
    path.unlink()
    assert not known.changed()
    path.write_bytes(content)
    assert known.changed()


def test_of_what_is_no_transcript_only_another_file_counts(path, known):
    known.refused = "no transcript"
    grow(path)
    assert not known.changed()
    replace(path)
    assert known.changed()


def test_one_that_another_process_has_counts_as_any_other(path, known):
    known.refused, known.held = "watched", True
    grow(path)
    assert known.changed()


def test_it_knows_its_sidecar_without_looking(path, known):
    assert known.sidecar == str(Place.of(path).sidecar)
    known.elsewhere = "/srv/state/run"
    assert known.sidecar == "/srv/state/run"


def test_the_sweep_finds_all_that_changed_and_nothing_else(tmp_path):
    roster = Roster()
    for number in range(20):
        (tmp_path / str(number)).touch()
        roster.add(str(tmp_path / str(number))).seen = identity(str(tmp_path / str(number)))
    for number in range(0, 20, 3):
        grow(tmp_path / str(number))
    assert [known.path for known in roster.sweep()] == [str(tmp_path / str(number)) for number in range(0, 20, 3)]


def test_those_that_are_gone_are_forgotten_but_for_those_that_were_named(path, tmp_path):
    roster = Roster()
    for one in (path, tmp_path / "gone", tmp_path / "named"):
        roster.add(str(one))
    roster.forget({str(tmp_path / "named")})
    assert {known.path for known in roster} == {str(path), str(tmp_path / "named")}


def test_one_that_rests_takes_less_than_a_kibibyte(known):
    parts = [known, known.path, known.seen, *known.seen, known.refused, known.elsewhere]
    assert sum(map(sys.getsizeof, parts)) + 200 < 1024  # 200: its place in the roster
