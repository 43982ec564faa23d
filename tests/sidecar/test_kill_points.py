"""A writer is killed before each of its steps; whoever comes next finds old or new, whole, and nothing lost."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memcli import head as heads
from memcli.sidecar import backups
from memcli.sidecar.kept_edits import ARCHIVE, KEPT
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from tests.sidecar.builders import Unsynced, a_commit, a_store
from tests.sidecar.killer import EDIT


def killed_everywhere(scenario: str, directory: Path) -> list[Path]:
    """The directories that a writer left which was killed; the last one belongs to the writer that survived."""
    command = [sys.executable, "-m", "tests.sidecar.killer", scenario, str(directory)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert ran.returncode == 0, ran.stderr
    return [directory / str(n) for n in range(1, int(ran.stdout) + 2)]


def store_at(directory: Path) -> Store:
    return Store(Place.of(directory / "run.jsonl"))


@pytest.mark.parametrize("scenario", ["commit", "commit_over_edit"])
def test_a_reader_beside_the_dead_finds_a_whole_generation(scenario: str, tmp_path: Path) -> None:
    for left in killed_everywhere(scenario, tmp_path):
        store = store_at(left)
        head = store.head()
        assert head is not None
        n = head.covered // 10
        named = store.generations.get(n)
        assert named is not None
        assert named.id == head.generation
        assert store.generations.ledger(n) == f"ledger {n}".encode()
        assert store.place.memory.read_text() in ("first\n", "second\n", EDIT)


def test_the_next_writer_brings_memory_and_head_together(tmp_path: Path) -> None:
    outcomes = []
    for left in killed_everywhere("commit", tmp_path):
        store = a_store(left / "run.jsonl")
        head = store.head()
        assert head is not None
        memory = store.place.memory
        assert heads.number(memory.read_bytes()) == head.memory_number
        assert (memory.stat().st_size, memory.stat().st_mtime_ns) == (head.memory_size, head.memory_mtime)
        assert store.edits() == []
        outcomes.append(memory.read_text())
    assert outcomes == sorted(outcomes)  # once committed, committed for every later point
    assert set(outcomes) == {"first\n", "second\n"}


def test_an_edit_survives_every_death(tmp_path: Path) -> None:
    for left in killed_everywhere("commit_over_edit", tmp_path):
        store = a_store(left / "run.jsonl")
        assert [edit.text for edit in store.edits()] == [EDIT]


def test_a_generation_is_there_before_it_is_published(tmp_path: Path) -> None:
    found = set()
    for left in killed_everywhere("commit", tmp_path):
        store = a_store(left / "run.jsonl")
        newest, head = store.generations.newest(), store.head()
        found.add((newest.n if newest else 0, head.covered if head else 0))
    assert found == {(1, 10), (2, 10), (2, 20)}


def test_what_is_old_goes_in_any_number_of_steps_and_no_edit_with_it(tmp_path: Path) -> None:
    for left in killed_everywhere("commit_after_many", tmp_path):
        store = a_store(left / "run.jsonl", Unsynced())
        a_commit(store, "after\n")
        assert [n for n in range(1, store.generations.next_number()) if store.generations.get(n) is None][:1] == [3]
        edits = store.place.sidecar / "edits"
        kept = "".join(path.read_text() for path in edits.glob("*.md"))
        kept += gzip.decompress((edits / ARCHIVE).read_bytes()).decode()
        assert {*re.findall(r"^edit (\d+)$", kept, re.MULTILINE)} == {str(n) for n in range(2 * KEPT + 1)}


@pytest.mark.parametrize("scenario", ["commit", "commit_over_edit", "first_commit"])
def test_the_next_commit_succeeds_and_nothing_is_left_lying(scenario: str, tmp_path: Path) -> None:
    for left in killed_everywhere(scenario, tmp_path):
        store = a_store(left / "run.jsonl")
        a_commit(store, "after\n")
        assert store.place.memory.read_text() == "after\n"
        assert store.place.memory.name == "session-memory.md"
        assert not list(store.place.sidecar.rglob("*.tmp"))
        assert not (store.place.sidecar / "memory.next").exists()
        assert sorted(path.name for path in left.iterdir()) == [".memcli", "run.jsonl", "session-memory.md"]


def test_in_place_leaves_the_original_or_its_replacement(tmp_path: Path) -> None:
    outcomes = set()
    for left in killed_everywhere("in_place", tmp_path):
        transcript = left / "run.jsonl"
        outcomes.add(transcript.read_text())
        if transcript.read_text() == "short\n":
            backups.restore(Place.of(transcript))
        assert transcript.read_text() == "the long original\n"
    assert outcomes == {"the long original\n", "short\n"}


def test_undo_leaves_one_of_the_two_and_loses_neither(tmp_path: Path) -> None:
    for left in killed_everywhere("undo", tmp_path):
        transcript = left / "run.jsonl"
        texts = {path.read_text() for path in (left / ".memcli/run.jsonl/backups").glob("*.jsonl")}
        assert texts | {transcript.read_text()} == {"the long original\n", "short\n"}
