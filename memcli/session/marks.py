"""What a session remembers beside the folds: plain values, what waits for a cut, what is being asked."""

from __future__ import annotations

import msgspec

from memcli.memory.edits import Edits
from memcli.memory.jobs import Job
from memcli.transcript.boundary import Cut
from memcli.transcript.entries import Entry

KEPT_PROSE = 8
"""Older prose that a rewind may fall back to; beyond it the model begins anew."""


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A live entry after the last cut. `inherited`: the parent's ledger contains it already."""

    entry: Entry
    inherited: bool = False


class Ahead(msgspec.Struct, frozen=True):
    """The fold before it took in the end of a quiet file, and what it took in: should the file go on with another part
    of its last message, that end was no place to cut.
    """

    cut: int
    fold: bytes
    pending: list[Pending]


class InFlight(msgspec.Struct, frozen=True):
    """The job that was started, with what its answer will be published against."""

    job: Job
    cut: Cut
    fold: bytes
    epoch: int
    tokens: int
    """Reading when it was started: growth counts from there, however long the answer takes."""
    calls: int
    """Tool calls that it answers."""


class Marks(msgspec.Struct):
    """The plain values of a session that outlive the process."""

    position: int = 0
    first: int = -1
    """Offset of the first conversation message, a memory that was inherited not counted."""
    begin: int = 0
    """The end of the memory that was inherited; 0 without one."""
    floor: int = 0
    """Where the parent's fold ends: nothing before it can be folded otherwise."""
    inherited: int = 0
    opaque: str = ""
    parent: str = ""
    """The generation this transcript inherited from."""
    covered: int = 0
    """Boundary of the published memory."""
    epoch: int = 0
    published_epoch: int = 0
    tokens: int = 0
    """Reading at the last published memory."""
    calls: int = 0
    """Tool calls since then."""
    turn_ended: bool = False
    full: bool = False
    copies: list[tuple[int, int]] = []
    """Records that repeat earlier ones, as byte ranges."""
    words: list[tuple[int, str]] = []
    """Offset and text of the user's words that hide in records which are no message."""
    dead: list[tuple[int, int]] = []
    edits: Edits = Edits()
    owed: bool = False
    """A model was wanted for the published memory and did not write."""
    told: int = 0
    """Offset up to which a model has been shown the conversation."""
    prose: list[tuple[int, dict[str, str]]] = []
    """What a model wrote, each with the offset it reaches to: the newest last, a few older ones for rewinds."""
