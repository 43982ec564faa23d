"""Hosts whose sessions tell, in their first line, their id and the directory in which they were begun (`shelf`)."""

from __future__ import annotations

import contextlib
import json
import os
import re
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.hosts.live import LiveSessions
from memcli.hosts.own import another, is_own
from memcli.hosts.shelf import Shelf
from memcli.hosts.source import held

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_BYTES = 4096
_DIRECTORY = re.compile(rb'"cwd":\s*("(?:[^"\\]|\\.)*")')


class Recorded(Shelf):
    """A host on this machine, as the verbs see it (`hosts/host.py`)."""

    format: str
    install: str
    export = ""

    @abstractmethod
    def resume(self, session: Path) -> list[str]:
        """The command that goes on in this session."""

    def own_session(self, directory: Path) -> Path | None:  # noqa: ARG002  # hosts that tell theirs do
        """The session of the client that runs us, where it tells."""
        return None

    def newest_session(self, directory: Path) -> Path | None:
        """The session of a project that was written to last; no sub-agent's, none of our own summarizer."""
        found = sorted(self.files(self.folders(directory)), key=lambda one: (one[1], one[0].name), reverse=True)
        near = (path for path, _ in found if _may_be_of(path, directory))
        return next((path for path in near if self.belongs(path, directory) and not is_own(path)[0]), None)

    def source(self, project: Path | None) -> LiveSessions:
        """The live sessions of a project, None for all."""
        return LiveSessions(self, project)

    # ---- who watches

    def held_in(self, project: Path) -> Path | None:
        """The lock of whoever watches the sessions of a project, or all; None if nobody does."""
        return held(self.lock_file(project), self.lock_file(None))

    def held_over(self, session: Path) -> Path | None:
        """The lock of whoever watches the sessions that this one is among; None if nobody does."""
        told = self.told(session) if self.is_session(session) else None
        return self.held_in(Path(told.directory)) if told and told.directory else None

    # ---- a new session

    def room_for(self, transcript: Path) -> Path:  # noqa: ARG002  # of other hosts a project's
        """Where a new session is prepared: on the disk where it will lie."""
        return self.room

    def placed(self, data: bytes, transcript: Path) -> Iterator[tuple[Path, bytes]]:  # noqa: ARG002
        """Where a compacted transcript belongs and what it says there; then, should something else be there, the same
        under another id. Nothing where it does not begin as a session does."""
        line, _, rest = data.partition(b"\n")
        born = json.loads(line)
        told = self.birth(born) if isinstance(born, dict) else None
        if told is None:
            return
        yield self.path_of(born, told.session), data
        other = another(told.session, data)
        yield self.path_of(born, other), line.replace(told.session.encode(), other.encode()) + b"\n" + rest

    def kept_elsewhere(self) -> str:
        """They are files."""
        return ""

    def refuses(self, data: bytes) -> str:  # noqa: ARG002  # one host does
        """Nothing."""
        return ""

    def directory_of(self, session: Path) -> Path | None:
        """Where the client must be started to go on in it; None for right here, or anywhere."""
        told = self.told(session)
        if not told or not os.path.isdir(told.directory) or os.path.samefile(told.directory, os.curdir):
            return None
        return Path(told.directory)


def _may_be_of(path: Path, project: Path) -> bool:
    """False if the first bytes of a session name another directory: most of thousands are passed over so, without
    decoding a first line that holds all the client told its model."""
    with contextlib.suppress(OSError, ValueError), path.open("rb", buffering=0) as file:
        found = _DIRECTORY.search(file.read(_FIRST_BYTES))
        return not found or os.path.realpath(json.loads(found[1])) == os.path.realpath(project)
    return False
