"""Codex rollouts: session meta with a new id, the rules the session began with, the memory as a user message, the tail.

The rules are what stands before the first word of the person: developer messages, AGENTS.md, the environment. The
client's own compaction keeps them too. All become developer messages: the first message of the user is the memory.
A client that writes `world_state` tells the model its rules again on resume (seen with 0.169), so they are left out.

Dropped from the tail: reasoning (items and events), the client's compactions and the summaries written for them,
further session metas (they carry old ids), rollbacks (the turns they took away are skipped; on resume they would take
others), and counts of tokens: on resume the last one is taken for the size of the context, which would set off a
compaction at once. Everything else, events of the second view included, is kept as it is.

Where the client numbers its records (`ordinal`), ours are numbered from 0 as it would do: it refuses to resume a file
whose last record has no number (seen with 0.169).
"""

from __future__ import annotations

from memcli.transcript.encode.common import (
    NO_RESULT,
    Doubt,
    Frame,
    Out,
    Pieces,
    Plan,
    blocks,
    dump,
    is_empty,
    parse,
    read,
    read_mark,
)
from memcli.transcript.encode.openai import arguments, image
from memcli.transcript.encode.rounds import Item, arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.transcript.encode.common import Record

NAME = "codex"
COPIES = False

_NO_TIME = "1970-01-01T00:00:00.000Z"
_RULES_BYTES = 100_000
_EVENTS_DROPPED = frozenset(
    (
        "agent_reasoning",
        "agent_reasoning_delta",
        "agent_reasoning_raw_content",
        "agent_reasoning_raw_content_delta",
        "agent_reasoning_section_break",
        "context_compacted",
        "reasoning_content_delta",
        "reasoning_raw_content_delta",
        "thread_rolled_back",
        "token_count",
    )
)
_COMPLETED_DROPPED = frozenset(("ContextCompaction", "Reasoning"))
_RECORDS_DROPPED = frozenset(("compacted", "session_meta", "token_usage_record"))
_ITEMS_DROPPED = frozenset(("reasoning", "compaction", "compaction_summary", "context_compaction"))
_TEXTS = ("input_text", "output_text", "text")
_IMAGE = ("<image", "</image")  # stand around an image in an item, not in its event
_HARNESS = ("<", "# AGENTS.md", "Base directory for", "Caveat:")
_TURN = "turn"  # calls and answers of one turn may stand in any order


