"""How a publication becomes a generation: its name, its mark, and what is recorded of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memcli.memory import message
from memcli.memory.edits import to_record
from memcli.sidecar import lineage, publisher
from memcli.sidecar.generations import Generation
from memcli.sidecar.publisher import Signed

if TYPE_CHECKING:
    from memcli.effects import Publication
    from memcli.head import Head
    from memcli.sidecar.place import Place
    from memcli.sidecar.store import Store


class Record(NamedTuple):
    """A head that names its generation. `known`: the generation stands in the sidecar already."""

    generation: Generation
    head: Head
    known: bool


def record(publication: Publication, format: str, path: str, store: Store, wall: float, parent: str = "") -> Record:
    """Name a publication and make its head. The same memory keeps its name: repeating an update changes nothing.

    `path`: what was read; `parent`: the generation before ("" is what the publication inherited); `wall`: Unix seconds.
    """
    known = _same_memory(store, publication)
    n, name = (known.n, known.id) if known else store.next_generation()
    signed = sign(store.place, name, publication, str(store.place.transcript))
    with open(path, "rb") as transcript:
        head = publisher.make_head(publication, format, signed, transcript, wall)
    made = known or _generation(n, signed, parent or publication.parent, publication, head, wall)
    return Record(made, head, known is not None)


def sign(place: Place, name: str, publication: Publication, source: str = "") -> Signed:
    """The mark of a memory called `name`; `source` is where the full transcript lies."""
    keys = lineage.Keys.make(place.sidecar)
    return Signed(name, keys.digest(name, publication.signed), source, keys.edit_key(name))


def _same_memory(store: Store, publication: Publication) -> Generation | None:
    newest = store.generations.newest()
    if newest is None or newest.covered != publication.boundary.offset:
        return None
    return newest if message.signed(newest.memory) == publication.signed else None


def _generation(n: int, signed: Signed, parent: str, publication: Publication, head: Head, wall: float) -> Generation:
    kept = next((messages for offset, _, _, messages in head.cuts if offset == head.tail), 0)
    return Generation(
        n=n,
        id=signed.generation,
        made=wall,
        covered=publication.boundary.offset,
        told=publication.told,
        parent=parent,
        inherited=publication.parent,
        edits=to_record(publication.edits),
        tokens_before=publication.reading.tokens,
        tokens_after=head.memory_tokens + head.tail_tokens,
        messages_before=publication.messages,
        messages_after=1 + kept + head.tail_messages,
        milliseconds=publication.result.milliseconds,
        backend=publication.result.backend,
        model=publication.result.model,
        calls=publication.result.calls,
        prose={block.name: block.prose for block in publication.document.blocks if block.prose},
        digest=signed.digest,
        memory=publication.markdown,
    )
