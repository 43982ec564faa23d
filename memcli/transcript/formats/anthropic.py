"""Plain Anthropic messages: `{"role", "content"}` a line, or `{"messages": [...]}` a line.

Also whole answers of the Messages API as authors of agents append them (with `id`, `stop_reason`, `usage`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from memcli.transcript.entries import AnyPart, Entry, MachineText, Role, Usage
from memcli.transcript.formats.blocks import (
    REJECTION_HEAD,
    assistant_parts,
    attached,
    blocks,
    mapping,
    number,
    result_part,
    string,
    text_of,
)
from memcli.transcript.formats.conversations import conversation
from memcli.transcript.formats.plain import UNUSUAL, Block, Consumed, gave, said
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.records import Found, count, decode_line
from memcli.transcript.formats.voice import Voice

if TYPE_CHECKING:
    from memcli.transcript.lines import Line

NAME = "anthropic"


class State(msgspec.Struct):
    """What must be remembered between lines; bounded."""

    voice: Voice = msgspec.field(default_factory=Voice)
    problems: dict[str, int] = {}


class _Record(msgspec.Struct, gc=False):
    role: Any = None
    content: Any = None
    id: Any = None
    model: Any = None
    stop: Any = msgspec.field(default=None, name="stop_reason")
    usage: Any = None
    timestamp: Any = None


class _Plain(msgspec.Struct, gc=False):
    """A message as programs write nearly all: what has another shape is read as `_Record`, which believes nothing."""

    role: str
    content: str | list[Block]
    id: str = ""
    model: str = ""
    stop: str | None = msgspec.field(default=None, name="stop_reason")
    usage: Consumed | None = None
    timestamp: str = ""
    messages: None = None  # what has some is a whole conversation


_PLAIN = msgspec.json.Decoder(_Plain)
_DECODER = msgspec.json.Decoder(_Record)


def claims(record: dict[str, Any]) -> bool:
    """True if a decoded record is a message of this format, or a conversation of them."""
    messages = record.get("messages")
    if isinstance(messages, list):
        return any(claims(message) for message in messages if isinstance(message, dict))
    return record.get("role") in ("user", "assistant", "system") and "content" in record


class Reader(LineReader[State]):
    """Decodes lines in file order."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line; a conversation line gives one for each of its messages."""
        if (entry := self._plain(line)) is not None:
            return [entry]
        self.heard = None
        lines = conversation(line)
        found = [item for part in lines or [line] for item in decode_line(part, _DECODER, self.problems)]
        return [self._entry(item) for item in found]

    def _plain(self, line: Line) -> Entry | None:
        """The entry of a message that programs write all the time, None for any other one."""
        try:
            record = _PLAIN.decode(line.data)
            parts = self._given(record.content) if record.role == "user" else said(record.content)
        except UNUSUAL:
            return None
        role: Role = "user" if record.role == "user" else "assistant"
        if parts is None or role != record.role:
            return None
        if record.usage and role == "assistant" and record.usage.context:
            parts.append(Usage(record.usage.context, record.model))
        place = line.offset, line.end
        return Entry(*place, role, tuple(parts), "", "", record.id, record.stop or "", record.timestamp)

    def _given(self, content: str | list[Block]) -> list[AnyPart] | None:
        """What a plain user message holds; None for what is read with more care."""
        voice = self.state.voice
        if isinstance(content, str):
            self.heard = None
            return voice.hear(content)
        parts: list[AnyPart] = []
        for block in content:
            if block.type != "tool_result":
                return None
            result = gave(block, {})
            if result.is_error and result.text.startswith(REJECTION_HEAD):
                return None
            parts.append(result)
        if parts and voice.refused:
            voice.refused, self.heard = "", None  # what was refused before is not said again behind another result
        return parts

    def _entry(self, found: Found[_Record]) -> Entry:
        record = found.record
        match string(record.role):
            case "user":
                return _entry(found, self._user(record.content), "user")
            case "assistant":
                return _entry(found, [*assistant_parts(record.content), *_usage(record)], "assistant")
            case "system" | "developer":
                return _entry(found, [MachineText(text_of(record.content))], "system")
            case _:
                count(self.problems, "unknown type")
                return _entry(found, [])

    def _user(self, content: Any) -> list[AnyPart]:
        parts: list[AnyPart] = []
        for block in blocks(content):
            kind = string(block.get("type"))
            if kind == "text":
                parts += self.state.voice.hear(string(block.get("text")))
            elif kind == "tool_result":
                result = result_part(block)
                parts += [result, *self.state.voice.refusal(result)]
            elif kind in ("image", "document"):
                parts.append(attached(kind))
        return parts


def _usage(record: _Record) -> list[AnyPart]:
    usage = mapping(record.usage)
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    context = sum(number(usage.get(name)) for name in names)
    return [Usage(context, string(record.model))] if context else []


def _entry(found: Found[_Record], parts: list[AnyPart], role: Role = "") -> Entry:
    record = found.record
    return Entry(
        found.offset,
        found.end,
        role,
        tuple(parts),
        message_id=string(record.id),
        stop=string(record.stop),
        timestamp=string(record.timestamp),
    )
