"""OpenAI chat messages: one a line, or `{"messages": [...]}` a line.

These messages have no ids, no times and no error flag; by the habit of tool loops a result that begins with "Error"
failed. Call ids may repeat across conversations, never within one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from memcli.transcript.entries import AnyPart, AssistantText, Entry, MachineText, Role, Thinking, ToolResult, ToolUse
from memcli.transcript.formats.blocks import attached, blocks, mapping, string, text_of
from memcli.transcript.formats.conversations import conversation
from memcli.transcript.formats.plain import UNUSUAL
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.records import Found, count, decode_line
from memcli.transcript.formats.voice import Voice
from memcli.transcript.given import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.transcript.lines import Line

NAME = "openai"

_TOOL_KEYS = ("tool_calls", "tool_call_id", "function_call")


class State(msgspec.Struct):
    """What must be remembered between lines; bounded. `functions`: calls seen in the older form, without an id."""

    voice: Voice = msgspec.field(default_factory=Voice)
    functions: int = 0
    problems: dict[str, int] = {}


class _Record(msgspec.Struct, gc=False):
    role: Any = None
    content: Any = None
    refusal: Any = None
    reasoning: Any = msgspec.field(default=None, name="reasoning_content")
    tool_calls: Any = None
    function_call: Any = None
    tool_call_id: Any = None
    timestamp: Any = None


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: str


class _Call(msgspec.Struct, gc=False):
    function: _Function
    id: str = ""
    custom: None = None


class _Plain(msgspec.Struct, gc=False):
    """A message as programs write nearly all: what has another shape is read as `_Record`, which believes nothing."""

    role: str
    content: str | None
    refusal: None = None
    reasoning: None = msgspec.field(default=None, name="reasoning_content")
    tool_calls: list[_Call] | None = None
    function_call: None = None
    tool_call_id: str = ""
    timestamp: str = ""
    messages: None = None  # what has some is a whole conversation


_PLAIN = msgspec.json.Decoder(_Plain)
_DECODER = msgspec.json.Decoder(_Record)


def claims(record: dict[str, Any]) -> bool:
    """True if a decoded record is a message that only this format has, or a conversation with such a message."""
    messages = record.get("messages")
    if isinstance(messages, list):
        return any(claims(message) for message in messages if isinstance(message, dict))
    role = record.get("role")
    return role in ("tool", "developer", "system", "function") or (
        role in ("user", "assistant") and any(record.get(key) for key in _TOOL_KEYS)
    )


class Reader(LineReader[State]):
    """Decodes lines in file order."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line; a conversation line gives one for each of its messages."""
        if (entry := self._plain(line)) is not None:
            return [entry]
        entries: list[Entry] = []
        for part in conversation(line) or (line,):
            if part is not line and (entry := self._plain(part)) is not None:
                entries.append(entry)
            else:
                entries += [self._entry(found) for found in decode_line(part, _DECODER, self.problems)]
        return entries

    def _plain(self, line: Line) -> Entry | None:
        """The entry of a message that programs write all the time, None for any other one."""
        try:
            record = _PLAIN.decode(line.data)
        except UNUSUAL:
            return None
        role: Role
        parts: Sequence[AnyPart]
        text = record.content or ""
        if record.role == "tool":
            role, parts = "tool", (ToolResult(record.tool_call_id, text, text.startswith("Error")),)
        elif record.role == "assistant":
            said = [AssistantText(text)] if text and not text.isspace() else []
            calls = [ToolUse(call.id, call.function.name, call.function.arguments) for call in record.tool_calls or ()]
            role, parts = "assistant", [*said, *calls]
        elif record.role == "user":
            role, parts, self.heard = "user", self.state.voice.hear(text), None
        elif record.role == "system":
            role, parts = "system", (MachineText(text),)
        else:
            return None
        return Entry(line.offset, line.end, role, tuple(parts), "", "", "", "", record.timestamp)

    def _entry(self, found: Found[_Record]) -> Entry:
        record = found.record
        match string(record.role):
            case "user":
                return _entry(found, self._user(record.content), "user")
            case "assistant":
                return _entry(found, self._assistant(record), "assistant")
            case "tool" | "function":
                return _entry(found, [self._result(record)], "tool")
            case "system" | "developer":
                return _entry(found, [MachineText(text_of(record.content))], "system")
            case _:
                count(self.problems, "unknown type")
                return _entry(found, [])

    def _user(self, content: Any) -> list[AnyPart]:
        self.heard = None
        parts: list[AnyPart] = []
        for block in blocks(content):
            kind = string(block.get("type"))
            parts += self.state.voice.hear(string(block.get("text"))) if kind == "text" else [attached(kind)]
        return parts

    def _assistant(self, record: _Record) -> list[AnyPart]:
        parts: list[AnyPart] = []
        if reasoning := string(record.reasoning):
            parts.append(Thinking(len(reasoning)))
        texts = [string(block.get("text")) or string(block.get("refusal")) for block in blocks(record.content)]
        parts += [AssistantText(text) for text in [*texts, string(record.refusal)] if text.strip()]
        calls = record.tool_calls if isinstance(record.tool_calls, list) else []
        parts += [_call(call) for call in calls if isinstance(call, dict)]
        if function := mapping(record.function_call):
            self.state.functions += 1
            parts.append(_call({**function, "id": self._function_id()}))
        return parts

    def _result(self, record: _Record) -> ToolResult:
        text = text_of(record.content)
        identity = self._function_id() if record.role == "function" else string(record.tool_call_id)
        return ToolResult(identity, text, text.startswith("Error"))

    def _function_id(self) -> str:
        # the older function_call has no id; its answer follows before the next one
        return f"function-{self.state.functions}"


def _call(call: dict[str, Any]) -> ToolUse:
    function = mapping(call.get("function")) or mapping(call.get("custom")) or call
    given = function.get("arguments", function.get("input"))
    given = given if isinstance(given, str) else arguments(given)  # a string stays one until somebody asks
    return ToolUse(string(call.get("id")), string(function.get("name")), given)


def _entry(found: Found[_Record], parts: list[AnyPart], role: Role = "") -> Entry:
    return Entry(found.offset, found.end, role, tuple(parts), timestamp=string(found.record.timestamp))
