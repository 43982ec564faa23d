"""The generations of a memory: one immutable file each, `generations/<n>.json`, and the ledgers of the last few.

A generation is written before the head that names it. Dying between leaves a generation that no head names: it was
paid for, is found again by `Generations.newest`, and its number is never given to another one.

There is one every few minutes for as long as somebody works, so old ones are thinned out, the older the more (`stays`).
What is needed for more than looking back stays: the published one, and the one that its transcript begins with, whose
fold is read whenever the transcript is read again. What the user wrote is not kept here alone (`kept_edits`). A gap in
the numbers tells how many are gone. What a crash leaves: some that go the next time.

The id of a generation is that of the sidecar (16 hexadecimal digits) followed by its number (8): it tells in which
sidecar to look, wherever that was moved to.
"""

from __future__ import annotations

import errno
import os
import zlib
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.jobs import Call
from memcli.sidecar import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEDGERS_KEPT = 8

RECENT = 64
"""So many are kept whole: a day's work at an update every few minutes. Of each span before, which is twice as long as
the one behind it, half as many are: 64 + 32 · log2(all / 64), so below 300 of 10,000, and 5 MB of 160."""

_LOOK_BACK = 3
"""What is published, what its transcript begins with, and the same of the transcript that `undo` would bring back."""

_ID_DIGITS = 16


class Generation(msgspec.Struct, frozen=True, tag_field="version", tag=1, omit_defaults=True):
    """One published memory, as `history`, `diff` and the successor of its transcript need it.

    `prose`: the prose block of each section that has one; `edits`: the user's own changes of the Markdown, by
    section; `pins`: pinned facts. `start`..`covered`: the bytes of the transcript it accounts for (half-open).
    Tokens are estimates; `milliseconds` is how long its making took; `calls` are the requests to a model that it took,
    with what they cost; `made` is in Unix seconds.
    `parent` is the generation before, `inherited` the one that the transcript begins with ("" for none).
    `told` is the offset up to which a model had been shown the conversation when its `prose` was written.
    `digest` is that of the mark in its memory message (`lineage.Keys.digest`); `memory` the whole Markdown text.

    The next version of the shape is a new struct with the next tag; this one stays readable.
    """

    n: int
    id: str
    made: float
    covered: int
    start: int = 0
    told: int = 0
    parent: str = ""
    prose: dict[str, str] = {}
    edits: dict[str, str] = {}
    pins: tuple[str, ...] = ()
    tokens_before: int = 0
    tokens_after: int = 0
    messages_before: int = 0
    messages_after: int = 0
    milliseconds: int = 0
    backend: str = "embedded"
    model: str = ""
    calls: tuple[Call, ...] = ()
    digest: str = ""
    memory: str = ""
    inherited: str = ""


def stays(n: int, newest: int) -> bool:
    """True if generation `n` is kept when there is a `newest`: the first, the last `RECENT`, of the `RECENT` before
    every second one, of twice as many before those every fourth, and so on."""
    spans = (newest - n) // RECENT
    return n == 1 or n % (1 << spans.bit_length()) == 0


def generation_id(sidecar_id: str, n: int) -> str:
    """The id of generation `n` of the sidecar with this id."""
    return f"{sidecar_id}{n:08x}"


def split_id(generation: str) -> tuple[str, int] | None:
    """The sidecar's id and the number inside a generation's id; None if it is none of ours."""
    try:
        if len(generation) != _ID_DIGITS + 8:
            return None
        int(generation, 16)
        return generation[:_ID_DIGITS], int(generation[_ID_DIGITS:], 16)
    except ValueError:
        return None


class Generations:
    """The generations of one sidecar on disk. Numbers start at 1 and only grow."""

    def __init__(self, sidecar: Path, disk: files.Disk = files.DISK) -> None:
        self._directory = sidecar / "generations"
        self._ledgers = sidecar / "ledgers"
        self._disk = disk

    def add(self, generation: Generation, ledger: bytes) -> None:
        """Write a generation and its ledger. Raises OSError; FileExistsError if its number is taken."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._ledgers.mkdir(mode=0o700, exist_ok=True)
        # The ledger first: a generation that is there has its ledger, or had it.
        files.write_atomic(self._ledger_path(generation.n), zlib.compress(ledger, 6), disk=self._disk)
        if not files.create(self._path(generation.n), msgspec.json.encode(generation), disk=self._disk):
            raise FileExistsError(errno.EEXIST, "this generation exists", str(self._path(generation.n)))

    def thin(self, published: str) -> None:
        """Remove what is too old to be kept, but for what is needed while `published` is. Raises OSError.

        For the holder of the lock alone; doing it again, or only in part, does no harm.
        """
        numbers, ledgers = self.numbers(), _numbers(self._ledgers)
        needed = self._needed(published)
        for n in numbers:
            if n not in needed and not stays(n, numbers[-1]):
                self._path(n).unlink(missing_ok=True)
        for n in ledgers[:-LEDGERS_KEPT]:
            if n not in needed:
                self._ledger_path(n).unlink(missing_ok=True)

    def numbers(self) -> list[int]:
        """The numbers of all generations, ascending."""
        return _numbers(self._directory, ".json")

    def get(self, n: int) -> Generation | None:
        """Generation `n`; None if it is not there or cannot be read."""
        data = files.read(self._path(n))
        try:
            return msgspec.json.decode(data, type=Generation) if data else None
        except (msgspec.MsgspecError, UnicodeDecodeError):  # msgspec lets the latter pass as it is
            return None

    def all(self) -> Iterator[Generation]:
        """Every readable generation, oldest first."""
        return (found for n in self.numbers() if (found := self.get(n)))

    def newest(self) -> Generation | None:
        """The readable generation with the highest number."""
        return next((found for n in reversed(self.numbers()) if (found := self.get(n))), None)

    def next_number(self) -> int:
        """The number of the next generation. A number once used, even by a damaged file, is not given again."""
        return max(self.numbers(), default=0) + 1

    def ledger(self, n: int) -> bytes | None:
        """The ledger snapshot of generation `n`; None if it is too old, lost or damaged."""
        data = files.read(self._ledger_path(n))
        try:
            return zlib.decompress(data) if data else None
        except zlib.error:
            return None

    def _needed(self, published: str) -> set[int]:
        needed = set()
        for _ in range(_LOOK_BACK):
            named = split_id(published)
            found = self.get(named[1]) if named else None
            if found is None or found.id != published:
                break  # another sidecar's: that one knows nothing of us
            needed.add(found.n)
            published = found.inherited
        return needed

    def _path(self, n: int) -> Path:
        return self._directory / f"{n}.json"

    def _ledger_path(self, n: int) -> Path:
        return self._ledgers / str(n)


def _numbers(directory: Path, suffix: str = "") -> list[int]:
    """The numbers that files are called by, ascending."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    stems = (name[: len(name) - len(suffix)] for name in names if name.endswith(suffix))
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())
