"""Reading one transcript into a session: recognise the format, feed what is new, find where it comes from.

The follower only reads. It resolves what a session asks while it reads (the parent of a swapped transcript, reading
anew after a rewind that went far back); every other effect is handed up in order.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.effects import AnyEffect, Effect, FindParent, Inheritance, ReadingEffect, Restart
from memcli.errors import MemcliError, NotATranscript
from memcli.ledger.fold import Fold
from memcli.memory import message
from memcli.memory.edits import from_record, taken_in
from memcli.memory.sections import Sections
from memcli.session import Session, Triggers
from memcli.sidecar import lineage
from memcli.transcript.formats.conversations import conversation
from memcli.transcript.lines import Line, whole
from memcli.transcript.recognise import Election, no_messages, recognise
from memcli.watch.tail import CHUNK_BYTES, Tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memcli.sidecar.place import Place


ALIKE = ("anthropic", "openai")
"""Formats whose bare messages look the same: only a tool, perhaps many lines later, tells them apart."""


class Replaced(NamedTuple):
    """The transcript is another file than before, or of another format than its first lines said; reading began
    anew."""


class Follower:
    """A file and the session made of it. `session` is None until the beginning of the file tells its format.

    `name` is what messages call the file. `now` is always the caller's steady clock, in seconds.
    """

    def __init__(self, path: str, place: Place, triggers: Triggers, name: str = "") -> None:
        self.path = path
        self.place = place
        self.triggers = triggers
        self.name = name or path
        self.tail = Tail(path)
        self.session: Session | None = None
        self._election = Election()
        """Of the format, where that can still be another one than it seemed to be."""

    @property
    def behind(self) -> bool:
        """True if a look was told to end before the end of the file."""
        return self.session is not None and self.tail.behind > 0

    def look(self, now: float, most: int | None = None) -> list[Replaced]:
        """Read what the file has grown by, at `most` so many bytes. Raises NotATranscript for a file that is none."""
        change = self.tail.look()
        effects: list[Replaced] = []
        if change == "replaced" or (change == "grown" and self._mistaken()):
            self.start_over()
            effects.append(Replaced())
        if change in ("grown", "replaced"):
            for chunk in self._chunks(most):
                self._receive(chunk, now)
        return effects

    def catch_up(self, now: float) -> list[Replaced]:
        """Read to the end of the file, also if it grows meanwhile."""
        effects, before = self.look(now), -1
        while self.tail.position != before:
            before = self.tail.position
            effects += self.look(now)
        return effects

    def start_over(self) -> None:
        """Forget what was read: another file stands under this name."""
        identity = self.tail.identity
        self.session, self.tail, self._election = None, Tail(self.path), Election()
        self.tail.identity = identity

    def read_anew(self) -> None:
        """Forget what was read, and let the next look read whatever stands there."""
        self.start_over()
        self.tail.identity = None

    def unrecognised(self) -> MemcliError:
        """What to say of a file that was read to its end and is of no format."""
        with open(self.path, "rb") as transcript:
            head = transcript.read(CHUNK_BYTES)
        try:
            recognise(head, self.name)
        except MemcliError as error:
            return error
        return no_messages(self.name)

    def resolve(self, effects: Sequence[AnyEffect], now: float) -> list[Effect]:
        """Carry out what reading asks for; the effects that are left for the caller."""
        left: list[Effect] = []
        for effect in effects:
            match effect:
                case FindParent(mark, text):
                    self.resolve(self._adopt(mark, text), now)
                case Restart(dead):
                    self._read_again(dead, now)
                case _:
                    left.append(effect)
        return left

    def _chunks(self, most: int | None) -> Iterator[bytes]:
        if self.session is not None or self._recognised():
            yield from self.tail.read(most)

    def _recognised(self) -> bool:
        """True once the beginning of the file tells its format."""
        with open(self.path, "rb") as transcript:
            head = transcript.read(CHUNK_BYTES)
            while b"\n" not in head and (more := transcript.read(CHUNK_BYTES)):
                head += more
        if not head.strip():
            return False
        if b"\n" not in head and whole(Line(0, len(head), head)):
            head += b"\n"  # one record whose line end was never written
        found = recognise(head, self.name, ended=False)
        if found in ALIKE and conversation(Line(0, len(head), head.split(b"\n", 1)[0])) is not None:
            raise NotATranscript(
                f"{self.name} holds one whole conversation a line, which cannot be followed",
                f"memcli update {shlex.quote(self.name)} --line 1",
            )
        if found:
            self.session = Session(found, self.triggers)
        return bool(found)

    def _mistaken(self) -> bool:
        """True if the beginning of the file, longer now, speaks for another format than it did.

        So a file that was watched from its first line on is read as one that was found whole.
        """
        if self.session is None or self.session.format not in ALIKE or self.tail.position >= CHUNK_BYTES:
            return False
        if self._election.over:
            return False
        with open(self.path, "rb") as transcript:
            transcript.seek(self._election.position)
            more = transcript.read(CHUNK_BYTES - self._election.position)
        return self._election.add(more) not in ("", self.session.format)

    def _receive(self, chunk: bytes, now: float) -> None:
        if self.session is not None:
            self.resolve(self.session.receive(chunk, now), now)

    def _adopt(self, mark: message.Mark, text: str) -> list[ReadingEffect]:
        assert self.session is not None
        names = Sections(self.triggers.sections).names
        inheritance = _inheritance(mark, text, self.place, names)
        return self.session.inherit(inheritance) if inheritance else self.session.disown()

    def _read_again(self, dead: tuple[tuple[int, int], ...], now: float) -> None:
        """A rewind went back further than the snapshots reach."""
        assert self.session is not None
        before, end = self.session, self.tail.position
        self.session = Session(before.format, self.triggers, dead)
        self.session.take_over(before)
        self.tail.position = 0
        for chunk in self.tail.read():
            self._receive(chunk, now)
            if self.tail.position >= end:
                break


def _inheritance(mark: message.Mark, text: str, place: Place, names: Sequence[str]) -> Inheritance | None:
    """What a transcript that begins with this memory message takes over; None if the message is not ours."""
    document = message.document_of(text)
    parent = lineage.find(mark.generation, place.transcript)
    keys = lineage.Keys.load(parent.sidecar if parent else place.sidecar)
    if not keys.verify(mark.generation, message.signed(document), mark.digest):
        return None
    if parent is None:
        return Inheritance(opaque=document, generation=mark.generation)
    kept, tokens = from_record(parent.generation.edits), parent.generation.tokens_before
    if message.signed(document) != message.signed(parent.generation.memory):  # the user edited it before the swap
        kept = taken_in(kept, parent.generation.memory, document, names)
    if parent.ledger is None or not _is_readable(parent.ledger):
        return Inheritance(opaque=document, generation=mark.generation, edits=kept, tokens=tokens)
    prose = parent.generation.prose
    return Inheritance(parent.ledger, mark.covered, generation=mark.generation, edits=kept, prose=prose, tokens=tokens)


def _is_readable(fold: bytes) -> bool:
    """False for a fold of another version of memcli: then the memory's text is carried, as if the fold were lost."""
    try:
        Fold(fold)
    except msgspec.MsgspecError:
        return False
    return True
