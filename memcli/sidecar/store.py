"""The sidecar of one transcript: what is committed, what can be made again, and what the user wrote into it.

    rested           that nothing is due, as long as nothing changes (`watch.rested`); a cache
    id               which sidecar this is, wherever it is moved to (16 hexadecimal digits)
    head             the commit point (`memcli.head`)
    now              Current State as of the last append; a cache
    tail             the tail as a swap would rewrite it (`memcli.program`), for where nothing is appended; a cache
    generations/     one immutable file each, the older the fewer (`generations.stays`); ledgers/ holds the folds of the
                     last few
    ledger           a log of the fold's snapshots and the ids seen; a cache
    state            the session's own bytes: meter, marks, backoff, spending
    memory.next      the Markdown that `head` has published and that is on its way to its name
    replaced.<hash>  second names of the Markdowns that were replaced last; the hash is what the content was then
    edits/           what the user wrote into the Markdown, all of it (`kept_edits`)

The order of a commit, and what a crash at each point leaves:

    1  generation and ledger     the old memory stands; the new generation is `generations.newest` and need not be
                                 paid for again, only published
    2  memory.next, synced       the same; `prepare` removes it, as no head speaks of it
    3  head, by rename           COMMITTED. The Markdown at its name is the one before, which head knows by its hash;
                                 `prepare` moves memory.next to its name
    4  replaced.<hash>, by link  the same
    5  memory.next to its name   done, but for an edit that came between 2 and 5: it is in replaced.<hash>, whose hash
                                 is not its own, and the next `edits` finds it there
    6  edits/*.new to *.md       an edit may be handed out twice: taking it in again must change nothing
    7  what is old goes          the rest of it goes after the next commit

An edit is found by content: the Markdown at its name is neither what head has published nor what it says stood there
before. An editor that still writes into the old file after 5 writes into replaced.<hash>. What could be lost is a
file which an editor renames into place between 4 and 5, some microseconds; no portable call closes that.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import zlib
from typing import TYPE_CHECKING

from memcli import head as heads
from memcli.sidecar import files
from memcli.sidecar.generations import Generation, Generations, generation_id
from memcli.sidecar.kept_edits import Edit, KeptEdits
from memcli.sidecar.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memcli.sidecar.place import Place

_STATE_MAGIC = b"memcli-state 1 %08x\n"
_ID_SPAN = 4096
# So many replaced Markdowns are watched for an editor that has the old file open and still writes into it.
_REPLACED = 4


class Store:
    """Loads and saves what lies in a sidecar.

    Loading needs nothing and never raises for what is missing or damaged: that is None. Saving is for the holder of
    the lock, after `prepare`; it raises OSError, and then what was committed before still is.
    """

    def __init__(self, place: Place, disk: files.Disk = files.DISK) -> None:
        self.place = place
        self._disk = disk
        self._sidecar = place.sidecar
        self._next = place.sidecar / "memory.next"
        self._edits = KeptEdits(place.sidecar, disk)
        self.generations = Generations(place.sidecar, disk)

    def prepare(self) -> None:
        """Finish what a killed writer began. Call once, with the lock held and the place claimed."""
        for directory in (self._sidecar, *(path for path in self._sidecar.iterdir() if path.is_dir())):
            files.sweep(directory)
        head, content = self.head(), files.read(self._next)
        if head and content is not None and head.memory_number == heads.number(content):
            self._collect(head)
            self._put_in_place(head)
        else:
            self._next.unlink(missing_ok=True)

    @property
    def id(self) -> str:
        """Which sidecar this is; empty before `make_id`."""
        data = files.read(self._sidecar / "id") or b""
        return data.decode("ascii", "replace").strip()

    def make_id(self) -> str:
        """The id, made if there is none yet: of the transcript's path and first bytes, so that it is told apart."""
        if not self.id:
            with self.place.transcript.open("rb") as transcript:
                seed = os.fsencode(self.place.transcript) + b"\0" + transcript.read(_ID_SPAN)
            made = hashlib.blake2b(seed, digest_size=8).hexdigest()
            files.write_atomic(self._sidecar / "id", f"{made}\n".encode(), disk=self._disk)
        return self.id

    def next_generation(self) -> tuple[int, str]:
        """Number and id for the next generation."""
        n = self.generations.next_number()
        return n, generation_id(self.make_id(), n)

    def snapshots(self) -> Snapshots:
        """The log of ledger snapshots, as it now is on disk."""
        return Snapshots(self._sidecar / "ledger", self._disk)

    # What is committed.

    def head(self) -> heads.Head | None:
        """What is committed; None if nothing is, or if the file is damaged."""
        try:
            return heads.parse(files.read(self._sidecar / "head") or b"")
        except ValueError:
            return None

    def commit(
        self, generation: Generation, ledger: bytes, head: heads.Head, memory: bytes, taken_in: Sequence[Edit] = ()
    ) -> None:
        """Publish a new generation. `head` names it; its fields about the Markdown are filled in here."""
        self.generations.add(generation, ledger)
        self.publish(head, memory, taken_in)
        with contextlib.suppress(OSError):  # it is committed; the next one tries again
            self.generations.thin(head.generation)
            self._edits.pack()

    def publish(self, head: heads.Head, memory: bytes, taken_in: Sequence[Edit] = ()) -> None:
        """Commit `head` with `memory` as its Markdown: a new generation that was added, or a fresh Current State.

        `taken_in` are the edits of the user that `memory` accounts for. A fresh Current State that accounts for none
        leaves an edited Markdown where it is: nobody's words go from the screen before a generation has them.
        """
        old = self.head()
        standing = self._collect(old)
        fresh_state = old is not None and old.generation == head.generation and not taken_in
        edited = old is not None and standing not in (-1, old.memory_number, old.memory_previous)
        if old and (old.memory_number == standing == heads.number(memory) or (fresh_state and edited)):
            for field in ("memory_name", "memory_size", "memory_mtime", "memory_number", "memory_previous"):
                setattr(head, field, getattr(old, field))
            self._write_head(head)
        else:
            self._stage(head, memory, standing)
            self._write_head(head)
            self._put_in_place(head)
        for edit in taken_in:
            with contextlib.suppress(FileNotFoundError):
                self._edits.taken(edit)

    def forget(self) -> None:
        """The transcript was replaced by another: nothing committed holds. Generations and edits stay."""
        head, number = self.head(), heads.number(files.read(self.place.memory) or b"")
        if head is not None and number in (head.memory_number, head.memory_previous):
            with contextlib.suppress(OSError):  # without a head, this name tells that it is nobody's edit
                files.second_name(self.place.memory, self._replaced(number), self._disk)
        for name in ("head", "now", "tail", "state", "ledger", "memory.next"):
            (self._sidecar / name).unlink(missing_ok=True)

    # What the user wrote.

    def edits(self) -> list[Edit]:
        """The user's edits that no generation has taken in yet, oldest first. Keeps what it finds; needs the lock."""
        self._collect(self.head())
        return self._edits.waiting()

    # What can be made again.

    def save_now(self, now: bytes) -> None:
        """Replace the Current State, as `head.build_now` made it. Not synced: `head` has an older one."""
        files.write_atomic(self._sidecar / "now", now, disk=self._disk, durable=False)

    def save_tail(self, tail: bytes | None) -> None:
        """Replace the prepared tail, as `program.build` made it; None removes it. Not synced: the swap can rewrite."""
        if tail is None:
            (self._sidecar / "tail").unlink(missing_ok=True)
        else:
            files.write_atomic(self._sidecar / "tail", tail, disk=self._disk, durable=False)

    def state(self) -> bytes | None:
        """The session's own bytes; None if there are none, or they are damaged."""
        line, newline, rest = (files.read(self._sidecar / "state") or b"").partition(b"\n")
        return rest if newline and line + newline == _STATE_MAGIC % zlib.crc32(rest) else None

    def save_state(self, state: bytes, *, durable: bool = False) -> None:
        """Replace the session's own bytes; `durable` where they say what was paid."""
        data = _STATE_MAGIC % zlib.crc32(state) + state
        files.write_atomic(self._sidecar / "state", data, disk=self._disk, durable=durable)

    def _write_head(self, head: heads.Head) -> None:
        files.write_atomic(self._sidecar / "head", heads.build(head), disk=self._disk)

    def _collect(self, head: heads.Head | None) -> int:
        """Keep every edit there is to find; the number of the Markdown that stands at its name, -1 for none."""
        for replaced in self._sidecar.glob("replaced.*"):
            content = files.read(replaced)
            if content is not None and self._replaced(heads.number(content)) != replaced:
                self._edits.keep(content, "new")
                replaced.unlink(missing_ok=True)
        if head and self.stands(head):
            return head.memory_number
        content = files.read(self.place.memory)
        if content is None:
            return -1
        number = heads.number(content)
        if head is None:
            if not self._replaced(number).exists():
                # Without a head nobody can tell whose words these are: kept, but not handed out.
                self._edits.keep(content, "md")
        elif number not in (head.memory_number, head.memory_previous):
            self._edits.keep(content, "new")
        return number

    def unedited(self, head: heads.Head) -> bool:
        """True if the Markdown is the one that `head`, or a fresher Current State for it, has published."""
        return self.stands(head) or heads.number(files.read(self.place.memory) or b"") in (
            head.memory_number,
            head.memory_previous,
        )

    def edited(self, head: heads.Head) -> bool:
        """True if there may be something for `edits` to find. Costs a stat and a look into a directory."""
        return not self.stands(head) or self._edits.any_wait

    def stands(self, head: heads.Head) -> bool:
        """True if the Markdown at its name is, by its stat, the one that `head` has published."""
        try:
            stat = self.place.memory.stat()
        except FileNotFoundError:
            return False
        return (stat.st_size, stat.st_mtime_ns) == (head.memory_size, head.memory_mtime)

    def _stage(self, head: heads.Head, memory: bytes, standing: int) -> None:
        """Lay the Markdown ready and let `head` tell of it, and of the one that stands at its name until then.

        `standing` is what `_collect` has looked at and kept, so an edit that came since has another number.
        """
        self._next.unlink(missing_ok=True)
        files.write_new(self._next, memory, disk=self._disk)
        stat = self._next.stat()
        head.memory_name = os.path.relpath(self.place.memory, self.place.transcript.parent)
        head.memory_size, head.memory_mtime = stat.st_size, stat.st_mtime_ns
        head.memory_number, head.memory_previous = heads.number(memory), standing

    def _put_in_place(self, head: heads.Head) -> None:
        files.second_name(self.place.memory, self._replaced(head.memory_previous), self._disk)
        try:
            self._disk.replace(self._next, self.place.memory)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy_in_place(head)
        files.sync_directory(self.place.memory.parent, self._disk)
        # A new name changes the ctime, so this is the order in which they were replaced.
        for replaced in sorted(self._sidecar.glob("replaced.*"), key=lambda path: path.stat().st_ctime_ns)[:-_REPLACED]:
            replaced.unlink()

    def _replaced(self, number: int) -> Path:
        """The second name of a Markdown with this number."""
        return self._sidecar / f"replaced.{number:x}"

    def _copy_in_place(self, head: heads.Head) -> None:
        # The sidecar was put on another file system. The time is set so that the stat in `head` holds all the same.
        files.write_atomic(self.place.memory, self._next.read_bytes(), disk=self._disk)
        os.utime(self.place.memory, ns=(head.memory_mtime, head.memory_mtime))
        self._next.unlink()
