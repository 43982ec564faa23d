from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memcli.errors import NotWritable
from memcli.sidecar.place import Place, is_ours
from tests.sidecar.builders import a_transcript

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a directory look unwritable to us, also where the tests run as root, whom no mode stops."""

    def forbid(directory: Path) -> None:
        access = os.access

        def asked(path: Path, mode: int) -> bool:
            return access(path, mode) and not (mode & os.W_OK and Path(path).is_relative_to(directory))

        monkeypatch.setattr(os, "access", asked)

    return forbid


def test_the_first_transcript_takes_the_plain_name(tmp_path: Path) -> None:
    place = Place.of(a_transcript(tmp_path)).claim()
    assert place.memory == tmp_path / "session-memory.md"
    assert place.sidecar == tmp_path / ".memcli/run.jsonl"
    assert (tmp_path / ".memcli/.gitignore").read_text() == "*\n"
    assert place.sidecar.stat().st_mode & 0o777 == 0o700


def test_looking_makes_nothing(tmp_path: Path) -> None:
    place = Place.of(a_transcript(tmp_path))
    assert os.listdir(tmp_path) == ["run.jsonl"]
    assert place.claim() == place


def test_each_transcript_of_a_directory_has_a_memory_of_its_own(tmp_path: Path) -> None:
    names = ("run.jsonl", "other.jsonl", "other.json", "other")
    memories = [Place.of(a_transcript(tmp_path, name)).claim().memory.name for name in names]
    assert memories[:3] == ["session-memory.md", "other.session-memory.md", "other.json.session-memory.md"]
    assert len(set(memories)) == 3  # the fourth lies inside its sidecar
    assert Place.of(tmp_path / "other").memory == tmp_path / ".memcli/other/session-memory.md"


def test_a_name_never_flips(tmp_path: Path) -> None:
    first = Place.of(a_transcript(tmp_path, "a.jsonl")).claim()
    second = Place.of(a_transcript(tmp_path, "b.jsonl")).claim()
    first.transcript.unlink()
    assert Place.of(tmp_path / "b.jsonl").claim().memory == second.memory
    assert Place.of(a_transcript(tmp_path, "a.jsonl")).claim().memory == first.memory


def test_a_memory_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "session-memory.md").write_text("my own notes")
    place = Place.of(a_transcript(tmp_path)).claim()
    assert place.memory.name == "run.session-memory.md"


def test_a_claim_is_found_again_by_its_owner_though_no_memory_was_written(tmp_path: Path) -> None:
    Place.of(a_transcript(tmp_path, "a.jsonl")).claim()
    assert Place.of(a_transcript(tmp_path, "b.jsonl")).claim().memory.name == "b.session-memory.md"
    assert Place.of(tmp_path / "a.jsonl").claim().memory.name == "session-memory.md"


def test_a_symlink_leads_to_the_real_transcript(tmp_path: Path) -> None:
    real = a_transcript(tmp_path / "real")
    (tmp_path / "link.jsonl").symlink_to(real)
    assert Place.of(tmp_path / "link.jsonl") == Place.of(real)


def test_a_directory_that_cannot_be_written_has_its_place_in_the_state_directory(
    tmp_path: Path, own_home: Path, read_only: Callable[[Path], None]
) -> None:
    transcript = a_transcript(tmp_path / "fixed")
    read_only(tmp_path / "fixed")
    place = Place.of(transcript)
    assert place.elsewhere
    assert "cannot be written" in place.announcement
    assert place.claim().memory.is_relative_to(own_home)
    assert place.announcement == ""  # once
    assert os.listdir(tmp_path / "fixed") == ["run.jsonl"]


def test_places_elsewhere_of_equal_names_are_apart(tmp_path: Path, read_only: Callable[[Path], None]) -> None:
    read_only(tmp_path)
    one, two = (Place.of(a_transcript(tmp_path / name)) for name in ("one", "two"))
    assert one.sidecar != two.sidecar


def test_a_memory_that_moved_to_a_read_only_place_is_still_read(
    tmp_path: Path, read_only: Callable[[Path], None]
) -> None:
    place = Place.of(a_transcript(tmp_path)).claim()
    (place.sidecar / "head").write_text("x")
    read_only(tmp_path)
    assert Place.of(tmp_path / "run.jsonl").sidecar == place.sidecar


def test_a_file_where_our_directory_should_be_sends_us_elsewhere(tmp_path: Path) -> None:
    transcript = a_transcript(tmp_path)
    (tmp_path / ".memcli").write_text("not a directory")
    assert Place.of(transcript).elsewhere


def test_nowhere_to_write_is_one_clear_error(tmp_path: Path, own_home: Path, read_only: Callable[[Path], None]) -> None:
    transcript = a_transcript(tmp_path / "fixed")
    read_only(tmp_path / "fixed")
    own_home.write_text("a file, not a home")
    with pytest.raises(NotWritable, match="cannot write beside"):
        Place.of(transcript).claim()


def test_a_name_of_the_greatest_length_has_a_memory_too(tmp_path: Path) -> None:
    names = ["x" * 249 + ".jsonl", "x" * 248 + "y.jsonl"]
    Place.of(a_transcript(tmp_path, "first.jsonl")).claim()
    memories = {Place.of(a_transcript(tmp_path, name)).claim().memory for name in names}
    assert len(memories) == 2
    for memory in memories:
        memory.write_text("fits")


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("d/session-memory.md", True),
        ("d/run.session-memory.md", True),
        ("d/run.compacted.jsonl", True),
        ("d/.memcli/run.jsonl/backups/1.jsonl", True),
        ("d/.run.jsonl.0a1b2c3d.tmp", True),
        ("d/run.jsonl", False),
        ("d/run.jsonl.tmp", False),
        ("d/compacted.jsonl", False),
        ("d/memcli/run.jsonl", False),
    ],
)
def test_our_own_files_are_told_from_transcripts(path: str, ours: bool) -> None:
    assert is_ours(Path(path)) is ours
