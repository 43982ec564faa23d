from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memcli.errors import NothingThere, TryAgain
from memcli.sidecar import backups
from tests.sidecar.builders import FullDisk, NoLinks, NoRename, a_store, a_transcript

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.sidecar.place import Place

ORIGINAL = "the long original\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return a_store(a_transcript(tmp_path, text=ORIGINAL)).place


def compacted(place: Place, content: bytes = b"short\n") -> backups.Replaced:
    return backups.replace(place, content, place.transcript.stat().st_size)


def test_the_transcript_is_replaced_and_its_backup_is_the_file_it_was(place: Place) -> None:
    inode = place.transcript.stat().st_ino
    replaced = compacted(place)
    assert place.transcript.read_text() == "short\n"
    assert replaced.backup.read_text() == ORIGINAL
    assert replaced.backup.stat().st_ino == inode
    assert replaced.late == 0


def test_mode_and_owner_stay(place: Place) -> None:
    place.transcript.chmod(0o640)
    before = place.transcript.stat()
    compacted(place)
    after = place.transcript.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_transcript_that_grew_meanwhile_is_left_alone(place: Place) -> None:
    with pytest.raises(TryAgain, match="grew"):
        backups.replace(place, b"short\n", len(ORIGINAL) - 1)
    assert place.transcript.read_text() == ORIGINAL
    with pytest.raises(NothingThere):
        backups.restore(place)


def test_what_a_host_writes_through_its_open_file_lands_in_the_backup(place: Place) -> None:
    with place.transcript.open("a") as host:
        replaced = compacted(place)
        host.write("one more line\n")
    assert replaced.backup.read_text() == ORIGINAL + "one more line\n"


def test_undo_brings_the_original_back_and_keeps_what_stood_there(place: Place) -> None:
    compacted(place)
    with place.transcript.open("a") as host:
        host.write("new line\n")
    restored = backups.restore(place)
    assert place.transcript.read_text() == ORIGINAL
    assert restored.kept.read_text() == "short\nnew line\n"
    assert restored.added == len("new line\n")


def test_undoing_twice_is_doing_again(place: Place) -> None:
    compacted(place)
    backups.restore(place)
    assert backups.restore(place).added == 0
    assert place.transcript.read_text() == "short\n"
    backups.restore(place)
    assert place.transcript.read_text() == ORIGINAL


def test_each_replacement_has_its_own_backup(place: Place) -> None:
    first, second = compacted(place, b"shorter\n"), compacted(place, b"shortest\n")
    assert first.backup.read_text() == ORIGINAL
    assert second.backup.read_text() == "shorter\n"


def test_nothing_to_undo_is_said(place: Place) -> None:
    with pytest.raises(NothingThere, match="not compacted in place"):
        backups.restore(place)


def test_a_full_disk_changes_nothing(place: Place) -> None:
    with pytest.raises(OSError, match="No space left"):
        backups.replace(place, b"x" * 100, len(ORIGINAL), FullDisk(50))
    assert place.transcript.read_text() == ORIGINAL
    assert not [name for name in os.listdir(place.sidecar) if name.endswith(".tmp")]


def test_a_replacement_that_died_before_its_rename_is_nothing_to_undo(place: Place) -> None:
    with pytest.raises(OSError, match="Input/output"):
        backups.replace(place, b"short\n", len(ORIGINAL), NoRename("run.jsonl"))
    with pytest.raises(NothingThere):
        backups.restore(place)
    assert place.transcript.read_text() == ORIGINAL


def test_without_hard_links_the_backup_is_a_copy(place: Place) -> None:
    replaced = backups.replace(place, b"short\n", len(ORIGINAL), NoLinks())
    assert replaced.backup.read_text() == ORIGINAL
    assert place.transcript.read_text() == "short\n"


def test_a_backup_of_unknown_replacement_still_restores(place: Place) -> None:
    """A crash between the rename and the note of its size."""
    replaced = compacted(place)
    replaced.backup.with_suffix(".size").unlink()
    assert backups.restore(place).added == 0
    assert place.transcript.read_text() == ORIGINAL
