"""Publications and heads as a session makes them, over real files of every format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli import swap
from memcli.session import Triggers
from memcli.sidecar import publisher
from memcli.sidecar.place import Place
from memcli.sidecar.publisher import Signed
from memcli.transcript import formats
from memcli.transcript.lines import LineBuffer
from memcli.watch import spot
from memcli.watch.follower import Follower

if TYPE_CHECKING:
    from memcli.head import Head
    from memcli.session import Publication

FIXTURES = Path(__file__).parents[2] / "fixtures"
SESSIONS = tuple(path for path in sorted(FIXTURES.glob("*/*.jsonl")) if not path.stem.endswith("-batch"))
SIGNED = Signed("0123456789abcdef00000001", "ab" * 32, "/srv/run.jsonl")


class Made(NamedTuple):
    """A head, what it was made of, and the transcript it is of."""

    head: Head
    publication: Publication
    path: Path


def made(path: Path, signed: Signed = SIGNED) -> Made:
    """The head of everything in a transcript."""
    follower = Follower(str(path), Place.of(path), Triggers())
    follower.catch_up(0.0)
    publication = spot.publication_now(follower)
    assert follower.session is not None
    with path.open("rb") as transcript:
        head = publisher.make_head(publication, follower.session.format, signed, transcript, 1.0)
    return Made(head, publication, path)


def swapped(made: Made, keep: tuple[str, int] | None = None, *, rewritten: bool = False) -> bytes:
    """The compacted transcript, by the fastest route or by the encoder."""
    descriptor = os.open(made.path, os.O_RDONLY)
    try:
        end = swap.whole_end(descriptor, made.head.end, os.fstat(descriptor).st_size)
        if rewritten:
            return b"".join(swap.rewritten(made.head, descriptor, end, keep)[0])
        with made.path.with_name("out").open("wb+", buffering=0) as out:
            swap.prepare(made.head, descriptor, end, keep).write(descriptor, out.fileno())
            out.seek(0)
            return out.read()
    finally:
        os.close(descriptor)


def messages_in(format: str, data: bytes) -> int:
    """Conversation messages as the reader of the format counts them."""
    reader = formats.open_reader(format)
    entries = [entry for line in LineBuffer().feed(data) for entry in reader.read(line)]
    return sum(entry.role in ("user", "assistant", "tool") for entry in entries)
