"""Where the files of one transcript lie, and who owns which name.

    run.jsonl                                the transcript (symlinks resolved)
    session-memory.md                        the memory of whoever claimed the plain name first
    .memcli/.gitignore                       `*`
    .memcli/.session-memory.md.owner         the name of the transcript that owns `session-memory.md`
    .memcli/run.jsonl/                       the sidecar of run.jsonl: lock, head, now, tail, generations, ...

A memory name is owned through its owner file, made by exclusive create with the owner's name inside: two processes
cannot both win, and dying right after leaves a claim that its owner finds again. A name whose file is already there
but has no owner belongs to the user and is never taken. Candidates, in order: `session-memory.md`,
`<stem>.session-memory.md`, `<name>.session-memory.md`, and, always free, one inside the sidecar. A claim that was
made is found again first, so a name never flips because another transcript came or went.

Where the directory cannot be written, all of it lies in the user's state directory, under a hash of the real path.
`Place.of` only looks; `Place.make` makes the directory, `Place.claim` takes the name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli.edge import near
from memcli.errors import NotWritable
from memcli.sidecar import files
from memcli.userdirs import state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = ".memcli"
MEMORY = "session-memory.md"
COMPACTED = ".compacted.jsonl"

# Names on common file systems hold 255 bytes; a longer stem is cut and told apart by a hash.
_STEM_BYTES = 180


class Place(NamedTuple):
    """Where things lie for one transcript.

    `transcript` is the real path; `sidecar` the directory of our own files; `memory` the Markdown file people read;
    `elsewhere` is True if the transcript's own directory cannot be written. Neither need exist yet.
    """

    transcript: Path
    sidecar: Path
    memory: Path
    elsewhere: bool = False

    @classmethod
    def of(cls, transcript: Path) -> Place:
        """The place of a transcript as it is, or would be. Touches nothing."""
        real = Path(os.path.realpath(transcript))
        beside = real.parent / ROOM / real.name
        if _can_write(beside):
            return cls(real, beside, _memory(real, beside))
        away = _elsewhere(real)
        if not away.exists() and (beside / "head").exists():
            # Made where it could be written and moved to where it cannot: good to read from.
            return cls(real, beside, _memory(real, beside))
        return cls(real, away, away / MEMORY, elsewhere=True)

    def make(self) -> None:
        """Make the sidecar's directory. Raises NotWritable."""
        with _explained(self):
            self.sidecar.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.sidecar.parent / ".gitignore"
            if not self.elsewhere and not ignore.exists():
                files.create(ignore, b"*\n", durable=False)

    def claim(self) -> Place:
        """Take a name for the memory; the place as it now is. Raises NotWritable.

        To be done when there is a memory: a file that turns out to be no transcript must not own the plain name.
        """
        self.make()
        if self.elsewhere:
            return self
        with _explained(self):
            return self._replace(memory=_claim_memory(self.transcript, self.sidecar))

    @property
    def announcement(self) -> str:
        """What to tell once, before the first claim of a place elsewhere; empty otherwise."""
        if not self.elsewhere or self.sidecar.exists():
            return ""
        return f"{self.transcript.parent} cannot be written: the memory is kept in {self.sidecar}"

    @property
    def lock(self) -> Path:
        """The file whose lock makes its holder the one writer."""
        return self.sidecar / "lock"

    @property
    def compacted(self) -> Path:
        """Where `watch --context-limit` writes the compacted transcript."""
        return self.transcript.with_name(f"{_short(self.transcript.stem)}{COMPACTED}")


@contextlib.contextmanager
def _explained(place: Place) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sentence = f"cannot write beside {place.transcript} nor in the state directory: {error.strerror}"
        raise NotWritable(sentence, f"ls -ld {near(str(place.sidecar))}") from error


def is_ours(path: Path) -> bool:
    """True for a file that memcli itself writes: it is never taken for a transcript of somebody else."""
    return ROOM in path.parts or is_our_name(path.name)


def is_our_name(name: str) -> bool:
    """True for the name of a file that memcli writes beside a transcript."""
    return name == MEMORY or name.endswith((f".{MEMORY}", COMPACTED)) or files.is_temporary(name)


def _can_write(sidecar: Path) -> bool:
    nearest = next(path for path in (sidecar, *sidecar.parents) if path.exists())
    return os.access(nearest, os.W_OK | os.X_OK) and nearest.is_dir()


def _elsewhere(real: Path) -> Path:
    key = hashlib.blake2b(os.fsencode(real), digest_size=12).hexdigest()
    return state_dir() / "transcripts" / f"{key}-{_short(real.name)}"


def _short(name: str) -> str:
    if len(os.fsencode(name)) <= _STEM_BYTES:
        return name
    mark = hashlib.blake2b(os.fsencode(name), digest_size=6).hexdigest()
    return os.fsencode(name)[: _STEM_BYTES - 13].decode("utf-8", "ignore") + "-" + mark


def _names(real: Path) -> tuple[str, ...]:
    return MEMORY, f"{_short(real.stem)}.{MEMORY}", f"{_short(real.name)}.{MEMORY}"


def _owner_file(sidecar: Path, name: str) -> Path:
    return sidecar.parent / f".{name}.owner"


def _owned(real: Path, sidecar: Path) -> Path | None:
    for name in _names(real):
        if files.read(_owner_file(sidecar, name)) == os.fsencode(real.name):
            return real.with_name(name)
    return None


def _memory(real: Path, sidecar: Path) -> Path:
    """The name that is owned, or the one that a claim would take now."""
    owned = _owned(real, sidecar)
    if owned:
        return owned
    for name in _names(real):
        if not _owner_file(sidecar, name).exists() and not os.path.lexists(real.with_name(name)):
            return real.with_name(name)
    return sidecar / MEMORY


def _claim_memory(real: Path, sidecar: Path) -> Path:
    owned = _owned(real, sidecar)
    if owned:
        return owned
    for name in _names(real):
        if os.path.lexists(real.with_name(name)):
            continue
        if files.create(_owner_file(sidecar, name), os.fsencode(real.name)):
            return real.with_name(name)
    return sidecar / MEMORY
