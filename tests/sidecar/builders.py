"""Sidecars to test with: a transcript, its place, a store that has committed something."""

from __future__ import annotations

import errno
import zlib
from typing import TYPE_CHECKING

import msgspec

from memcli.head import Head
from memcli.sidecar.files import Disk
from memcli.sidecar.generations import Generation, Generations, generation_id
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memcli.sidecar.kept_edits import Edit

SIDECAR = "0123456789abcdef"


def a_transcript(directory: Path, name: str = "run.jsonl", text: str = '{"role":"user","content":"hi"}\n') -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text)
    return path


def a_store(transcript: Path, disk: Disk | None = None) -> Store:
    """A claimed and prepared store, as its writer has it."""
    store = Store(Place.of(transcript).claim(), disk or Disk())
    store.prepare()
    return store


def a_head(generation: str, covered: int = 10) -> Head:
    return Head(
        format="openai",
        session="",
        generation=generation,
        made=1.0,
        covered=covered,
        tail=covered,
        end=covered,
        fingerprint=0,
        before=b"before ",
        state=b"state",
        after=b" after",
    )


def a_commit(store: Store, memory: str, taken_in: Sequence[Edit] = ()) -> Generation:
    """Commit the next generation with this memory and a ledger that names it."""
    head = store.head()
    n, name = store.next_generation()
    generation = Generation(n=n, id=name, made=float(n), covered=10 * n, parent=head.generation if head else "")
    store.commit(generation, f"ledger {n}".encode(), a_head(name, 10 * n), memory.encode(), taken_in)
    return generation


def a_long_life(sidecar: Path, newest: int, oldest: int = 1, **inherited: str) -> Generations:
    """Generations with their ledgers, as no thinning has left them; `n5="id"`: what number 5 inherited.

    Written straight away: thousands of commits would take minutes.
    """
    for kind in ("generations", "ledgers"):
        (sidecar / kind).mkdir(exist_ok=True)
    for n in range(oldest, newest + 1):
        name = generation_id(SIDECAR, n)
        found = Generation(n=n, id=name, made=float(n), covered=10 * n, inherited=inherited.get(f"n{n}", ""))
        (sidecar / f"generations/{n}.json").write_bytes(msgspec.json.encode(found))
        (sidecar / f"ledgers/{n}").write_bytes(zlib.compress(b"%d" % n))
    return Generations(sidecar)


class Unsynced(Disk):
    """For what writes much and does not care for a power loss."""

    def sync(self, fd: int) -> None:
        pass


class FullDisk(Disk):
    """Takes `room` more bytes and then no more, as a disk does that fills up while a file is written."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, fd: int, data: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(fd, data[: self.room])
        self.room -= taken
        return taken


class NoLinks(Disk):
    """A file system without hard links."""

    def link(self, source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(target))


class NoRename(Disk):
    """Fails to rename anything over a file of one name, as if the process had died right there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def replace(self, source: Path, target: Path) -> None:
        if target.name == self.name:
            raise OSError(errno.EIO, "Input/output error", str(target))
        super().replace(source, target)
