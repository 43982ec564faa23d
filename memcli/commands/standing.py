"""How a memory stands to its transcript, found out without writing anything.

current   the memory reaches the last place where a cut is legal
stale     the transcript is further than that
foreign   what is committed is of another transcript (replaced, truncated)
none      nothing is committed
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from memcli.errors import MemoryForeign, MemoryStale, NoMemory
from memcli.hosts import known
from memcli.session import QUIET_SECONDS, Session, Triggers
from memcli.sidecar import publisher
from memcli.sidecar.lock import Holder, holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.transcript.recognise import no_messages
from memcli.watch.follower import Follower

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.head import Head

State = Literal["current", "stale", "foreign", "none"]


class Standing(NamedTuple):
    """One look at a transcript and its memory."""

    transcript: Path
    place: Place
    state: State
    head: Head | None
    session: Session
    holder: Holder | None

    @property
    def covered(self) -> int:
        """Messages that the memory covers."""
        return self.head.messages - self.head.tail_messages if self.head else 0

    def require_current(self) -> None:
        """Raises MemoryStale, MemoryForeign or NoMemory unless the memory is current."""
        again = f"memcli update {shlex.quote(str(self.transcript))}"
        if self.state == "none":
            raise NoMemory(f"no session memory beside {self.transcript}", again)
        if self.state == "foreign":
            raise MemoryForeign(f"the memory beside {self.transcript} is of another transcript", again)
        if self.state == "stale":
            behind = self.session.messages - self.covered
            raise MemoryStale(f"the memory of {self.transcript} is {behind} messages behind", again)


def standing_of(transcript: Path) -> Standing:
    """Read the transcript to its end and compare. Raises NotATranscript and NoMessages."""
    place = Place.of(transcript)
    follower = Follower(str(place.transcript), place, Triggers(), str(transcript))
    follower.catch_up(time.monotonic() - 2 * QUIET_SECONDS)
    session = follower.session
    if session is None:
        raise follower.unrecognised()
    follower.resolve(session.tick(time.monotonic()), time.monotonic())
    session = follower.session
    assert session is not None
    if not session.messages:
        raise no_messages(str(transcript))
    head = Store(place).head()
    return Standing(transcript, place, _state(place, head, session), head, session, _watched_by(place))


def _watched_by(place: Place) -> Holder | None:
    """Whoever follows this transcript, or waits for it to live again."""
    if found := holder(place.lock):
        return found
    lock = known.held_over(place.transcript)
    return holder(lock) if lock else None


def _state(place: Place, head: Head | None, session: Session) -> State:
    if head is None:
        return "none"
    with place.transcript.open("rb") as transcript:
        if publisher.fingerprint(transcript, head.covered, head.end) != head.fingerprint:
            return "foreign"
    last = session.boundaries.last
    return "stale" if last is not None and last.offset > head.covered else "current"
