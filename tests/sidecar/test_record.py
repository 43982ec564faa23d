"""How a publication becomes a generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from memcli.memory.edits import Edits
from memcli.sidecar import lineage
from memcli.watch.record import Record, record, sign
from tests.builders import FORMATS, Script, session_file
from tests.sidecar.builders import a_store
from tests.sidecar.published import made

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.session import Publication
    from memcli.sidecar.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The empty store of a transcript of three turns."""
    return a_store(session_file(tmp_path / "run.jsonl"))


def recorded(store: Store, publication: Publication | None = None, parent: str = "") -> Record:
    path = store.place.transcript
    return record(publication or made(path).publication, "claude-code", str(path), store, 7.0, parent)


def committed(store: Store) -> Record:
    publication = made(store.place.transcript).publication
    found = recorded(store, publication)
    store.commit(found.generation, publication.fold, found.head, publication.markdown.encode())
    return found


def grow(store: Store) -> None:
    path = store.place.transcript
    with path.open("ab") as file:
        file.write(Script("claude-code", after=path.read_bytes(), serial=7000).turn(7).data)


def test_the_first_memory_is_the_first_generation(store: Store) -> None:
    found = recorded(store)
    assert (found.known, found.generation.n) == (False, 1)
    assert found.generation.id == found.head.generation == f"{store.id}00000001"


def test_nothing_is_written_before_it_is_committed(store: Store) -> None:
    recorded(store)
    assert store.generations.numbers() == []
    assert store.head() is None


def test_the_same_memory_keeps_its_name(store: Store) -> None:
    first, again = committed(store), recorded(store)

    assert again.known
    assert again.generation == first.generation
    assert (again.head.generation, again.head.before) == (first.head.generation, first.head.before)


def test_a_transcript_that_went_on_has_another_memory(store: Store) -> None:
    committed(store)
    grow(store)
    found = recorded(store)
    assert (found.known, found.generation.n) == (False, 2)


def test_another_text_over_the_same_messages_is_another_memory(store: Store) -> None:
    committed(store)
    publication = made(store.place.transcript).publication
    first, *rest = publication.document.blocks
    blocks = (msgspec.structs.replace(first, ledger=f"{first.ledger}\n- mine"), *rest)
    document = msgspec.structs.replace(publication.document, blocks=blocks)
    assert not recorded(store, msgspec.structs.replace(publication, document=document)).known


def test_another_current_state_is_the_same_memory(store: Store) -> None:
    """It is written at every append; a generation is what was summarised."""
    committed(store)
    publication = msgspec.structs.replace(made(store.place.transcript).publication, state="- later")
    assert recorded(store, publication).known


def test_a_memory_that_was_crashed_before_its_head_is_found_again(store: Store) -> None:
    """It was paid for: the generation is there, only its head is not."""
    publication = made(store.place.transcript).publication
    found = recorded(store, publication)
    store.generations.add(found.generation, publication.fold)
    assert recorded(store) == found._replace(known=True)


def test_a_generation_tells_what_it_covers_and_what_it_saved(store: Store) -> None:
    one, found = made(store.place.transcript), recorded(store)
    generation = found.generation

    assert generation.covered == one.publication.boundary.offset == store.place.transcript.stat().st_size
    assert (generation.messages_before, generation.messages_after) == (15, 6)
    assert generation.tokens_before == one.publication.reading.tokens
    assert generation.tokens_after == found.head.memory_tokens + found.head.tail_tokens
    assert (generation.made, generation.memory) == (7.0, one.publication.markdown)


def test_the_edits_that_a_memory_honours_are_recorded(store: Store) -> None:
    edits = Edits((("Files", "- dam.py"),), ("- mill.py",))
    publication = msgspec.structs.replace(made(store.place.transcript).publication, edits=edits)
    assert recorded(store, publication).generation.edits == {"Files": "- dam.py", "struck out": "- mill.py"}


@pytest.mark.parametrize(("before", "parent"), [("", "inherited"), ("before", "before")])
def test_what_was_inherited_is_told_and_is_the_parent_of_the_first(store: Store, before: str, parent: str) -> None:
    publication = msgspec.structs.replace(made(store.place.transcript).publication, parent="inherited")
    generation = recorded(store, publication, before).generation
    assert (generation.parent, generation.inherited) == (parent, "inherited")


@pytest.mark.parametrize("format", FORMATS)
def test_the_mark_of_a_generation_is_verified_by_its_key_alone(tmp_path: Path, format: str) -> None:
    store = a_store(session_file(tmp_path / "run.jsonl", format))
    publication = made(store.place.transcript).publication
    found = record(publication, format, str(store.place.transcript), store, 7.0).generation
    keys = lineage.Keys.load(store.place.sidecar)

    assert keys.verify(found.id, publication.signed, found.digest)
    assert not keys.verify(f"{store.id}00000002", publication.signed, found.digest)
    assert not keys.verify(found.id, publication.signed + "x", found.digest)
    assert not lineage.Keys((b"k" * 32,)).verify(found.id, publication.signed, found.digest)


def test_a_name_signed_twice_is_signed_the_same(store: Store) -> None:
    publication = made(store.place.transcript).publication
    assert sign(store.place, "a", publication) == sign(store.place, "a", publication)
    assert sign(store.place, "a", publication).digest != sign(store.place, "b", publication).digest


def test_the_source_is_told_where_there_is_one(store: Store) -> None:
    assert f"The full transcript: {store.place.transcript}".encode() in recorded(store).head.before
    assert sign(store.place, "a", made(store.place.transcript).publication).source == ""
