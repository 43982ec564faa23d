from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memcli.sidecar.lineage import Keys, find, register
from memcli.userdirs import state_dir
from tests.sidecar.builders import a_commit, a_store, a_transcript

GENERATION = "0123456789abcdef00000001"


def test_a_digest_of_ours_is_verified(tmp_path: Path) -> None:
    digest = Keys.make(tmp_path).digest(GENERATION, "the memory")
    assert len(digest) == 64
    assert Keys.load(tmp_path).verify(GENERATION, "the memory", digest)


@pytest.mark.parametrize(
    ("generation", "signed"), [(GENERATION, "the memory!"), (GENERATION[:-1] + "2", "the memory"), ("", "")]
)
def test_it_speaks_for_one_generation_and_one_text(tmp_path: Path, generation: str, signed: str) -> None:
    digest = Keys.make(tmp_path).digest(GENERATION, "the memory")
    assert not Keys.load(tmp_path).verify(generation, signed, digest)


def test_nothing_can_be_shifted_between_generation_and_text(tmp_path: Path) -> None:
    keys = Keys.make(tmp_path)
    assert keys.digest("ab", "c") != keys.digest("a", "bc")
    assert keys.digest("1 a", "b") != keys.digest("1", "a b")


def test_somebody_elses_key_proves_nothing(tmp_path: Path) -> None:
    foreign = Keys((b"k" * 32,)).digest(GENERATION, "the memory")
    assert not Keys.make(tmp_path).verify(GENERATION, "the memory", foreign)


def test_without_any_key_nothing_is_verified(tmp_path: Path) -> None:
    assert not Keys.load(tmp_path).verify(GENERATION, "x", Keys.make(tmp_path).digest(GENERATION, "x")[::-1])
    assert not Keys(()).verify(GENERATION, "x", "")


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    assert Keys.make(tmp_path).digest("a", "b") == Keys.make(tmp_path).digest("a", "b")
    assert (state_dir() / "key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "key").exists()


def test_without_a_state_directory_the_sidecar_has_a_key(tmp_path: Path, own_home: Path) -> None:
    own_home.write_text("a file, not a home")
    digest = Keys.make(tmp_path).digest(GENERATION, "x")
    assert (tmp_path / "key").exists()
    assert Keys.load(tmp_path).verify(GENERATION, "x", digest)


def test_a_damaged_key_is_worked_around(tmp_path: Path) -> None:
    state_dir().mkdir(parents=True)
    (state_dir() / "key").write_bytes(b"short")
    digest = Keys.make(tmp_path).digest(GENERATION, "x")
    assert Keys.load(tmp_path).verify(GENERATION, "x", digest)


def test_where_no_key_can_be_kept_a_signature_never_verifies(own_home: Path) -> None:
    own_home.write_text("a file, not a home")
    digest = Keys.make(None).digest(GENERATION, "x")
    assert digest == Keys.make(None).digest(GENERATION, "x")
    assert not Keys.load(None).verify(GENERATION, "x", digest)


def test_text_with_lone_surrogates_can_be_signed(tmp_path: Path) -> None:
    assert Keys.make(tmp_path).digest(GENERATION, "half a pair \ud83d")


def test_a_parent_is_found_beside_its_successor(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path))
    generation = a_commit(store, "memory\n")
    found = find(generation.id, a_transcript(tmp_path, "next.jsonl"))
    assert found is not None
    assert (found.generation, found.ledger, found.sidecar) == (generation, b"ledger 1", store.place.sidecar)


def test_a_parent_in_another_directory_is_found_through_the_state_directory(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path / "one"))
    generation = a_commit(store, "memory\n")
    successor = a_transcript(tmp_path / "two")
    assert find(generation.id, successor) is None
    register(store.id, store.place.sidecar)
    register(store.id, store.place.sidecar)
    found = find(generation.id, successor)
    assert found is not None
    assert found.generation == generation


def test_a_sidecar_that_moved_is_registered_anew(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path / "one"))
    generation = a_commit(store, "memory\n")
    register(store.id, Path("gone"))
    register(store.id, store.place.sidecar)
    assert find(generation.id, tmp_path / "two/next.jsonl") is not None


def test_a_parent_that_is_gone_is_none(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path))
    generation = a_commit(store, "memory\n")
    register(store.id, store.place.sidecar)
    shutil.rmtree(store.place.sidecar)
    assert find(generation.id, tmp_path / "next.jsonl") is None


@pytest.mark.parametrize("generation", ["", "../../etc/passwd", "f" * 24])
def test_an_id_that_nobody_gave_finds_nothing(tmp_path: Path, generation: str) -> None:
    a_commit(a_store(a_transcript(tmp_path)), "memory\n")
    assert find(generation, tmp_path / "next.jsonl") is None


def test_a_record_with_another_id_inside_is_not_the_parent(tmp_path: Path) -> None:
    store = a_store(a_transcript(tmp_path))
    generation = a_commit(store, "memory\n")
    path = store.place.sidecar / "generations/1.json"
    path.write_text(path.read_text().replace(generation.id, "0" * 24))
    assert find(generation.id, tmp_path / "next.jsonl") is None


def test_registering_without_a_state_directory_is_no_error(tmp_path: Path, own_home: Path) -> None:
    own_home.write_text("a file, not a home")
    register("0" * 16, tmp_path)


def linked(first: str, sidecar: Path) -> Path:
    """The link to a sidecar whose id begins with this digit."""
    register(first.ljust(16, "0"), sidecar)
    return state_dir() / "sidecars" / first.ljust(16, "0")


def test_links_to_sidecars_that_are_gone_go_when_another_one_comes(tmp_path: Path) -> None:
    there, gone, other = tmp_path / "there", tmp_path / "room" / "gone", tmp_path / "gone"
    there.mkdir()
    links = [linked("a", gone), linked("a1", there), linked("b", other)]
    linked("a2", there)
    assert [link.is_symlink() for link in links] == [False, True, True]
    linked("b2", there)
    assert not links[2].is_symlink()


def test_links_to_a_disk_that_is_not_mounted_stay(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = linked("a", tmp_path / "disk" / "room" / "gone")
    linked("a2", tmp_path)
    assert link.is_symlink()


def test_what_is_no_link_is_left_alone(tmp_path: Path) -> None:
    stranger = linked("b", tmp_path).with_name("a file")
    stranger.write_text("x")
    linked("a", tmp_path)
    assert stranger.read_text() == "x"
