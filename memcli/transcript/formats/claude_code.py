"""Claude Code sessions (1.0 to 2.1.330) and the user and assistant records of its stream-json output.

A record is chosen by its `type`, never by what else it carries: `api-request-blob` records, for one, hold copies of
messages. The person's words stand in user records, in attachments and queue lines (typed while the agent worked), in
refusals of tool calls and in answers to the agent's questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from memcli.transcript.encode.common import HANDED
from memcli.transcript.entries import (
    AnyPart,
    Compacted,
    Entry,
    Link,
    MachineText,
    Place,
    Role,
    TurnEnd,
    Usage,
    UserText,
)
from memcli.transcript.formats.blocks import (
    REJECTION_HEAD,
    assistant_parts,
    attached,
    blocks,
    leaves,
    mapping,
    number,
    result_part,
    string,
    text_of,
)
from memcli.transcript.formats.plain import UNUSUAL, Block, Consumed, gave, said
from memcli.transcript.formats.queue import Queue
from memcli.transcript.formats.reader import LineReader
from memcli.transcript.formats.records import Found, count, decode_line
from memcli.transcript.formats.voice import Voice, queued, typed

if TYPE_CHECKING:
    from memcli.transcript.lines import Line

NAME = "claude-code"

_ATTACHMENT_LIMIT = 20_000  # characters kept of what the client put into the context
_METERED = 64  # message ids whose usage was given; parts of one message stand closer together than that
_SYNTHETIC = "<synthetic>"
_MACHINES = ("system", "refusal")  # sources of prompts that no person wrote
_ENDS = ("turn_duration", "stop_hook_summary")  # system records that the client writes when a turn is over
_BOOKKEEPING = frozenset(
    (
        "agent-name",
        "ai-title",
        "api-request",
        "api-request-blob",
        "api-request-shape",
        "atis-latch",
        "bridge-session",
        "cost-state",
        "custom-title",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "progress",
        "rate_limit_event",
        "stream_event",
        "summary",
        "tag",
        "task-summary",
        "tools-used",
    )
)


class State(msgspec.Struct):
    """What must be remembered between lines; bounded."""

    voice: Voice = msgspec.field(default_factory=Voice)
    queue: Queue = msgspec.field(default_factory=Queue)
    metered: dict[str, None] = {}
    cwd: str = ""
    branch: str = ""
    problems: dict[str, int] = {}


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    subtype: Any = None
    operation: Any = None
    content: Any = None
    uuid: Any = None
    parent: Any = msgspec.field(default=None, name="parentUuid")
    timestamp: Any = None
    sidechain: Any = msgspec.field(default=None, name="isSidechain")
    parent_tool: Any = msgspec.field(default=None, name="parent_tool_use_id")
    meta: Any = msgspec.field(default=None, name="isMeta")
    synthetic: Any = msgspec.field(default=None, name="isSynthetic")
    source: Any = msgspec.field(default=None, name="promptSource")
    is_summary: Any = msgspec.field(default=None, name="isCompactSummary")
    cwd: Any = None
    branch: Any = msgspec.field(default=None, name="gitBranch")
    message: Any = None
    result: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="toolUseResult")
    stream_result: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="tool_use_result")
    attachment: Any = None
    compaction: Any = msgspec.field(default=None, name="compactMetadata")
    link: Any = msgspec.field(default=None, name="prUrl")
    link_number: Any = msgspec.field(default=None, name="prNumber")


class _Detail(msgspec.Struct):
    """The few facts wanted of `toolUseResult`, which can be as large as the result itself."""

    type: Any = None
    success: Any = None
    answers: Any = None
    annotations: Any = None
    task: Any = None
    task_id: Any = msgspec.field(default=None, name="taskId")


class _PlainMessage(msgspec.Struct, gc=False):
    id: str = ""
    model: str = ""
    content: str | list[Block] = ""
    stop: str | None = msgspec.field(default=None, name="stop_reason")
    usage: Consumed | None = None


class _Plain(msgspec.Struct, gc=False):
    """A record as clients write nearly all: what has another shape is read as `_Record`, which believes nothing."""

    type: str
    parent: str | None = msgspec.field(default=None, name="parentUuid")
    sidechain: bool = msgspec.field(default=False, name="isSidechain")
    cwd: str = ""
    branch: str = msgspec.field(default="", name="gitBranch")
    message: _PlainMessage | None = None
    uuid: str = ""
    timestamp: str = ""
    result: _Detail | str | list[msgspec.Raw] | None = msgspec.field(default=None, name="toolUseResult")
    stream_result: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="tool_use_result")
    parent_tool: str | None = msgspec.field(default=None, name="parent_tool_use_id")
    meta: bool = msgspec.field(default=False, name="isMeta")
    synthetic: bool = msgspec.field(default=False, name="isSynthetic")
    source: str = msgspec.field(default="", name="promptSource")
    subtype: str = ""
    is_summary: bool = msgspec.field(default=False, name="isCompactSummary")


_PLAIN = msgspec.json.Decoder(_Plain)
_DECODER = msgspec.json.Decoder(_Record)
_DETAIL = msgspec.json.Decoder(_Detail)
_STRING = msgspec.json.Decoder(str)


def claims(record: dict[str, Any]) -> bool:
    """True if a decoded record is one of this format."""
    kind = record.get("type")
    if kind in ("user", "assistant"):
        return isinstance(record.get("message"), dict)
    if kind in ("attachment", "system"):
        return isinstance(record.get("attachment"), dict) or "subtype" in record
    return kind == "queue-operation" or (isinstance(kind, str) and kind in _BOOKKEEPING)


class Reader(LineReader[State]):
    """Decodes lines in file order."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State())

    def read(self, line: Line) -> list[Entry]:
        """Entries of one physical line; empty for a blank or unreadable one."""
        try:
            record = _PLAIN.decode(line.data)
            if (entry := self._plain(line, record)) is not None:
                return [entry]
        except UNUSUAL:
            pass
        self.heard = None
        return [self._entry(found) for found in decode_line(line, _DECODER, self.problems)]

    def _plain(self, line: Line, record: _Plain) -> Entry | None:
        """The entry of a record that a client writes all the time, None for any other one."""
        kind, message = record.type, record.message
        role: Role = ""
        message_id = stop = ""
        parts: list[AnyPart] | None = []
        if record.sidechain or record.parent_tool:
            pass
        elif kind == "assistant" and message is not None and message.model != _SYNTHETIC:
            role, message_id, stop = "assistant", message.id, message.stop or ""
            parts = said(message.content)
            if (usage := message.usage) and message_id not in self.state.metered and parts is not None:
                parts += self._metered(usage.context, message_id, message.model)
        elif kind == "user" and message is not None and not record.is_summary:
            role, parts = "user", self._taken(record, message.content)
        elif kind == "system" and record.subtype != "compact_boundary":
            parts = [TurnEnd()] if record.subtype in _ENDS else self._moved(record.cwd, record.branch)
        elif kind not in _BOOKKEEPING:
            return None
        if parts is None:
            return None
        if role and (record.cwd != self.state.cwd or record.branch != self.state.branch):
            parts = [*self._moved(record.cwd, record.branch), *parts]
        return Entry(
            line.offset,
            line.end,
            role,
            tuple(parts),
            record.uuid,
            record.parent or "",
            message_id,
            stop,
            record.timestamp,
        )

    def _taken(self, record: _Plain, content: str | list[Block]) -> list[AnyPart] | None:
        """What a user record holds; None for what is read with more care: refusals and pictures."""
        if isinstance(content, str):
            return None if record.source == "queued" or HANDED in content else self._hear(record, content)
        if record.stream_result:
            return None
        detail = record.result if type(record.result) is _Detail else None
        voice = self.state.voice
        parts: list[AnyPart] = []
        for block in content:
            if block.type == "tool_result":
                result = gave(block, _facts(detail) if detail else {})
                if result.is_error and result.text.startswith(REJECTION_HEAD):
                    return None
                parts.append(result)
                if voice.refused:  # what was refused before is not said again behind another result
                    voice.refused, self.heard = "", None
                if detail and detail.answers:
                    parts += _answers(detail)
            elif block.type == "text" and len(content) == 1 and HANDED not in block.text:
                return self._taken(record, block.text)
            else:
                return None
        return parts

    def _hear(self, record: _Plain, text: str) -> list[AnyPart]:
        self.heard = None
        return self.state.voice.hear(text, record.meta or record.synthetic or record.source in _MACHINES)

    def _entry(self, found: Found[_Record]) -> Entry:
        record = found.record
        if record.sidechain or record.parent_tool:
            return _bare(found)
        match string(record.type):
            case "user":
                return self._user(found)
            case "assistant":
                return self._assistant(found)
            case "attachment":
                return self._attachment(found)
            case "queue-operation":
                words = self.state.queue.step(string(record.operation), text_of(record.content))
                return self._hidden(found, words)
            case "system":
                return self._system(found)
            case "result":
                return _bare(found, (TurnEnd(),))
            case "pr-link":
                label = f"#{record.link_number}" if number(record.link_number) else ""
                return _bare(found, (Link(string(record.link), label),))
            case kind:
                if kind not in _BOOKKEEPING:
                    count(self.problems, "unknown type")
        return _bare(found)

    def _user(self, found: Found[_Record]) -> Entry:
        record = found.record
        content = mapping(record.message).get("content")
        if record.is_summary:
            return _bare(found, (Compacted(summary=text_of(content)),))
        parts: list[AnyPart] = self._place(record)
        detail, agrees = _detail(record)
        machine = bool(record.meta or record.synthetic or record.source in _MACHINES)
        for block in blocks(content):
            kind = string(block.get("type"))
            if kind == "text" and HANDED in string(block.get("text")) and _is_shown(string(block.get("text"))):
                continue
            if kind == "text" and record.source == "queued":
                self.state.queue.shown(string(block.get("text")))
                parts += queued(string(block.get("text")))
            elif kind == "text":
                parts += self.state.voice.hear(string(block.get("text")), machine)
            elif kind == "tool_result":
                result = result_part(block, agrees, _facts(detail))
                parts += [result, *self.state.voice.refusal(result), *_answers(detail)]
            elif kind in ("image", "document"):
                parts.append(attached(kind))
        return _bare(found, tuple(parts), role="user")

    def _assistant(self, found: Found[_Record]) -> Entry:
        record = found.record
        message = mapping(record.message)
        model = string(message.get("model"))
        if model == _SYNTHETIC:
            text = text_of(message.get("content"))
            return _bare(found, (MachineText(text),) if text else ())
        parts = [*self._place(record), *assistant_parts(message.get("content")), *self._usage(message, model)]
        entry = _bare(found, tuple(parts), role="assistant")
        ids = {"message_id": string(message.get("id")), "stop": string(message.get("stop_reason"))}
        return msgspec.structs.replace(entry, **ids)

    def _usage(self, message: dict[str, Any], model: str) -> list[AnyPart]:
        usage, identity = mapping(message.get("usage")), string(message.get("id"))
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        context = sum(number(usage.get(name)) for name in names)
        return self._metered(context, identity, model)

    def _metered(self, context: int, identity: str, model: str) -> list[AnyPart]:
        """What a message consumed, told once for all its parts."""
        metered = self.state.metered
        if not context or identity in metered:
            return []
        if identity:
            metered[identity] = None
            if len(metered) > _METERED:
                del metered[next(iter(metered))]
        return [Usage(context, model)]

    def _attachment(self, found: Found[_Record]) -> Entry:
        attachment = mapping(found.record.attachment)
        if attachment.get("type") == "queued_command":
            words = text_of(attachment.get("prompt"))
            if attachment.get("commandMode", "prompt") == "prompt" and typed(words)[0]:
                return self._hidden(found, self.state.queue.attached(words))
            return _bare(found, (MachineText(words),) if words.strip() else ())
        text = "\n".join(leaves(attachment))[:_ATTACHMENT_LIMIT]
        if HANDED in text and string(attachment.get("type")).startswith("hook_"):
            return _bare(found)  # our own memory, handed back by a hook: it is never read as a source
        return _bare(found, (MachineText(text),) if text.strip() else ())

    def _hidden(self, found: Found[_Record], words: str) -> Entry:
        parts = queued(words)
        return _bare(found, tuple(parts), role="user") if parts else _bare(found)

    def _system(self, found: Found[_Record]) -> Entry:
        record = found.record
        if record.subtype == "compact_boundary":
            entry = _bare(found, (_boundary(mapping(record.compaction)),))
            # logicalParentUuid can name a line that was never written; nothing before the boundary is a parent
            return msgspec.structs.replace(entry, parent="")
        if record.subtype in _ENDS:
            return _bare(found, (TurnEnd(),))
        return _bare(found, tuple(self._place(record)))

    def _place(self, record: _Record) -> list[AnyPart]:
        return self._moved(string(record.cwd), string(record.branch))

    def _moved(self, cwd: str, branch: str) -> list[AnyPart]:
        cwd, branch = cwd or self.state.cwd, branch or self.state.branch
        if (cwd, branch) == (self.state.cwd, self.state.branch):
            return []
        self.state.cwd, self.state.branch, self.heard = cwd, branch, None
        return [Place(cwd, branch)]


