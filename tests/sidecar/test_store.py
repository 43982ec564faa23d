from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from memcli import head as heads
from memcli.ledger.history import Past
from memcli.sidecar.files import Disk
from memcli.sidecar.generations import LEDGERS_KEPT, RECENT
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.sidecar.builders import FullDisk, NoLinks, NoRename, a_commit, a_head, a_long_life, a_store, a_transcript

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return a_store(a_transcript(tmp_path))


def committed(store: Store) -> heads.Head:
    head = store.head()
    assert head is not None
    return head


def test_an_empty_sidecar_gives_nothing_and_raises_nothing(tmp_path: Path) -> None:
    store = Store(Place.of(a_transcript(tmp_path)))
    assert (store.head(), store.state(), store.id) == (None, None, "")
    assert store.edits() == []
    assert store.snapshots().read() == Past()
    assert os.listdir(tmp_path) == ["run.jsonl"]


def test_a_commit_publishes_the_memory_and_head_knows_its_stat(store: Store) -> None:
    generation = a_commit(store, "what happened\n")
    head, stat = committed(store), store.place.memory.stat()
    assert store.place.memory.read_text() == "what happened\n"
    assert head.generation == generation.id
    assert (head.memory_size, head.memory_mtime) == (stat.st_size, stat.st_mtime_ns)
    assert head.memory_number == heads.number(b"what happened\n")
    assert stat.st_mode & 0o777 == 0o600


def test_head_knows_the_memory_before(store: Store) -> None:
    a_commit(store, "first\n")
    assert committed(store).memory_previous == -1
    a_commit(store, "second\n")
    assert committed(store).memory_previous == heads.number(b"first\n")


def test_publishing_the_same_memory_again_leaves_its_file_alone(store: Store) -> None:
    generation = a_commit(store, "same\n")
    inode = store.place.memory.stat().st_ino
    store.publish(a_head(generation.id, covered=11), b"same\n")
    assert store.place.memory.stat().st_ino == inode
    assert committed(store).covered == 11
    assert store.edits() == []


def test_a_deleted_memory_comes_back_with_the_next_publication(store: Store) -> None:
    generation = a_commit(store, "same\n")
    store.place.memory.unlink()
    store.publish(a_head(generation.id), b"same\n")
    assert store.place.memory.read_text() == "same\n"
    assert store.edits() == []


@pytest.mark.parametrize("room", [0, 100, 300, 1000])
def test_a_disk_that_fills_up_leaves_the_memory_that_was_committed(tmp_path: Path, room: int) -> None:
    a_commit(a_store(a_transcript(tmp_path)), "first\n")
    full = Store(Place.of(tmp_path / "run.jsonl"), FullDisk(room))
    with pytest.raises(OSError, match="No space left"):
        a_commit(full, "second\n" * 200)
    again = a_store(tmp_path / "run.jsonl")
    assert committed(again).covered == 10
    assert again.place.memory.read_text() == "first\n"


def test_every_byte_of_a_damaged_head_means_no_head(store: Store) -> None:
    a_commit(store, "first\n")
    path = store.place.sidecar / "head"
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert store.head() is None


def test_a_memory_that_nobody_edited_is_told_from_one_that_somebody_did(store: Store) -> None:
    a_commit(store, "first\n")
    os.utime(store.place.memory)
    assert not store.stands(committed(store))
    assert store.unedited(committed(store))
    store.place.memory.write_text("mine\n")
    assert not store.unedited(committed(store))


def test_head_tells_where_its_memory_lies(store: Store) -> None:
    a_commit(store, "first\n")
    assert committed(store).memory_name == "session-memory.md"


# What the user writes into the Markdown.


def test_an_edit_is_handed_out_until_a_generation_has_taken_it_in(store: Store) -> None:
    a_commit(store, "first\n")
    store.place.memory.write_text("first, edited\n")
    (edit,) = store.edits()
    assert edit.text == "first, edited\n"
    assert store.edits() == [edit]
    a_commit(store, "second\n", taken_in=[edit])
    assert store.edits() == []
    assert (store.place.sidecar / f"edits/{edit.name}.md").read_text() == "first, edited\n"


