"""What a daemon leaves beside a transcript that goes to rest: that nothing is due of it as it stands.

A daemon that starts finds thousands that nobody has touched since the last one ended. To wake one costs ten
milliseconds, to find this note and look at two files less than one. The note holds only for the same transcript and the
same Markdown (a longer one has to be read, an edited one to be taken in) under the same rules: with other thresholds an
update may be due, with a model to write one may be owed, and another version may remember otherwise. Whoever opens the
sidecar to write takes the note away (`keeper`), so it never speaks of another's work.

What happens if we die: without a note, or with half of one, the transcript is woken. It is not synced, for the same
reason.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger import ledger, present
from memcli.session import saved
from memcli.sidecar import files
from memcli.watch.tail import identity

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.session import Triggers
    from memcli.sidecar.place import Place
    from memcli.watch.tail import Identity

FILE = "rested"

_VERSIONS = (saved.STATE_VERSION, ledger.VERSION, present.VERSION)


class Rested(msgspec.Struct, frozen=True, array_like=True):
    """The note: what the transcript was, what the Markdown (None: there was none), and by which rules nothing was due.

    A file is (inode, bytes, mtime in nanoseconds): the number of its device may be another after a boot. `owed`: a
    model was wanted for the memory and did not write.
    """

    transcript: tuple[int, int, int]
    memory: tuple[int, int, int] | None
    rules: str
    owed: bool = False


def rules(triggers: Triggers) -> str:
    """A name for the rules that a daemon goes by."""
    return blake2b(msgspec.json.encode((_VERSIONS, triggers)), digest_size=16).hexdigest()


def note(place: Place, seen: Identity, by: str, *, owed: bool) -> None:
    """Leave the note for a transcript that was read as it was `seen`. Raises OSError."""
    content = msgspec.json.encode(Rested(_file(seen), _memory(place), by, owed))
    forget(place.sidecar)
    files.write_new(place.sidecar / FILE, content, durable=False)


def noted(place: Place, by: str) -> Rested | None:
    """The note, if it holds for what stands there now; else None."""
    try:
        found = msgspec.json.decode(files.read(place.sidecar / FILE) or b"", type=Rested)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    seen = identity(str(place.transcript))
    stands = seen is not None and found.transcript == _file(seen) and found.rules == by
    return found if stands and found.memory == _memory(place) else None


def forget(sidecar: Path) -> None:
    """Take the note away: something may become due."""
    (sidecar / FILE).unlink(missing_ok=True)


def _memory(place: Place) -> tuple[int, int, int] | None:
    seen = identity(str(place.memory))
    return _file(seen) if seen else None


def _file(seen: Identity) -> tuple[int, int, int]:
    return seen.inode, seen.size, seen.mtime_ns
