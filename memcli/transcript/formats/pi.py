"""pi sessions, version 1 (linear, no ids) and version 3 (a tree by id and parentId); OpenClaw writes the same.

Two clocks run in these files (ISO outside, epoch milliseconds inside) and the header may be later than the first
messages: order is the order of lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    Compacted,
    Entry,
    MachineText,
    Place,
    Role,
    ToolResult,
    TurnEnd,
    Usage,
)
from memcli.transcript.formats.blocks import (
    assistant_parts,
    attached,
    blocks,
    mapping,
    number,
    string,
    text_of,
)
from memcli.transcript.formats.plain import UNUSUAL, Block, Count, result, said
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.records import Found, count, decode_line
from memcli.transcript.formats.voice import Voice

if TYPE_CHECKING:
    from memcli.transcript.lines import Line

NAME = "pi"

_KEPT = 1_024  # ids of the last messages, of which a compaction can say that they stay live
_BOOKKEEPING = frozenset(("model_change", "thinking_level_change", "custom", "label", "session_info"))


class State(msgspec.Struct):
    """What must be remembered between lines; bounded."""

    voice: Voice = msgspec.field(default_factory=Voice)
    recent: list[str] = []
    cwd: str = ""
    problems: dict[str, int] = {}


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    parent: Any = msgspec.field(default=None, name="parentId")
    timestamp: Any = None
    message: Any = None
    content: Any = None
    summary: Any = None
    first_kept: Any = msgspec.field(default=None, name="firstKeptEntryId")
    cwd: Any = None


class _Counted(msgspec.Struct, gc=False):
    input: Count = 0
    cache_read: Count = msgspec.field(default=0, name="cacheRead")
    cache_write: Count = msgspec.field(default=0, name="cacheWrite")


class _PlainMessage(msgspec.Struct, gc=False):
    role: str
    content: msgspec.Raw
    call: str = msgspec.field(default="", name="toolCallId")
    failed: bool = msgspec.field(default=False, name="isError")
    stop: str = msgspec.field(default="", name="stopReason")
    model: str = ""
    usage: _Counted | None = None


class _Plain(msgspec.Struct, gc=False):
    """A call or a result as clients write nearly all: all else is read as `_Record`, which believes nothing."""

    type: str
    id: str = ""
    parent: str | None = msgspec.field(default=None, name="parentId")
    timestamp: str = ""
    message: _PlainMessage | None = None


_PLAIN = msgspec.json.Decoder(_Plain)
_BLOCKS = msgspec.json.Decoder(list[Block])
_DECODER = msgspec.json.Decoder(_Record)


def claims(record: dict[str, Any]) -> bool:
    """True if a decoded record is one of this format."""
    kind = record.get("type")
    if kind == "message":
        return isinstance(record.get("message"), dict)
    return (kind == "session" and "id" in record) or kind in ("compaction", "branch_summary", *_BOOKKEEPING)


class Reader(LineReader[State]):
    """Decodes lines in file order."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line; empty for a blank or unreadable one."""
        if entry := self._plain(line):
            return [entry]
        return [self._entry(found) for found in decode_line(line, _DECODER, self.problems)]

    def _plain(self, line: Line) -> Entry | None:
        """The entry of a call or a result, None for any other line."""
        try:
            record = _PLAIN.decode(line.data)
            message = record.message
            if record.type != "message" or message is None:
                return None
            if message.role == "toolResult":
                parts: list[AnyPart] | None = [result(message.call, message.content, message.failed, {})]
            elif message.role == "assistant" and message.stop == "toolUse":
                parts = said(_BLOCKS.decode(message.content))
            else:
                return None
        except UNUSUAL:
            return None
        if parts is None:
            return None
        role: Role = "tool" if message.role == "toolResult" else "assistant"
        if message.usage and role == "assistant":
            counted = message.usage.input + message.usage.cache_read + message.usage.cache_write
            parts += [Usage(counted, message.model)] if counted else []
        if record.id:
            self._keep(record.id)
        stop = message.stop if role == "assistant" else ""
        place = line.offset, line.end
        return Entry(*place, role, tuple(parts), record.id, record.parent or "", "", stop, record.timestamp)

    def _keep(self, identity: str) -> None:
        self.state.recent.append(identity)
        if len(self.state.recent) > _KEPT:
            del self.state.recent[0]

    def _entry(self, found: Found[_Record]) -> Entry:
        record = found.record
        match string(record.type):
            case "message":
                return self._message(found, mapping(record.message))
            case "session":
                return _entry(found, self._place(string(record.cwd)), header=True)
            case "compaction":
                return _entry(found, [Compacted(string(record.summary), self._kept(string(record.first_kept)))])
            case "branch_summary":
                return _entry(found, [MachineText(string(record.summary))], "user")
            case "custom_message":
                return _entry(found, [MachineText(text_of(record.content))], "user")
            case kind:
                if kind not in _BOOKKEEPING:
                    count(self.problems, "unknown type")
        return _entry(found, [])

    def _message(self, found: Found[_Record], message: dict[str, Any]) -> Entry:
        if identity := string(found.record.id):
            self._keep(identity)
        match string(message.get("role")):
            case "user":
                return _entry(found, self._user(message.get("content")), "user")
            case "assistant":
                return self._assistant(found, message)
            case "toolResult":
                text, call = text_of(message.get("content")), string(message.get("toolCallId"))
                return _entry(found, [ToolResult(call, text, bool(message.get("isError")))], "tool")
            case "bashExecution":
                text = f"{string(message.get('command'))}\n{string(message.get('output'))}"
                return _entry(found, [MachineText(text)], "user")
            case "custom" | "hookMessage" | "branchSummary" | "compactionSummary":
                text = text_of(message.get("content")) or string(message.get("summary"))
                return _entry(found, [MachineText(text)], "user")
            case _:
                count(self.problems, "unknown role")
                return _entry(found, [])

    def _user(self, content: Any) -> list[AnyPart]:
        self.heard = None
        kinds = [string(block.get("type")) for block in blocks(content)]
        images = [attached(kind) for kind in kinds if kind == "image"]
        return [*self.state.voice.hear(text_of(content)), *images]

    def _assistant(self, found: Found[_Record], message: dict[str, Any]) -> Entry:
        stop = string(message.get("stopReason"))
        parts = assistant_parts(message.get("content"))
        if stop == "stop":
            parts = [AssistantText(part.text, True) if type(part) is AssistantText else part for part in parts]
        if stop == "error" and (error := string(message.get("errorMessage"))):
            parts.append(MachineText(error))
        parts += _usage(message)
        if stop == "aborted":
            self.heard = None
            parts += self.state.voice.interrupt()
        if stop == "stop":
            parts.append(TurnEnd())
        return msgspec.structs.replace(_entry(found, parts, "assistant"), stop=stop)

    def _kept(self, first: str) -> tuple[str, ...]:
        """Ids of the messages that stay live: those from the first kept one on, as far as they are remembered."""
        recent = self.state.recent
        return tuple(recent[recent.index(first) :]) if first in recent else ()

    def _place(self, cwd: str) -> list[AnyPart]:
        if not cwd or cwd == self.state.cwd:
            return []
        self.state.cwd, self.heard = cwd, None
        return [Place(cwd)]


def _usage(message: dict[str, Any]) -> list[AnyPart]:
    usage = mapping(message.get("usage"))
    context = sum(number(usage.get(name)) for name in ("input", "cacheRead", "cacheWrite"))
    return [Usage(context, string(message.get("model")))] if context else []


def _entry(found: Found[_Record], parts: list[AnyPart], role: Role = "", header: bool = False) -> Entry:
    record = found.record
    # the header's id names the session; it is no place in the tree
    identity = "" if header else string(record.id)
    parent = "" if header else string(record.parent)
    return Entry(
        found.offset, found.end, role, tuple(parts), id=identity, parent=parent, timestamp=string(record.timestamp)
    )