def _bare(found: Found[_Record], parts: tuple[AnyPart, ...] = (), role: Any = "") -> Entry:
    record = found.record
    return Entry(
        offset=found.offset,
        end=found.end,
        role=role,
        parts=parts,
        id=string(record.uuid),
        parent=string(record.parent),
        timestamp=string(record.timestamp),
    )


def _boundary(compaction: dict[str, Any]) -> Compacted:
    kept = compaction.get("preservedMessages")
    ids = mapping(kept).get("uuids") if isinstance(kept, dict) else kept
    known = tuple(item for item in ids if isinstance(item, str)) if isinstance(ids, list) else ()
    return Compacted(kept=known, post_tokens=number(compaction.get("postTokens")))


def _is_shown(text: str) -> bool:
    """True for the output of a command of the client: there it shows what our hook told its summarizer."""
    return text.lstrip().startswith("<local-command-stdout>")


def _detail(record: _Record) -> tuple[_Detail, bool]:
    """What the record says about the result beside its text, and whether it lets a refusal be one."""
    raw = bytes(record.result) or bytes(record.stream_result)
    try:
        if raw.startswith(b'"'):
            head = _STRING.decode(raw)[:80]
            return _Detail(), "doesn't want" in head or "rejected" in head
        return (_DETAIL.decode(raw), False) if raw.startswith(b"{") else (_Detail(), raw in (b"", b"null"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Detail(), False


def _facts(detail: _Detail) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if detail.task is None and detail.task_id is None and detail.type is None and detail.success is None:
        return facts
    if detail.type in ("create", "update"):
        facts["type"] = detail.type
    if isinstance(detail.success, bool):
        facts["success"] = detail.success
    if task := mapping(detail.task).get("id", detail.task_id):
        facts["task_id"] = str(task)
    return facts


def _answers(detail: _Detail) -> list[AnyPart]:
    """The person's choices and notes, given to questions the agent asked; "(no option selected)" is the client's."""
    notes = mapping(detail.annotations)
    given = [
        string(words).strip()
        for question, answer in mapping(detail.answers).items()
        for words in (answer, mapping(notes.get(question)).get("notes"))
    ]
    return [UserText(words, "answer", steering=True) for words in given if words and not words.startswith("(")]