def test_an_edit_nobody_looked_at_is_kept_by_the_next_commit(store: Store) -> None:
    a_commit(store, "first\n")
    store.place.memory.write_text("mine\n")
    a_commit(store, "second\n")
    assert store.place.memory.read_text() == "second\n"
    assert [edit.text for edit in store.edits()] == ["mine\n"]


def test_an_editor_that_still_writes_into_the_replaced_file_loses_nothing(store: Store) -> None:
    a_commit(store, "first\n")
    with store.place.memory.open("w") as editor:
        editor.write("first\n")
        editor.flush()
        a_commit(store, "second\n")
        editor.write("and a late word\n")
    assert store.place.memory.read_text() == "second\n"
    assert [edit.text for edit in store.edits()] == ["first\nand a late word\n"]


@pytest.mark.parametrize("base", [Disk, NoLinks])
def test_an_edit_between_the_look_and_the_replacement_is_kept(tmp_path: Path, base: type[Disk]) -> None:
    """The disk is slow: just before the head is renamed, the user saves."""
    place = a_store(a_transcript(tmp_path)).place

    class Interleaved(base):  # type: ignore[misc, valid-type]
        def replace(self, source: Path, target: Path) -> None:
            if target.name == "head" and place.memory.exists():
                place.memory.write_text("in the gap\n")
            super().replace(source, target)

    store = Store(place, Interleaved())
    a_commit(store, "first\n")
    a_commit(store, "second\n")
    assert "in the gap\n" in [edit.text for edit in store.edits()]
    assert place.memory.read_text() == "second\n"


def test_a_late_word_survives_a_death_after_the_commit_point(store: Store) -> None:
    a_commit(store, "first\n")
    with store.place.memory.open("a") as editor:
        a_commit(store, "second\n")
        with pytest.raises(OSError, match="Input/output"):
            a_commit(Store(store.place, NoRename("session-memory.md")), "third\n")
        editor.write("late\n")
    again = a_store(store.place.transcript)
    assert again.place.memory.read_text() == "third\n"
    assert [edit.text for edit in again.edits()] == ["first\nlate\n"]


def test_the_replaced_files_are_few(store: Store) -> None:
    for n in range(9):
        a_commit(store, f"memory {n}\n")
    left = sorted(path.read_text() for path in store.place.sidecar.glob("replaced.*"))
    assert left == [f"memory {n}\n" for n in range(4, 8)]


def test_a_fresh_current_state_does_not_take_an_edit_from_the_screen(store: Store) -> None:
    generation = a_commit(store, "first\n")
    store.place.memory.write_text("mine\n")
    store.publish(a_head(generation.id, covered=11), b"first, a second later\n")
    assert store.place.memory.read_text() == "mine\n"
    assert committed(store).covered == 11
    assert not store.unedited(committed(store))
    store.publish(a_head(generation.id), b"with mine\n", store.edits())
    assert store.place.memory.read_text() == "with mine\n"


def test_two_edits_are_handed_out_in_their_order(store: Store) -> None:
    a_commit(store, "first\n")
    for text in ("zzz\n", "aaa\n"):
        store.place.memory.write_text(text)
        a_commit(store, f"after {text}")
    assert [edit.text for edit in store.edits()] == ["zzz\n", "aaa\n"]


def test_a_memory_without_a_head_is_kept_but_is_nobody_s_edit(store: Store) -> None:
    a_commit(store, "first\n")
    (store.place.sidecar / "head").write_bytes(b"damaged")
    a_commit(store, "second\n")
    assert store.edits() == []
    assert [path.read_text() for path in (store.place.sidecar / "edits").iterdir()] == ["first\n"]


