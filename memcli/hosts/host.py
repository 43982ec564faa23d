"""A host: an agent on this machine that keeps sessions, as the verbs see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memcli.hosts.source import Source


class Host(Protocol):
    """An agent's client: where its sessions lie, which are live, and how one is gone on with."""

    @property
    def name(self) -> str:
        """What is typed: `memcli watch --NAME`."""

    @property
    def title(self) -> str:
        """What is said."""

    @property
    def format(self) -> str:
        """That of its transcripts."""

    @property
    def install(self) -> str:
        """A command that installs the client."""

    def source(self, project: Path | None) -> Source:
        """The live sessions of a project, None for all."""

    def is_session(self, path: Path) -> bool:
        """True for a file that lies where the client keeps its sessions."""

    def own_session(self, directory: Path) -> Path | None:
        """The session of the client that runs us, where it tells."""

    def newest_session(self, directory: Path) -> Path | None:
        """The session of a project that was written to last."""

    def held_in(self, project: Path) -> Path | None:
        """The lock of whoever watches the sessions of a project, or all; None if nobody does."""

    def held_over(self, session: Path) -> Path | None:
        """The lock of whoever watches the sessions that this one is among; None if nobody does."""

    def room_for(self, transcript: Path) -> Path:
        """Where a new session is prepared: on the disk where it will lie."""

    def placed(self, data: bytes, transcript: Path) -> Iterator[tuple[Path, bytes]]:
        """Where a compacted transcript belongs and what it says there; then, should something else be there, another
        place. Nothing where it does not begin as a session does."""

    @property
    def export(self) -> str:
        """A command that tells how a session is had as a file, where the client keeps none."""

    def kept_elsewhere(self) -> str:
        """Why the sessions of this client are no files here; "" where they are."""

    def refuses(self, data: bytes) -> str:
        """Why the client would not go on in a compacted transcript that says this; "" if it would."""

    def directory_of(self, session: Path) -> Path | None:
        """Where the client must be started to go on in it; None for right here, or anywhere."""

    def resume(self, session: Path) -> list[str]:
        """The command that goes on in this session."""
