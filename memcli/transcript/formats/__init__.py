"""The formats memcli reads, one module each; every module offers `NAME`, `claims`, `State` and `Reader`."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from memcli.transcript.formats import anthropic, claude_code, codex, openai, pi
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


def voice_of(reader: Reader) -> Voice:
    """What another reader must know that begins with the next line (`go_on`)."""
    voice: Voice = copy(reader.state.voice)
    return voice


def go_on(reader: Reader, voice: bytes) -> None:
    """Let a reader read on as if what another one had read stood before its next line.

    It tells anew where the agent works: a message that stands in for the earlier ones bears the place of a later one.
    """
    reader.state.voice = msgspec.msgpack.decode(voice, type=Voice)
    for name in {"cwd", "branch"} & set(reader.state.__struct_fields__):
        setattr(reader.state, name, "")