@pytest.mark.parametrize("base", [Disk, NoLinks])
def test_a_memory_that_we_wrote_is_no_edit_of_anybody_when_it_is_forgotten(tmp_path: Path, base: type[Disk]) -> None:
    """A transcript that is compacted in place again and again leaves none of them behind."""
    store = a_store(a_transcript(tmp_path), base())
    for n in range(3):
        a_commit(store, f"memory {n}\n")
        store.forget()
    assert store.edits() == []
    assert not (store.place.sidecar / "edits").exists()


def test_nor_is_the_one_before_where_a_writer_died_before_it_was_replaced(store: Store) -> None:
    a_commit(store, "first\n")
    with pytest.raises(OSError, match="Input/output"):
        a_commit(Store(store.place, NoRename("session-memory.md")), "second\n")
    store.forget()
    assert store.edits() == []


def test_an_edit_that_is_forgotten_with_the_head_is_kept(store: Store) -> None:
    a_commit(store, "first\n")
    store.place.memory.write_text("mine\n")
    store.forget()
    a_commit(store, "second\n")
    assert [path.read_text() for path in (store.place.sidecar / "edits").iterdir()] == ["mine\n"]


def test_a_late_word_into_a_forgotten_memory_is_handed_out(store: Store) -> None:
    a_commit(store, "first\n")
    store.forget()
    with store.place.memory.open("a") as editor:
        editor.write("late\n")
    a_commit(store, "second\n")
    assert [edit.text for edit in store.edits()] == ["first\nlate\n"]


def test_generations_of_a_long_life_are_few(store: Store) -> None:
    a_long_life(store.place.sidecar, 4 * RECENT)
    a_commit(store, "memory\n")
    assert len(store.generations.numbers()) <= 2 * RECENT + 1
    assert len(list((store.place.sidecar / "ledgers").iterdir())) == LEDGERS_KEPT


def test_a_generation_that_cannot_be_removed_spoils_no_commit(store: Store) -> None:
    a_long_life(store.place.sidecar, RECENT + 2, 4)
    (store.place.sidecar / "generations/3.json").mkdir()
    a_commit(store, "memory\n")
    assert store.place.memory.read_text() == "memory\n"


def test_an_edit_in_no_encoding_at_all_is_still_handed_out(store: Store) -> None:
    a_commit(store, "first\n")
    store.place.memory.write_bytes(b"caf\xe9\n")
    assert [edit.text for edit in store.edits()] == ["caf\ufffd\n"]


# Generations, and what can be made again.


def test_the_id_is_made_once_and_moves_with_the_sidecar(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path / "here"))
    made = store.make_id()
    assert re.fullmatch("[0-9a-f]{16}", made)
    (tmp_path / "here").rename(tmp_path / "there")
    assert a_store(tmp_path / "there/run.jsonl").make_id() == made


def test_sidecars_of_equal_transcripts_have_different_ids(tmp_path: Path) -> None:
    assert len({a_store(a_transcript(tmp_path / name)).make_id() for name in ("a", "b")}) == 2


def test_now_and_state_are_read_back(store: Store) -> None:
    store.save_now(b"as of now")
    store.save_state(b"\x00\xffmeter")
    assert (store.place.sidecar / "now").read_bytes() == b"as of now"
    assert store.state() == b"\x00\xffmeter"


def test_a_damaged_state_is_the_same_as_none(store: Store) -> None:
    store.save_state(b"state")
    path = store.place.sidecar / "state"
    for damaged in (b"", path.read_bytes()[:-1], path.read_bytes().replace(b"tate", b"tata"), b"\xff" * 9):
        path.write_bytes(damaged)
        assert store.state() is None


def test_forgetting_keeps_generations_and_edits(store: Store) -> None:
    a_commit(store, "first\n")
    store.place.memory.write_text("mine\n")
    store.edits()
    (store.place.sidecar / "ledger").write_bytes(b"x")
    store.forget()
    assert store.head() is None
    assert not (store.place.sidecar / "ledger").exists()
    assert store.generations.numbers() == [1]
    assert [edit.text for edit in store.edits()] == ["mine\n"]
