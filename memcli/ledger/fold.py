"""The whole fold of a transcript: what is kept of the past, and what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.ledger import Ledger
from memcli.ledger.present import Now, Present

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry


class Fold:
    """The ledger and the present, folded together: what one snapshot holds. What both know of the work is one thing.

    `heard` is what the transcript's reader knew at this place, as bytes that the fold does not look into: a successor
    goes on reading from here (`formats.go_on`). b"" at the beginning.
    """

    def __init__(self, snapshot: bytes = b"") -> None:
        kind = tuple[bytes, bytes, bytes]
        ledger, present, heard = msgspec.msgpack.decode(snapshot, type=kind) if snapshot else (b"", b"", b"")
        self.ledger = Ledger.restore(ledger) if ledger else Ledger()
        work = self.ledger.state.work
        self.present = Present.restore(present, work) if present else Present(Now(work=work))
        self.heard = heard

    def fold(self, entry: Entry) -> None:
        """Take in one live entry."""
        for part in entry.parts:
            self.present.follow(part, entry.role, self.ledger.take(part, entry.role))

    def snapshot(self) -> bytes:
        """Everything, as bytes; equal content gives equal bytes."""
        return msgspec.msgpack.encode((self.ledger.snapshot(), self.present.snapshot(bare=True), self.heard))
