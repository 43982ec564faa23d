"""A session on disk."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.history import History, difference, patched
from memcli.memory.document import Document
from memcli.session.marks import Ahead, Marks, Pending
from memcli.transcript.boundary import BoundaryState
from memcli.transcript.meter import MeterState
from memcli.transcript.thread import State as ThreadState

if TYPE_CHECKING:
    from memcli.ledger.history import Past

STATE_VERSION = 4


class Saved(msgspec.Struct, frozen=True):
    """A session on disk. It holds the entries that are not folded yet, so that nothing has to be read twice.

    `fold` is the difference to the newest snapshot, which was taken at `base` (-1: there is none) and has the checksum
    `sum`; so is that of `ahead`. Snapshots and the ids of the thread are a log of their own.
    """

    version: int
    format: str
    reader: bytes
    marks: Marks
    thread: ThreadState
    meter: MeterState
    boundaries: BoundaryState
    base: int
    sum: int
    fold: bytes
    pending: list[Pending]
    ahead: Ahead | None
    document: Document | None


def packed(saved: Saved, newest: bytes) -> bytes:
    """The bytes of a state. Of its folds, which are whole yet, the difference to the `newest` snapshot is written."""
    ahead = saved.ahead and msgspec.structs.replace(saved.ahead, fold=difference(newest, saved.ahead.fold))
    thread = msgspec.structs.replace(saved.thread, nodes={})
    fold = difference(newest, saved.fold)
    told = msgspec.structs.replace(saved, sum=zlib.crc32(newest), thread=thread, fold=fold, ahead=ahead)
    return zlib.compress(msgspec.msgpack.encode(told), 1)


def unpacked(data: bytes, past: Past) -> tuple[Saved, History]:
    """The state, its folds whole again, and the snapshots it knew of those of the `past`.

    Raises ValueError for anything that `packed` did not write, or not with this past.
    """
    try:
        saved = msgspec.msgpack.decode(zlib.decompress(data), type=Saved)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(str(error)) from error
    if saved.version != STATE_VERSION:
        raise ValueError(f"state of version {saved.version}")
    history = History([one for one in past.snapshots if one.offset <= saved.base])
    newest = history.newest
    if zlib.crc32(newest) != saved.sum:
        raise ValueError("the snapshot is gone that was saved last")
    ahead = saved.ahead and msgspec.structs.replace(saved.ahead, fold=patched(newest, saved.ahead.fold))
    return msgspec.structs.replace(saved, fold=patched(newest, saved.fold), ahead=ahead), history
