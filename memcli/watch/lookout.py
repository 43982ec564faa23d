"""The lookout: finds out which transcripts changed, and which there are.

    hints     of the file system, within 20 ms; they may be wrong, and they may be missing
    sweep     a stat of every known path: the truth about those
    search    a walk through the directories: the truth about what else there is

Both truths are looked for the more rarely the more they cost, and at once when hints are known to be missing. Where no
hints come at all (a network, a kernel without watches) the sweep alone is often enough to do without them.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place, is_our_name
from memcli.watch import events
from memcli.watch.events import Events
from memcli.watch.grounds import SUFFIX
from memcli.watch.pace import SHARE, Pace
from memcli.watch.tail import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memcli.watch.events import Post
    from memcli.watch.grounds import Directories, Grounds
    from memcli.watch.roster import Known, Roster

SWEEP_SECONDS = (1.0, 30.0)
"""A sweep at least, and at most, so often."""

SEARCH_SECONDS = (5.0, 60.0)
"""The same of a search."""

DEAF_SWEEP_SECONDS = (0.25, 1.0)
DEAF_SEARCH_SECONDS = (1.0, 10.0)
"""The same where no hints come."""

LISTEN_SECONDS = (0.1, 5.0)
"""Directories that have come are listened to so soon, if they do not come too often."""

DEAF_LISTEN_SECONDS = 30.0
"""Where the system could not listen it is asked again after so long."""

OVERFLOW = 4000
"""Hints at once after which the kernel may have dropped some: it says so to nobody."""

NEW_SECONDS = 10.0
"""A transcript that is found, and was written to within so long, is one that is just being written."""


class Noticed(NamedTuple):
    """What was found out: transcripts that just changed, and old ones that nobody has read yet, newest first."""

    changed: list[Known]
    old: list[Known]


class Lookout:
    """Looks at the transcripts of a roster, and for new ones on its grounds. `now` is a steady clock, in seconds."""

    def __init__(self, roster: Roster, grounds: Grounds, post: Post) -> None:
        self._roster = roster
        self._grounds = grounds
        self._events = Events(post)
        self._expected = events.expected()
        self._hears = False
        self._listened: Directories = {}
        self._sweep = Pace(*SWEEP_SECONDS)
        self._search = Pace(*SEARCH_SECONDS, share=SHARE / 3)
        self._listen = Pace(*LISTEN_SECONDS, share=0.01)

    @property
    def due(self) -> float:
        """When `look` has something to do."""
        moments = [self._sweep.due, self._search.due]
        if self._stale:
            moments.append(self._listen.due)
        return min(moments)

    def hinted(self, paths: Iterable[str]) -> list[Known]:
        """Something may have happened to these paths; the transcripts that it means."""
        paths = list(paths)
        if len(paths) > OVERFLOW:
            self._sweep.at_once()
            self._search.at_once()
        found = {known.path: known for path in paths for known in self._meant(path)}
        return list(found.values())

    def deaf(self) -> None:
        """No more hints come."""
        self._hears = False
        self._listened = {}

    def look(self, now: float) -> Noticed:
        """Do what is due."""
        noticed = Noticed([], [])
        if now >= self._search.due:
            self._searched(now, noticed)
        if self._stale and now >= self._listen.due:
            self._listen_anew(now, noticed)
        if now >= self._sweep.due:
            began = time.thread_time()
            noticed.changed.extend(self._roster.sweep())
            noticed.changed.extend(known for known in self._roster if known.held and _is_free(known))
            self._pace(self._sweep, SWEEP_SECONDS, DEAF_SWEEP_SECONDS)
            self._sweep.done(now, time.thread_time() - began)
        return noticed

    def close(self) -> None:
        """No more hints."""
        self._events.close()

    def _meant(self, path: str) -> list[Known]:
        known = self._roster.get(path)
        if known is not None:
            return [known] if not known.refused or known.changed() else []
        name = os.path.basename(path)
        if is_our_name(name):
            return []
        if path in self._listened:
            self._search.at_once()  # one of our directories was made anew, or is gone
            return []
        if real := self._grounds.means(path):
            return [self._roster.add(real)]
        if self._grounds.hosts(path):
            self._search.at_once()  # only the source knows if it is one to follow
            return []
        if not name.endswith(SUFFIX) and os.path.isdir(path):
            return [self._roster.add(inside) for inside in sorted(self._grounds.look_into(path))]
        return []

    def _searched(self, now: float, noticed: Noticed) -> None:
        began = time.thread_time()
        there = self._grounds.search()
        self._roster.forget(self._grounds.files)
        self._meet(there, noticed)
        self._pace(self._search, SEARCH_SECONDS, DEAF_SEARCH_SECONDS)
        self._search.done(now, time.thread_time() - began)

    def _meet(self, paths: Iterable[str], noticed: Noticed) -> None:
        """Sort those that are new by when they were written to."""
        new = [self._roster.add(path) for path in paths if self._roster.get(path) is None]
        for known in new:
            known.seen = identity(known.path)
        recent = (time.time() - NEW_SECONDS) * 1e9 if self._listened else float("inf")
        for known in sorted(new, key=_written, reverse=True):
            (noticed.changed if _written(known) > recent else noticed.old).append(known)

    @property
    def _stale(self) -> bool:
        """True if other directories should be listened to than are."""
        return self._expected and self._listened != self._grounds.directories

    def _listen_anew(self, now: float, noticed: Noticed) -> None:
        began = time.thread_time()
        directories = self._grounds.directories
        new = [path for path, which in directories.items() if self._listened.get(path) != which]
        self._hears = self._events.watch(directories)
        self._listened = directories if self._hears else {}
        for path in new:  # what came in between is told by nobody
            self._meet(self._grounds.look_into(path), noticed)
            if self._grounds.hosts(os.path.join(path, "")):
                self._search.at_once()
        self._sweep.at_once()
        self._listen.done(now, time.thread_time() - began)
        if not self._hears:
            self._listen.due = now + DEAF_LISTEN_SECONDS

    def _pace(self, pace: Pace, usual: tuple[float, float], deaf: tuple[float, float]) -> None:
        pace.shortest, pace.longest = usual if self._hears else deaf


def _written(known: Known) -> int:
    return known.seen.mtime_ns if known.seen else 0


def _is_free(known: Known) -> bool:
    """True if the process that had it has it no more."""
    return holder(Place.of(Path(known.path)).lock) is None
