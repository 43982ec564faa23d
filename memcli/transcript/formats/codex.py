"""Codex CLI rollouts (0.57 to 0.144, and 0.169).

Everything visible stands twice: as `response_item` (what the model sees) and as `event_msg` (what the person sees; in
0.169 most of these are `item_completed` events, each with an item of the person, the agent or a call).
Assistant texts, calls and results are read from response items. The person's words are read from whichever of the two
comes first, in practice the response item, so that the entry that carries them is the conversation message itself;
the other is recognised as its twin. Response items in the user role that begin like a harness's text are machine text
unless an event says that the person typed them.

When the client compacts its context by itself, the summary it had written stands in the assistant role and again,
framed, in the `compacted` record. Nobody said it to anybody: it is machine text. Versions that write items announce
each message of the agent by one, so a message without is not the agent's (measured with 0.169.0, fixtures/recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from memcli.transcript.encode.common import read_mark
from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    Compacted,
    Entry,
    MachineText,
    Place,
    Role,
    RolledBack,
    Thinking,
    ToolResult,
    ToolUse,
    TurnEnd,
    Usage,
    UserText,
)
from memcli.transcript.formats.blocks import blocks, mapping, number, string, text_of
from memcli.transcript.formats.codex_outcomes import facts_of, read_output
from memcli.transcript.formats.plain import UNUSUAL, Count
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.records import Found, count, decode_line
from memcli.transcript.formats.voice import Voice, is_machine
from memcli.transcript.given import arguments
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.transcript.lines import Line

NAME = "codex"

_UNPAIRED = 16  # twins stand next to each other; an old one without a twin must not swallow a new prompt
_OUTCOMES = 64  # outcomes told by events before the output of their call
_WRAPPED = pattern(r"\s*<([A-Za-z][\w-]*)>")
_ENDS = ("patch_apply_end", "exec_command_end")  # events that tell how a call ended
_BOOKKEEPING = frozenset(("world_state", "thread_settings_applied", "token_usage_record", "inter_agent_communication"))


class State(msgspec.Struct):
    """What must be remembered between lines; bounded."""

    voice: Voice = msgspec.field(default_factory=Voice)
    by_item: list[str] = []
    by_event: list[str] = []
    echoes: bool = False
    view: str = ""
    announces: bool = False
    announced: list[str] = []
    outcomes: dict[str, dict[str, Any]] = {}
    session: str = ""
    cwd: str = ""
    branch: str = ""
    model: str = ""
    context: int = 0
    problems: dict[str, int] = {}


class _Payload(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    role: Any = None
    content: Any = None
    message: Any = None
    phase: Any = None
    name: Any = None
    arguments: Any = None
    input: Any = None
    action: Any = None
    call_id: Any = None
    output: Any = None
    success: Any = None
    status: Any = None
    exit_code: Any = None
    changes: Any = None
    item: Any = None
    info: Any = None
    summary: Any = None
    encrypted_content: Any = None
    cwd: Any = None
    git: Any = None
    model: Any = None
    num_turns: Any = None


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    payload: _Payload = msgspec.field(default_factory=_Payload)


class _Text(msgspec.Struct, gc=False):
    text: str | None = None


class _LastCall(msgspec.Struct, gc=False):
    input_tokens: Count = 0


class _Info(msgspec.Struct, gc=False):
    last: _LastCall | None = msgspec.field(default=None, name="last_token_usage")


class _PlainPayload(msgspec.Struct, gc=False):
    type: str
    id: str = ""
    role: str = ""
    content: list[_Text] | None = None
    phase: str = ""
    name: str = ""
    arguments: str | None = None
    input: str | None = None
    call_id: str = ""
    output: str = ""
    success: Any = None
    status: Any = None
    exit_code: Any = None
    changes: Any = None
    info: _Info | None = None
    summary: list[_Text] | str | None = None
    encrypted_content: str | None = None


class _Plain(msgspec.Struct, gc=False):
    """A record as the client writes nearly all: what has another shape is read as `_Record`, which believes nothing."""

    type: str
    payload: _PlainPayload
    timestamp: str = ""


_PLAIN = msgspec.json.Decoder(_Plain)
_DECODER = msgspec.json.Decoder(_Record)


def claims(record: dict[str, Any]) -> bool:
    """True if a decoded record is one of this format."""
    return isinstance(record.get("payload"), dict) and isinstance(record.get("type"), str)


class Reader(LineReader[State]):
    """Decodes lines in file order."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line; empty for a blank or unreadable one."""
        if (entry := self._plain(line)) is not None:
            return [entry]
        return [self._entry(found) for found in decode_line(line, _DECODER, self.problems)]

    def _plain(self, line: Line) -> Entry | None:
        """The entry of a record that the client writes all the time, None for any other one."""
        try:
            record = _PLAIN.decode(line.data)
        except UNUSUAL:
            return None
        payload = record.payload
        if record.type == "response_item":
            role, parts = self._plain_item(payload)
        elif record.type == "event_msg":
            role, parts = "", self._plain_event(payload)
        else:
            return None
        if parts is None:
            return None
        self.state.echoes = False
        return Entry(line.offset, line.end, role, tuple(parts), "", "", "", "", record.timestamp)

    def _plain_item(self, payload: _PlainPayload) -> tuple[Role, Sequence[AnyPart] | None]:
        """Role and parts of a call, an output, a thought or words of the agent; no parts for anything else."""
        kind = payload.type
        if kind in ("function_call_output", "custom_tool_call_output"):
            return "tool", (self._result(payload),)
        if kind in ("function_call", "custom_tool_call"):
            given = payload.input if payload.arguments is None else payload.arguments
            return "assistant", None if given is None else (ToolUse(payload.call_id, payload.name or kind, given),)
        if kind == "reasoning":
            size = _plain_size(payload.content) or _plain_size(payload.summary) or len(payload.encrypted_content or "")
            return "assistant", (Thinking(size),)
        if kind == "message" and payload.role == "assistant":
            return "assistant", self._said(payload, [block.text or "" for block in payload.content or ()])
        return "", None

    def _plain_event(self, payload: _PlainPayload) -> Sequence[AnyPart] | None:
        """Parts of an event that says what something consumed, how a call ended, or nothing of interest."""
        kind = payload.type
        if kind == "token_count":
            return self._consumed(payload.info.last.input_tokens if payload.info and payload.info.last else 0)
        if kind in _ENDS:
            self._ended(payload)
            return ()
        return () if kind in ("agent_message", "agent_reasoning") else None

    def _entry(self, found: Found[_Record]) -> Entry:
        payload = found.record.payload
        echoes, self.state.echoes = self.state.echoes, False
        match string(found.record.type):
            case "response_item":
                return self._item(found, payload)
            case "event_msg":
                return self._event(found, payload, echoes)
            case "session_meta" | "turn_context" as kind:
                # a meta begins the part of another process, maybe of a version that announces nothing
                self.state.announces = self.state.announces and kind == "turn_context"
                return _entry(found, self._setting(payload))
            case "compacted":
                return _entry(found, _compacted(string(payload.message)))
            case kind:
                if kind not in _BOOKKEEPING:
                    count(self.problems, "unknown type")
        return _entry(found)

    def _setting(self, payload: _Payload) -> list[AnyPart]:
        if identity := string(payload.id):
            if self.state.session and identity != self.state.session:
                # a fork begins with its own meta and then repeats its parent's file
                count(self.problems, "forked history")
            self.state.session = self.state.session or identity
        self.state.model = string(payload.model) or self.state.model
        cwd = string(payload.cwd) or self.state.cwd
        branch = string(mapping(payload.git).get("branch")) or self.state.branch
        if (cwd, branch) == (self.state.cwd, self.state.branch):
            return []
        self.state.cwd, self.state.branch, self.heard = cwd, branch, None
        return [Place(cwd, branch)]

    def _event(self, found: Found[_Record], payload: _Payload, echoes: bool) -> Entry:
        match string(payload.type):
            case "user_message" as view:
                return self._typed(found, view, string(payload.message), echoes)
            case "item_completed":
                return self._completed(found, mapping(payload.item), echoes)
            case "task_started" | "turn_started":
                self.heard = None
                self.state.voice.running, self.state.voice.prompted, self.state.view = True, False, ""
            case "task_complete" | "turn_complete":
                self.state.voice.running, self.heard = False, None
                return _entry(found, [TurnEnd()])
            case "turn_aborted":
                self.state.voice.running, self.heard = False, None
                return _entry(found, self.state.voice.interrupt())
            case "token_count":
                last = mapping(mapping(payload.info).get("last_token_usage"))
                return _entry(found, self._consumed(number(last.get("input_tokens"))))
            case kind if kind in _ENDS:
                self._ended(payload)
            case "thread_rolled_back" if turns := number(payload.num_turns):
                return _entry(found, [RolledBack(turns)])
            case _:
                pass
        return _entry(found)

    def _completed(self, found: Found[_Record], item: dict[str, Any], echoes: bool) -> Entry:
        match string(item.get("type")):
            case "UserMessage" as view:
                return self._typed(found, view, _item_text(item.get("content")), echoes)
            case "AgentMessage":
                self.state.announces = True
                _put(string(item.get("id")), self.state.announced)
            case _:
                self._remember(string(item.get("id")), facts_of(item))
        return _entry(found)

    def _item(self, found: Found[_Record], payload: _Payload) -> Entry:
        kind, role = string(payload.type), payload.role
        if kind == "message" and role == "user":
            return _entry(found, self._words(payload.content), "user")
        if kind == "message" and role == "assistant":
            texts = [string(block.get("text")) for block in blocks(payload.content)]
            return _entry(found, self._said(payload, texts), "assistant")
        if kind == "message":
            return _entry(found, [MachineText(text_of(payload.content))], "system")
        if kind == "reasoning":
            return _entry(found, [Thinking(_reasoning_size(payload))], "assistant")
        if kind.endswith("_output"):
            return _entry(found, [self._result(payload)], "tool")
        if kind.endswith("_call"):
            return _entry(found, [_call(payload, kind)], "assistant")
        if kind not in ("ghost_snapshot", "compaction", "context_compaction"):
            count(self.problems, "unknown item")
        return _entry(found)

    def _said(self, payload: _Payload | _PlainPayload, texts: list[str]) -> list[AnyPart]:
        """What is said in the assistant role."""
        own = self._is_own(string(payload.id))
        final, commentary = payload.phase == "final_answer", payload.phase == "commentary"
        spoken = [text for text in texts if text and not text.isspace()]
        return [MachineText(text) if own else AssistantText(text, final, commentary) for text in spoken]

    def _words(self, content: Any) -> list[AnyPart]:
        """Words of a response item in the user role, unless an event gave them already."""
        text = _item_text(content)
        if _take(text, self.state.by_event):
            return []
        if is_machine(text) or _wrapped(text):
            return [MachineText(text)]
        parts = self._heard(text)
        if parts and not read_mark(text):  # a memory that a swap left there has no event of its own
            _put(text, self.state.by_item)
            self.state.echoes = True
        return parts

    def _is_own(self, identity: str) -> bool:
        """True if a message in the assistant role is the client's own: no item announced it."""
        return self.state.announces and bool(identity) and not _take(identity, self.state.announced)

    def _typed(self, found: Found[_Record], view: str, text: str, echoes: bool) -> Entry:
        """An event with the person's words. Should a version write both kinds, those of one kind are enough."""
        self.state.view = self.state.view or view
        parts = self._told(text, echoes) if view == self.state.view else []
        return _entry(found, parts, "user" if parts else "")

    def _told(self, text: str, echoes: bool) -> list[AnyPart]:
        """Words of an event, unless the response item before it gave them already."""
        if _take(text, self.state.by_item):
            return []
        if echoes:  # the same message, written differently in the two views (images, mentions)
            self.state.by_item.pop()
            return []
        parts = self._heard(text)
        if parts:
            _put(text, self.state.by_event)
        return parts

    def _heard(self, text: str) -> list[AnyPart]:
        voice, self.heard = self.state.voice, None
        parts = voice.hear(text)
        if voice.running and voice.prompted:
            # a second message within one task was taken into the running turn
            parts = [_queued(part) for part in parts]
        voice.prompted = voice.prompted or bool(parts)
        return parts

    def _consumed(self, context: int) -> list[AnyPart]:
        # totals are cumulative over all calls; only the last call's input is the size of the context
        if not context or context == self.state.context:
            return []
        self.state.context = context
        return [Usage(context, self.state.model)]

    def _ended(self, payload: _Payload | _PlainPayload) -> None:
        """An event tells how a call ended, before its output comes."""
        told = {name: getattr(payload, name) for name in ("exit_code", "success", "status", "changes")}
        self._remember(string(payload.call_id), facts_of(told))

    def _remember(self, call: str, outcome: dict[str, Any]) -> None:
        if outcome and call:
            self.state.outcomes[call] = outcome
            while len(self.state.outcomes) > _OUTCOMES:
                del self.state.outcomes[next(iter(self.state.outcomes))]

    def _result(self, payload: _Payload | _PlainPayload) -> ToolResult:
        text, code = read_output(payload.output)
        call = string(payload.call_id)
        detail = self.state.outcomes.pop(call, {})
        if code is not None:
            detail = {**detail, "exit_code": code}
        failed = bool(detail.get("exit_code")) or detail.get("success") is False
        return ToolResult(call, text, failed, detail=detail)


