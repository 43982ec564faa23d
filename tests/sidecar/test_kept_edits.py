"""What the user wrote by hand: packed when it is much, never lost."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

from memcli.sidecar.kept_edits import ARCHIVE, KEPT, KeptEdits
from tests.sidecar.builders import Unsynced, a_commit, a_store, a_transcript

if TYPE_CHECKING:
    from pathlib import Path

MANY = 2 * KEPT + 1


def keep(room: Path, count: int, first: int = 0) -> KeptEdits:
    """Texts that were taken in, one a second."""
    edits = KeptEdits(room, Unsynced())
    for n in range(first, first + count):
        edits.keep(f"{PAGE}edit {n}".encode(), "new")
        (edit,) = edits.waiting()
        os.utime(room / f"edits/{edit.name}.new", (n, n))
        edits.taken(edit)
    return edits


PAGE = "".join(f"- the {n}. line of a memory that somebody edits, and most of it stays\n" for n in range(200))


def archive(room: Path) -> str:
    return gzip.decompress((room / "edits" / ARCHIVE).read_bytes()).decode()


def test_a_few_stay_as_they_are(tmp_path: Path) -> None:
    keep(tmp_path, MANY - 1).pack()
    assert len(list((tmp_path / "edits").glob("*.md"))) == MANY - 1
    assert not (tmp_path / "edits" / ARCHIVE).exists()


def test_of_many_the_old_ones_are_packed_in_their_order_and_the_last_stay(tmp_path: Path) -> None:
    keep(tmp_path, MANY).pack()
    found = [line for line in archive(tmp_path).splitlines() if line.startswith("edit ")]
    assert found == [f"edit {n}" for n in range(MANY - KEPT)]
    left = {path.read_text().removeprefix(PAGE) for path in (tmp_path / "edits").glob("*.md")}
    assert left == {f"edit {n}" for n in range(MANY - KEPT, MANY)}


def test_what_is_packed_later_stands_behind_and_is_small(tmp_path: Path) -> None:
    for first in range(0, 4 * MANY, MANY):
        keep(tmp_path, MANY, first).pack()
    assert all(f"edit {n}\n" in archive(tmp_path) for n in range(4 * MANY - 2 * KEPT))
    assert (tmp_path / "edits" / ARCHIVE).stat().st_size < 4 * MANY * len(PAGE) / 50


def test_dying_before_the_texts_are_removed_packs_none_twice(tmp_path: Path) -> None:
    edits = keep(tmp_path, MANY)
    texts = {path: path.read_bytes() for path in (tmp_path / "edits").iterdir()}
    edits.pack()
    before = archive(tmp_path)
    for path, text in texts.items():
        path.write_bytes(text)
        os.utime(path, (int(text.split()[-1]),) * 2)
    edits.pack()
    assert archive(tmp_path) == before


def test_an_archive_that_cannot_be_read_is_left_alone_and_so_are_the_texts(tmp_path: Path) -> None:
    edits = keep(tmp_path, MANY)
    (tmp_path / "edits" / ARCHIVE).write_bytes(b"no gzip")
    edits.pack()
    assert len(list((tmp_path / "edits").glob("*.md"))) == MANY
    assert (tmp_path / "edits" / ARCHIVE).read_bytes() == b"no gzip"


def test_of_a_large_archive_only_the_last_part_is_read(tmp_path: Path) -> None:
    keep(tmp_path, MANY).pack()
    path = tmp_path / "edits" / ARCHIVE
    first = bytes(path.stat().st_size)
    keep(tmp_path, MANY, MANY).pack()
    path.write_bytes(first + path.read_bytes()[len(first) :])
    keep(tmp_path, MANY, 2 * MANY).pack()
    assert path.read_bytes().startswith(first)
    assert "edit 100\n" in gzip.decompress(path.read_bytes()[len(first) :]).decode()


def test_what_waits_is_never_packed(tmp_path: Path) -> None:
    edits = KeptEdits(tmp_path)
    for n in range(MANY):
        edits.keep(b"edit %d" % n, "new")
    edits.pack()
    assert len(edits.waiting()) == MANY


def test_a_text_that_is_packed_is_for_its_owner_alone(tmp_path: Path) -> None:
    keep(tmp_path, MANY).pack()
    assert (tmp_path / "edits" / ARCHIVE).stat().st_mode & 0o077 == 0


def test_a_commit_packs_what_was_taken_in_long_ago(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path))
    keep(store.place.sidecar, MANY)
    a_commit(store, "memory\n")
    assert "edit 0\n" in archive(store.place.sidecar)
