"""The formats memcli reads, one module each; every module offers `NAME`, `claims`, `State` and `Reader`."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from memcli.transcript.entries import Place
from memcli.transcript.formats import anthropic, claude_code, codex, openai, pi
from memcli.transcript.formats.queue import Queue
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.voice import Voice

Reader: TypeAlias = LineReader[Any]

_NO_QUEUE = Queue()
_MODULES: dict[str, Any] = {module.NAME: module for module in (claude_code, codex, pi, anthropic, openai)}
NAMES = tuple(_MODULES)


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
    """What another reader must know that begins with the next line: who is speaking, what waits to be said, where."""

    voice: Voice
    queue: Queue
    cwd: str
    branch: str


def heard(reader: Reader) -> bytes:
    """What a reader knows of the lines it has read that matters for the next ones (`go_on`); equal for equal states."""
    if reader.heard is None:
        state = reader.state
        queue: Queue = getattr(state, "queue", _NO_QUEUE)
        known = Heard(state.voice, queue, getattr(state, "cwd", ""), getattr(state, "branch", ""))
        reader.heard = msgspec.msgpack.encode(known)
    return reader.heard


def moved(reader: Reader, known: bytes) -> Place | None:
    """Where the agent works now, if it was elsewhere when that was `heard` (b"": nothing was)."""
    cwd, branch = getattr(reader.state, "cwd", ""), getattr(reader.state, "branch", "")
    before = msgspec.msgpack.decode(known, type=Heard) if known else None
    then = (before.cwd, before.branch) if before else ("", "")
    return Place(cwd, branch) if (cwd, branch) != then else None


def go_on(reader: Reader, known: bytes) -> None:
    """Let a reader read on as if the lines another one has `heard` stood before its next line."""
    before = msgspec.msgpack.decode(known, type=Heard)
    reader.heard = None
    for name in set(Heard.__struct_fields__) & set(reader.state.__struct_fields__):
        setattr(reader.state, name, getattr(before, name))