def context(first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:
    """The session's own meta (the first; later ones are of resumes, or of the parent of a fork), the rules it began
    with, whether its records are numbered, and the newest time."""
    first = list(first)
    found: Record = {"rules": _rules(first)} if known is None else {**known}
    for raw in (*first, *last):
        for record in parse(raw)[0]:
            payload = record.get("payload")
            if record.get("type") == "session_meta" and "meta" not in found and isinstance(payload, dict):
                found["meta"] = payload
                found["numbered"] = "ordinal" in record
            if isinstance(record.get("timestamp"), str):
                found["time"] = record["timestamp"]
    return found


def _rules(first: Iterable[bytes]) -> list[Record]:
    """The messages before the conversation, as they are; no more than a client would send. Not a prompt, and not the
    memory that an earlier swap left there: the new one stands in its place. None where the client keeps a record of
    what it told the model: it finds none in our output and tells all of it again, as it is by then."""
    rules: list[Record] = []
    room = _RULES_BYTES
    for raw in first:
        records = parse(raw)[0]
        if any(record.get("type") == "world_state" for record in records):
            return []
        found = [record for record in records if _is_rule(record)]
        room -= len(raw) if found else 0
        rules += found if room >= 0 else []
    return rules


def _is_rule(record: Record) -> bool:
    payload = record.get("payload")
    if record.get("type") != "response_item" or not isinstance(payload, dict) or payload.get("type") != "message":
        return False
    text = _words(payload.get("content"))
    return payload.get("role") in ("developer", "system") or (text.startswith(_HARNESS) and not read_mark(text))


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:  # noqa: ARG001  # the interface of all encoders
    """Session meta and the memory as a response item of the user."""
    time = str(envelope.get("time") or _NO_TIME)
    frame = Frame()
    if envelope.get("meta"):
        meta = {name: value for name, value in envelope["meta"].items() if name not in ("id", "session_id")}
        frame.add(b'{"timestamp":' + _time(time) + _ordinal(envelope, 0) + b',"type":"session_meta","payload":{"id":"')
        frame.fill("session")
        if "session_id" in envelope["meta"]:
            frame.add(b'","session_id":"')
            frame.fill("session")
        frame.add(b'",')
        frame.fields(meta)
        frame.data[-1:] = b"}}\n"
    for place, rule in enumerate(envelope.get("rules", ()), start=1):
        number = {"ordinal": place} if envelope.get("numbered") else {}
        frame.add(dump({**rule, **number, "payload": {**rule["payload"], "role": "developer"}}) + b"\n")
    frame.add(b'{"timestamp":' + _time(time) + _ordinal(envelope, _opening(envelope) - 1) + b',"type":"response_item",')
    frame.add(b'"payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"')
    return frame.text(before, state, after, b'"}]}}\n')


def _time(time: str) -> bytes:
    return b'"' + time.encode("ascii", "replace").replace(b'"', b"") + b'"'


def _opening(envelope: Record) -> int:
    """How many lines `message` writes."""
    return bool(envelope.get("meta")) + len(envelope.get("rules", ())) + 1


def _ordinal(envelope: Record, place: int) -> bytes:
    return b',"ordinal":%d' % place if envelope.get("numbered") else b""


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail without reasoning and without what belongs to the history that was replaced."""
    messages = _Messages()
    items = arrange(_items(lines, plan), plan, _no_result, lambda _item, _indexes: False)
    for place, item in enumerate(items, start=_opening(plan.envelope)):
        if plan.envelope.get("numbered"):
            item.record["ordinal"], item.raw = place, None
        yield Out(item.offset, item.data(), messages.counts(item.record), str(item.record.get("timestamp") or ""))


class _Messages:
    """Tells which lines of the output are messages to `formats.codex`, which will read it: a prompt stands twice, as
    item and as event, and counts once."""

    def __init__(self) -> None:
        self.untwinned: list[str] = []
        self.echo = False
        self.view = ""

    def counts(self, record: Record) -> bool:
        payload = record["payload"]
        kind, role = str(payload.get("type")), payload.get("role")
        echo, self.echo = self.echo, False
        if record.get("type") == "response_item":
            if kind == "message" and role == "user":
                self._item(_words(payload.get("content")))
            return (kind == "message" and role in ("user", "assistant")) or kind.endswith(("_call", "_output"))
        if kind in ("task_started", "turn_started"):
            self.view = ""
        text = _typed(payload)
        self.view = self.view or (kind if text is not None else "")
        return bool(text) and kind == self.view and not self._twin(text or "", echo)

    def _item(self, text: str) -> None:
        self.echo = not text.startswith(_HARNESS)
        self.untwinned = [*self.untwinned[-15:], text]

    def _twin(self, text: str, echo: bool) -> bool:
        if text in self.untwinned:
            self.untwinned.remove(text)
            return True
        if echo:  # the same message, written differently in the two views
            self.untwinned.pop()
        return echo


def _typed(payload: Record) -> str | None:
    """Words of the person that an event tells; None for other events."""
    kind, item = payload.get("type"), payload.get("item")
    if kind == "user_message":
        return str(payload.get("message") or "").strip()
    if kind == "item_completed" and isinstance(item, dict) and item.get("type") == "UserMessage":
        return _words(item.get("content"))
    return None


def _words(content: object) -> str:
    texts = (str(block.get("text") or "") for block in blocks(content))
    return "\n".join(text for text in texts if text and not text.startswith(_IMAGE)).strip()


def said(record: Record) -> tuple[str, str, list[Record]] | None:
    """Role, no message id, and Anthropic blocks of a response item; None for events and bookkeeping."""
    payload = record.get("payload")
    if record.get("type") != "response_item" or not isinstance(payload, dict):
        return None
    kind, call = str(payload.get("type")), payload.get("call_id")
    if kind == "message":
        found = [_block(block) for block in blocks(payload.get("content"))]
        return (payload["role"], "", found) if payload.get("role") in ("user", "assistant") else None
    if not isinstance(call, str):
        return None
    if kind.endswith("_output"):
        output = payload.get("output")
        content = [_block(block) for block in blocks(output)] or [{"type": "text", "text": str(output or "")}]
        return "user", "", [{"type": "tool_result", "tool_use_id": call, "content": content}]
    if kind.endswith("_call"):
        given = payload.get("arguments", payload.get("input", payload.get("action")))
        name = str(payload.get("name") or kind.removesuffix("_call"))
        return "assistant", "", [{"type": "tool_use", "id": call, "name": name, "input": arguments(given)}]
    return None


def _block(block: Record) -> Record:
    url = block.get("image_url")
    if isinstance(url, str):
        return image(url)
    return {"type": "text", "text": str(block.get("text") or "")}


def _items(lines: Iterable[tuple[int, bytes]], plan: Plan) -> list[Item]:
    items: list[Item] = []
    for offset, record, raw in read(lines, plan):
        if offset >= plan.known:
            _judge(record)
        if record.get("type") == "compacted":
            _drop_summary(items, record.get("payload"))
        item = _item(offset, record, raw)
        items += [item] if item else []
        items += [_user(offset, text, record) for text in plan.words.get(offset, ())]
    return items


def _drop_summary(items: list[Item], payload: object) -> None:
    """Takes out what the model wrote for a compaction: the last message before it, which ends the compaction's own.

    The words of the agent have an event with their id; a client that has no summary falls back to such words.
    """
    place = next((place for place in reversed(range(len(items))) if items[place].kind != "x"), None)
    if place is None or not isinstance(payload, dict) or items[place].kind != "a":
        return
    message = items[place].record["payload"]
    text, identity = _words(message.get("content")), message.get("id")
    announced = [item.record["payload"].get("item") for item in items[:place]]
    said = identity and any(isinstance(item, dict) and item.get("id") == identity for item in announced)
    if text and not said and str(payload.get("message") or "").strip().endswith(text):
        del items[place]


def _judge(record: Record) -> None:
    payload = record.get("payload")
    kind = payload.get("type") if isinstance(payload, dict) else ""
    if record.get("type") in ("compacted", "session_meta") or kind == "thread_rolled_back":
        raise Doubt("the client compacted, resumed or took turns back")


def _item(offset: int, record: Record, raw: bytes | None) -> Item | None:
    payload = record.get("payload")
    if str(record.get("type")) in _RECORDS_DROPPED or not isinstance(payload, dict):
        return None
    kind, call = str(payload.get("type")), payload.get("call_id")
    if record.get("type") == "event_msg":
        item = payload.get("item")
        if kind == "item_completed" and isinstance(item, dict) and str(item.get("type")) in _COMPLETED_DROPPED:
            return None
        return None if kind in _EVENTS_DROPPED else Item(offset, record, raw, "x")
    if record.get("type") != "response_item":
        return Item(offset, record, raw, "x")
    if kind in _ITEMS_DROPPED:
        return None
    if kind == "message":
        return _said_item(offset, record, raw, payload)
    if kind.endswith("_output") and isinstance(call, str):
        return Item(offset, record, raw, "r", results=[call])
    if kind.endswith("_call"):
        return Item(offset, record, raw, "a", group=_TURN, calls=[call] if isinstance(call, str) else [])
    return Item(offset, record, raw, "x")


def _said_item(offset: int, record: Record, raw: bytes | None, payload: Record) -> Item | None:
    found = blocks(payload.get("content"))
    kept = [block for block in found if not is_empty(block, _TEXTS)]
    if not kept:
        return None
    if len(kept) != len(found):
        payload["content"], raw = kept, None
    role = payload.get("role")
    return Item(offset, record, raw, {"user": "u", "assistant": "a"}.get(str(role), "x"), group=_TURN)


def _user(offset: int, text: str, near: Record) -> Item:
    payload = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return Item(offset, {"timestamp": near.get("timestamp"), "type": "response_item", "payload": payload}, None, "w")


def _no_result(call: str, item: Item) -> Item:
    kind = "custom_tool_call_output" if item.record["payload"].get("type") == "custom_tool_call" else ""
    payload = {"type": kind or "function_call_output", "call_id": call, "output": NO_RESULT}
    record = {"timestamp": item.record.get("timestamp"), "type": "response_item", "payload": payload}
    return Item(item.offset, record, None, "r")
