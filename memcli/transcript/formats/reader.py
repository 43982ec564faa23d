"""Reader: what the readers of all formats have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry
    from memcli.transcript.lines import Line


class Remembered(Protocol):
    """What any format must remember between lines."""

    problems: dict[str, int]


S = TypeVar("S", bound=Remembered)


class LineReader(Generic[S]):
    """Decodes the lines of one transcript, in file order. `state` may be saved after any line and given to a new
    reader.
    """

    def __init__(self, state: S) -> None:
        self.state = state
        self.heard: bytes | None = None
        """What it has heard, encoded; None after a line that may have changed it."""

    @property
    def problems(self) -> dict[str, int]:
        """How often something was met that could not be read or is not known, by name."""
        return self.state.problems

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line, none for one that says nothing. Never raises, whatever the bytes."""
        raise NotImplementedError
