"""The crew: the transcripts that are awake, each with its keeper, and how they wake and rest.

Only so many are awake at a time, whatever there is to do, so that memory does not grow with their number. Who rests has
saved what is worth it and keeps its lock, which costs nothing (`sidecar.presence`).

What happens if we die: what the awake ones have read since they woke is read again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.errors import AlreadyWatched, MemcliError
from memcli.sidecar.lock import DAEMON, Lock
from memcli.sidecar.place import Place
from memcli.watch import rested
from memcli.watch.keeper import Keeper
from memcli.watch.tail import identity
from memcli.watch.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memcli.session import Triggers
    from memcli.sidecar.presence import Presence
    from memcli.watch.roster import Known

MOST = 16
"""Awake at a time, besides as many as there may be jobs: those that wait for an answer cannot rest."""


class Awake:
    """One of them. `due`: when its session has to decide (None: not before something happens); `active`: when something
    happened last. Both by the steady clock, in seconds."""

    __slots__ = ("active", "due", "keeper", "known")

    def __init__(self, known: Known, keeper: Keeper, now: float) -> None:
        self.known = known
        self.keeper = keeper
        self.active = now
        self.due: float | None = now


class Crew:
    """Those that are awake, by path; the one where something happened last is the last one. `jobs`: how many may be
    asked of summarizers at a time."""

    def __init__(self, triggers: Triggers, report: Callable[[Told], None], jobs: int = 0) -> None:
        self.presence: Presence | None = None
        """What holds the locks; set before anybody wakes."""
        self._triggers = triggers
        self._report = report
        self._rules = rested.rules(triggers)
        self._most = MOST + jobs
        self._awake: OrderedDict[str, Awake] = OrderedDict()  # others look at it while the loop runs
        self._troubles: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._awake)

    def __iter__(self) -> Iterator[Awake]:
        return iter(list(self._awake.values()))

    def get(self, path: str) -> Awake | None:
        """The transcript at this path, if it is awake."""
        return self._awake.get(path)

    def touch(self, path: str, now: float) -> None:
        """Something happened to this one."""
        self._awake[path].active = now
        self._awake.move_to_end(path)

    # ------------------------------------------------------------------ waking

    def wake(self, known: Known, now: float, *, strict: bool = False) -> Awake | None:
        """Open its keeper. None if it is not to be followed, which was told; with `strict` that is raised."""
        place = Place.of(Path(known.path))
        keeper = Keeper(place, self._triggers)
        try:
            keeper.open(DAEMON, time.time(), self.presence)
        except MemcliError as error:
            if strict:
                raise
            self.refuse(known, error)
            return None
        except OSError as error:
            with contextlib.suppress(OSError):
                keeper.close()
            if strict:
                raise
            known.seen = None  # tried again by the next sweep
            self.complain(known.path, error)
            return None
        self._greet(known, place)
        self._awake[known.path] = Awake(known, keeper, now)
        return self._awake[known.path]

    def pass_by(self, known: Known) -> bool:
        """Follow one without waking it, if the last daemon has noted that nothing is due of it."""
        place = Place.of(Path(known.path))
        if rested.noted(place, self._rules) is None:
            return False
        try:
            Lock.acquire(place.lock, DAEMON, time.time(), self.presence)
        except (MemcliError, OSError):
            return False  # why, is told when it is woken
        seen, found = identity(known.path), rested.noted(place, self._rules)
        if seen is None or found is None:
            return False  # whoever had the lock until now has been at work
        self._greet(known, place)
        known.seen, known.owed = seen, 0.0 if found.owed else None
        return True

    def _greet(self, known: Known, place: Place) -> None:
        known.refused, known.held, known.owed = "", False, None
        known.elsewhere = str(place.sidecar) if place.elsewhere else ""
        if known.told:
            return
        known.told = True
        if place.announcement:
            self._report(Told(known.path, "warning", {"reason": place.announcement}))
        self._report(Told(known.path, "following", {"memory": str(place.memory)}))

    def refuse(self, known: Known, error: MemcliError) -> None:
        """Not a transcript, or somebody else's: said once."""
        awake = self._awake.pop(known.path, None)
        if awake is not None:
            with contextlib.suppress(OSError):
                awake.keeper.close()
        before = known.refused
        known.refused, known.held = error.sentence, isinstance(error, AlreadyWatched)
        known.seen = identity(known.path)
        if before != error.sentence:
            self._report(Told(known.path, "ignored", {"reason": error.sentence}))

    # ------------------------------------------------------------------ resting

    def rest(self, path: str) -> None:
        """Save what is worth it and leave memory."""
        awake = self._awake.pop(path)
        session = awake.keeper.session
        owed = session is not None and session.marks.owed
        awake.known.owed = 0.0 if owed else None
        if not os.path.exists(path):
            return  # what was read of it is of no use any more
        try:
            awake.keeper.rest()
            if awake.due is None and not awake.keeper.behind and (seen := awake.known.seen) is not None:
                rested.note(awake.keeper.place, seen, self._rules, owed=owed)
        except OSError as error:
            self.complain(path, error)

    def room(self, may_rest: Callable[[Awake], bool]) -> bool:
        """True if one more can be awake, if need be because the one that did the least for longest goes to rest."""
        if len(self._awake) < self._most:
            return True
        tired = next((awake for awake in self if may_rest(awake)), None)
        if tired is not None:
            self.rest(tired.known.path)
        return tired is not None

    def let_go(self, path: str, error: OSError) -> None:
        """A disk is full, or somebody deleted the sidecar: the others are kept all the same, and this one is taken up
        again by a later sweep."""
        awake = self._awake.pop(path)
        self.complain(path, error)
        awake.known.seen = None
        with contextlib.suppress(OSError):
            awake.keeper.close()

    def complain(self, path: str, error: OSError) -> None:
        """The disk failed us: said once, until a memory could be written again."""
        reason = error.strerror or str(error)
        if not os.path.exists(path):
            return  # it is gone, and its sidecar with it
        if self._troubles.get(path) != reason:
            self._troubles[path] = reason
            self._report(Told(path, "warning", {"reason": f"its files cannot be read or written: {reason}"}))

    def worked(self, path: str) -> None:
        """A memory of this one could be written."""
        self._troubles.pop(path, None)

    def close(self) -> None:
        """Save all of them. The locks of all, awake or not, are free when the presence ends."""
        for path, awake in self._awake.items():
            try:
                awake.keeper.close()
            except OSError as error:
                self.complain(path, error)
