"""Codex rollouts: session meta with a new id, the memory as a user message, then the tail.

Dropped from the tail: reasoning (items and events), the client's compactions, further session metas (they carry old
ids), rollbacks (the turns they took away are skipped; on resume they would take others), and `token_count` events: on
resume the last one is taken for the size of the context, which would set off a compaction at once. Everything else,
events of the second view included, is kept as it is.
"""

from __future__ import annotations

from memcli.transcript.encode.common import (
    NO_RESULT,
    Doubt,
    Frame,
    Item,
    Out,
    Pieces,
    Plan,
    arrange,
    blocks,
    is_empty,
    parse,
    read,
)
from memcli.transcript.encode.openai import arguments, image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.transcript.encode.common import Record

NAME = "codex"
COPIES = False

_NO_TIME = "1970-01-01T00:00:00.000Z"
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
_ITEMS_DROPPED = frozenset(("reasoning", "compaction", "compaction_summary", "context_compaction"))
_TEXTS = ("input_text", "output_text", "text")
_TURN = "turn"  # calls and answers of one turn may stand in any order


def context(first: Iterable[bytes], last: Iterable[bytes]) -> Record:
    """The session's own meta (the first; later ones are of resumes, or of the parent of a fork) and the newest time."""
    found: Record = {}
    for raw in (*first, *last):
        for record in parse(raw) or ():
            payload = record.get("payload")
            if record.get("type") == "session_meta" and "meta" not in found and isinstance(payload, dict):
                found["meta"] = payload
            if isinstance(record.get("timestamp"), str):
                found["time"] = record["timestamp"]
    return found


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:  # noqa: ARG001  # the interface of all encoders
    """Session meta and the memory as a response item of the user."""
    time = str(envelope.get("time") or _NO_TIME)
    frame = Frame()
    if envelope.get("meta"):
        meta = {name: value for name, value in envelope["meta"].items() if name not in ("id", "session_id")}
        frame.add(b'{"timestamp":' + _time(time) + b',"type":"session_meta","payload":{"id":"')
        frame.fill("session")
        if "session_id" in envelope["meta"]:
            frame.add(b'","session_id":"')
            frame.fill("session")
        frame.add(b'",')
        frame.fields(meta)
        frame.data[-1:] = b"}}\n"
    frame.add(b'{"timestamp":' + _time(time) + b',"type":"response_item","payload":{"type":"message","role":"user",')
    frame.add(b'"content":[{"type":"input_text","text":"')
    return frame.text(before, state, after, b'"}]}}\n')


def _time(time: str) -> bytes:
    return b'"' + time.encode("ascii", "replace").replace(b'"', b"") + b'"'


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail without reasoning and without what belongs to the history that was replaced."""
    untwinned: list[str] = []
    for item in arrange(_items(lines, plan), plan, _no_result, lambda _item, _indexes: False):
        yield Out(item.offset, item.data(), _counts(item.record, untwinned), str(item.record.get("timestamp") or ""))


def _counts(record: Record, untwinned: list[str]) -> bool:
    """Whether the line is a conversation message. A prompt stands twice, as item and as event: it counts once."""
    payload = record["payload"]
    kind, role = str(payload.get("type")), payload.get("role")
    if record["type"] == "response_item":
        if kind == "message" and role == "user":
            untwinned.append("".join(str(block.get("text") or "") for block in blocks(payload.get("content"))).strip())
            del untwinned[:-16]
        return (kind == "message" and role in ("user", "assistant")) or kind.endswith(("_call", "_output"))
    if kind != "user_message" or not str(payload.get("message") or "").strip():
        return False
    text = str(payload.get("message")).strip()
    if text in untwinned:
        untwinned.remove(text)
        return False
    return True


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
        item = _item(offset, record, raw)
        items += [item] if item else []
        items += [_user(offset, text, record) for text in plan.words.get(offset, ())]
    return items


def _judge(record: Record) -> None:
    payload = record.get("payload")
    kind = payload.get("type") if isinstance(payload, dict) else ""
    if record.get("type") in ("compacted", "session_meta") or kind == "thread_rolled_back":
        raise Doubt("the client compacted, resumed or took turns back")


def _item(offset: int, record: Record, raw: bytes | None) -> Item | None:
    payload = record.get("payload")
    if record.get("type") in ("session_meta", "compacted") or not isinstance(payload, dict):
        return None
    kind, call = str(payload.get("type")), payload.get("call_id")
    if record.get("type") == "event_msg":
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
