"""The whole fold of a transcript: what is kept of the past, and what is going on."""

from __future__ import annotations

import msgspec

from memcli.ledger.ledger import Ledger
from memcli.ledger.present import Present
from memcli.transcript.entries import Entry, Interrupt, UserText


class Fold:
    """The ledger and the present, folded together: what one snapshot holds.

    `stopped`: the person has interrupted the agent and not spoken since. A successor's reader cannot know that.
    """

    def __init__(self, snapshot: bytes = b"") -> None:
        kind = tuple[bytes, bytes, bool]
        ledger, present, stopped = msgspec.msgpack.decode(snapshot, type=kind) if snapshot else (b"", b"", False)
        self.ledger = Ledger.restore(ledger) if ledger else Ledger()
        self.present = Present.restore(present) if present else Present()
        self.stopped = stopped

    def fold(self, entry: Entry) -> None:
        """Take in one live entry."""
        self.ledger.fold(entry)
        self.present.fold(entry)
        for part in entry.parts:
            if isinstance(part, Interrupt) or (isinstance(part, UserText) and part.via in ("prompt", "command")):
                self.stopped = isinstance(part, Interrupt)

    def snapshot(self) -> bytes:
        """Everything, as bytes; equal content gives equal bytes."""
        return msgspec.msgpack.encode((self.ledger.snapshot(), self.present.snapshot(), self.stopped))
