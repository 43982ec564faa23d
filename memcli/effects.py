"""What a session asks of whoever owns files, clocks and processes, and what it is given.

FindParent, Restart          while reading: where the transcript comes from, reading anew (`watch.follower`)
Publish, RefreshState        the disk (`watch.keeper`)
StartJob, ContextFull,
UpToDate, Warned             processes and people (`watch.loop`, `watch.once`)
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from memcli.memory import message
from memcli.memory.document import Document
from memcli.memory.edits import Edits
from memcli.memory.jobs import Job, Result
from memcli.transcript.boundary import Cut
from memcli.transcript.meter import Reading


class Inheritance(msgspec.Struct, frozen=True):
    """What a swapped transcript takes over from its parent.

    `fold` is the parent's at its boundary, `covered` how many of the messages that follow it contains already;
    `opaque` is the memory's text where the fold is gone; `prose` is what a model wrote, by section; `tokens` is the
    size of the context that the parent had (0: nobody knows).
    """

    fold: bytes = b""
    covered: int = 0
    opaque: str = ""
    generation: str = ""
    edits: Edits = Edits()
    prose: dict[str, str] = {}
    tokens: int = 0


class Publication(msgspec.Struct, frozen=True):
    """A memory ready to be committed, and everything a head must say about the transcript at `end`.

    `identity` is the same for the same memory over the same messages; `parent` the generation that was inherited;
    `told` is how far a model was shown the conversation; `result` tells who made it, how long it took and what it cost.
    """

    identity: str
    parent: str
    document: Document
    state: str
    boundary: Cut
    tail: Cut
    cuts: tuple[Cut, ...]
    first: int
    end: int
    fold: bytes
    skip: tuple[tuple[int, int], ...]
    words: tuple[tuple[int, str], ...]
    edits: Edits
    open_calls: int
    messages: int
    chars: int
    ratio: float
    reading: Reading
    told: int
    result: Result
    room: int = 0
    """Characters that the whole memory may have."""

    @property
    def markdown(self) -> str:
        """The memory document with its Current State."""
        return self.document.to_markdown(self.state)

    @property
    def signed(self) -> str:
        """What the digest of its mark speaks for."""
        return message.signed(self.markdown)


class StartJob(msgspec.Struct, frozen=True):
    """Ask a summarizer."""

    job: Job


class Publish(msgspec.Struct, frozen=True):
    """Commit a memory."""

    publication: Publication


class Seen(msgspec.Struct, frozen=True):
    """What a head must say about the transcript up to `end`, for a boundary that stays where it is (`Publication`)."""

    end: int
    skip: tuple[tuple[int, int], ...]
    words: tuple[tuple[int, str], ...]
    open_calls: int
    messages: int
    chars: int
    ratio: float


class RefreshState(msgspec.Struct, frozen=True):
    """Current State for the memory that is published, and what was seen of the transcript since; None if a rewind
    took messages back that the memory speaks of."""

    document: Document
    state: str
    seen: Seen | None


class FindParent(msgspec.Struct, frozen=True):
    """The transcript begins with one of our memory messages: verify it, then call `inherit` or `disown`."""

    mark: message.Mark
    text: str


class Restart(msgspec.Struct, frozen=True):
    """The conversation went back further than the snapshots reach: read from the start with these ranges dead."""

    dead: tuple[tuple[int, int], ...]


class ContextFull(msgspec.Struct, frozen=True):
    """The context crossed the configured limit (once per crossing)."""

    reading: Reading


class UpToDate(msgspec.Struct, frozen=True):
    """What was asked for stands: the memory reaches the last place where a cut is legal."""

    boundary: int


class Warned(msgspec.Struct, frozen=True):
    """Something went wrong that the user should know; the memory is as good as it can be."""

    sentence: str


ReadingEffect: TypeAlias = FindParent | Restart
Effect: TypeAlias = StartJob | Publish | RefreshState | ContextFull | UpToDate | Warned
AnyEffect: TypeAlias = ReadingEffect | Effect
