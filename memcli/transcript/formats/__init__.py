"""The formats memcli reads, one module each; every module offers `NAME`, `claims`, `State` and `Reader`."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from memcli.transcript.formats import anthropic, claude_code, codex, openai, pi
from memcli.transcript.formats.queue import Queue
from memcli.transcript.formats.voice import Voice

if TYPE_CHECKING:
    from memcli.transcript.entries import Entry
    from memcli.transcript.lines import Line

_MODULES: dict[str, Any] = {module.NAME: module for module in (claude_code, codex, pi, anthropic, openai)}
NAMES = tuple(_MODULES)


class Reader(Protocol):
    """Decodes the lines of one transcript, in file order."""

    state: Any

    @property
    def problems(self) -> dict[str, int]:
        """How often something was met that could not be read or is not known, by name."""

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line. Never raises, whatever the bytes."""


def open_reader(name: str, saved: bytes = b"") -> Reader:
    """A reader of the format `name`, which goes on where the one that was `save`d stopped."""
    module = _MODULES[name]
    state = msgspec.msgpack.decode(saved, type=module.State) if saved else None
    reader: Reader = module.Reader(state)
    return reader


def save(reader: Reader) -> bytes:
    """The reader's state as bytes; equal states give equal bytes."""
    return msgspec.msgpack.encode(reader.state)


class Heard(msgspec.Struct, array_like=True):
    """What another reader must know that begins with the next line: who is speaking, and what waits to be said."""

    voice: Voice
    queue: Queue | None = None


def heard(reader: Reader) -> Heard:
    """What a reader knows of the lines it has read that matters for the next ones (`go_on`)."""
    queue: Queue | None = getattr(reader.state, "queue", None)
    return Heard(copy(reader.state.voice), queue and queue.copy())


def go_on(reader: Reader, known: bytes) -> None:
    """Let a reader read on as if the lines another one has `heard` stood before its next line.

    It tells anew where the agent works: a message that stands in for the earlier ones bears the place of a later one.
    """
    before = msgspec.msgpack.decode(known, type=Heard)
    reader.state.voice = before.voice
    if before.queue is not None:
        reader.state.queue = before.queue
    for name in {"cwd", "branch"} & set(reader.state.__struct_fields__):
        setattr(reader.state, name, "")