def _entry(found: Found[_Record], parts: list[AnyPart] | None = None, role: Role = "") -> Entry:
    return Entry(found.offset, found.end, role, tuple(parts or ()), timestamp=string(found.record.timestamp))


def _put(text: str, unpaired: list[str]) -> None:
    unpaired.append(text.strip())
    del unpaired[:-_UNPAIRED]


def _take(text: str, unpaired: list[str]) -> bool:
    key = text.strip()
    if key in unpaired:
        unpaired.remove(key)
        return True
    return False


def _queued(part: AnyPart) -> AnyPart:
    return UserText(part.text, "queued", steering=True) if isinstance(part, UserText) else part


def _item_text(content: Any) -> str:
    """Text of a user item without the marks that stand around its images."""
    texts = (string(block.get("text")) for block in blocks(content))
    return "\n".join(text for text in texts if text and not text.startswith(("<image", "</image")))


def _wrapped(text: str) -> bool:
    """True if the whole text is one tagged block, as harnesses write them; people who do so speak by an event."""
    match = _WRAPPED.match(text)
    return match is not None and text.rstrip().endswith(f"</{match.group(1)}>")


def _call(payload: _Payload, kind: str) -> ToolUse:
    given = next((item for item in (payload.arguments, payload.input, payload.action) if item is not None), None)
    given = given if isinstance(given, str) else arguments(given)  # a string stays one until somebody asks
    return ToolUse(string(payload.call_id), string(payload.name) or kind, given)


def _reasoning_size(payload: _Payload) -> int:
    return len(text_of(payload.content)) or len(text_of(payload.summary)) or len(string(payload.encrypted_content))


def _plain_size(texts: list[_Text] | str | None) -> int:
    """Characters of a thought's texts, one a line."""
    if isinstance(texts, str):
        return len(texts)
    return len("\n".join(block.text for block in texts if block.text is not None)) if texts else 0


def _compacted(summary: str) -> list[AnyPart]:
    # two facts: the context was swapped here, and what it was swapped for, if that can be read
    return [Compacted(), Compacted(summary)] if summary else [Compacted()]
