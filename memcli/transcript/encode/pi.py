"""pi and OpenClaw sessions: the session header with a new id, the memory as a message, then the tail.

Version 1 has no ids and is linear. Later versions form a tree: the tail becomes a straight line under the memory, each
entry keeps its id. Usage is set to zero for the same reason as elsewhere: the client would take the last recorded
figure for the size of the new context and compact again.
"""

from __future__ import annotations

from memcli.transcript.encode.common import (
    NO_RESULT,
    THINKING,
    Doubt,
    Frame,
    Out,
    Pieces,
    Plan,
    blocks,
    ids,
    is_empty,
    parse,
    read,
)
from memcli.transcript.encode.rounds import Item, arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.transcript.encode.common import Record

NAME = "pi"
COPIES = False

_NO_TIME = "1970-01-01T00:00:00.000Z"
_COUNTED = ("input", "output", "cacheRead", "cacheWrite", "totalTokens")
_SPEAKERS = ("user", "bashExecution", "custom", "hookMessage", "branchSummary")
_ID = 8  # hexadecimal digits of an entry's id


def context(first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:
    """The session header, the newest time, and the id new entries hang on."""
    found: Record = {**(known or {})}
    for raw in (*first, *last):
        for record in parse(raw)[0]:
            if record.get("type") == "session":
                found.setdefault("header", record)
            elif isinstance(record.get("id"), str):
                found["leaf"] = record["id"]
            if isinstance(record.get("timestamp"), str):
                found["time"] = record["timestamp"]
    return found


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:  # noqa: ARG001  # the interface of all encoders
    """Session header and the memory as a user message."""
    time = str(envelope.get("time") or _NO_TIME)
    header = envelope.get("header") or {}
    frame = Frame()
    if header:
        frame.add(b'{"type":"session","id":"')
        frame.fill("session")
        frame.add(b'",')
        frame.fields({name: value for name, value in header.items() if name not in ("type", "id")})
        frame.data[-1:] = b"}\n"
    frame.add(b'{"type":"message",')
    if _is_tree(envelope):
        frame.add(b'"id":"')
        frame.fill("memory", _ID)
        frame.add(b'","parentId":null,')
    frame.fields({"timestamp": time})
    frame.add(b'"message":{"role":"user","content":[{"type":"text","text":"')
    return frame.text(before, state, after, b'"}]}}\n')


def _is_tree(envelope: Record) -> bool:
    header = envelope.get("header") or {}
    return isinstance(header.get("version"), int) and header["version"] > 1


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail without thinking; a tree becomes a straight line."""
    tree, parent = _is_tree(plan.envelope), plan.id("memory", _ID)
    for place, item in enumerate(arrange(_items(lines, plan), plan, _no_result, lambda _item, _indexes: False)):
        record = item.record
        if tree:
            if not isinstance(record.get("id"), str):
                record["id"] = plan.id(f"line {item.offset} {place}", _ID)
                item.raw = None
            if record.get("parentId") != parent:
                record["parentId"], item.raw = parent, None
            parent = record["id"]
        counts = record.get("type") in ("message", "branch_summary", "custom_message")
        yield Out(item.offset, item.data(), counts, str(record.get("timestamp") or ""))


def said(record: Record) -> tuple[str, str, list[Record]] | None:
    """Role, no message id, and Anthropic blocks of a message; None for bookkeeping."""
    if record.get("type") in ("branch_summary", "custom_message"):
        return "user", "", [_block(block) for block in blocks(record.get("summary", record.get("content")))]
    body = record.get("message")
    if record.get("type") != "message" or not isinstance(body, dict):
        return None
    found = [_block(block) for block in blocks(body.get("content"))]
    if body.get("role") == "assistant":
        return "assistant", "", found
    if body.get("role") == "toolResult":
        result = {"type": "tool_result", "tool_use_id": str(body.get("toolCallId")), "content": found}
        return "user", "", [{**result, "is_error": bool(body.get("isError"))}]
    if body.get("role") == "bashExecution":
        text = f"$ {body.get('command') or ''}\n{body.get('output') or ''}"
        return "user", "", [{"type": "text", "text": text}]
    return "user", "", found or [{"type": "text", "text": str(body.get("summary") or "")}]


def _block(block: Record) -> Record:
    if block.get("type") == "toolCall":
        given = block.get("arguments")
        use = {"type": "tool_use", "id": str(block.get("id")), "name": str(block.get("name") or "tool")}
        return {**use, "input": given if isinstance(given, dict) else {"input": given}}
    if block.get("type") == "image" and isinstance(block.get("data"), str):
        source = {"type": "base64", "media_type": str(block.get("mimeType") or "image/png"), "data": block["data"]}
        return {"type": "image", "source": source}
    return {"type": "text", "text": str(block.get("text") or "")}


def _items(lines: Iterable[tuple[int, bytes]], plan: Plan) -> list[Item]:
    items: list[Item] = []
    leaf = plan.envelope.get("leaf")
    for offset, record, raw in read(lines, plan):
        if offset >= plan.known and (
            record.get("type") in ("compaction", "branch_summary")
            or ("parentId" in record and record["parentId"] != leaf)
        ):
            raise Doubt("the client compacted or went to another branch")
        leaf = record.get("id", leaf)
        item = _item(offset, record, raw)
        items += [item] if item else []
        items += [_user(offset, text, record) for text in plan.words.get(offset, ())]
    return items


def _item(offset: int, record: Record, raw: bytes | None) -> Item | None:
    kind, body = record.get("type"), record.get("message")
    if kind in ("session", "compaction"):
        return None
    if kind != "message" or not isinstance(body, dict):
        return Item(offset, record, raw, "w" if kind in ("branch_summary", "custom_message") else "x")
    role = body.get("role")
    if role == "toolResult" and isinstance(body.get("toolCallId"), str):
        return Item(offset, record, raw, "r", results=[body["toolCallId"]])
    if role not in ("user", "assistant"):
        return Item(offset, record, raw, "w" if role in _SPEAKERS else "x")
    found = blocks(body.get("content"))
    dropped = THINKING if role == "assistant" else ()
    kept = [block for block in found if block.get("type") not in dropped and not is_empty(block)]
    if not kept and body.get("stopReason") != "aborted":  # that alone tells that the person stopped the agent
        return None
    if len(kept) != len(found):
        body["content"], raw = kept, None
    if role == "user":
        return Item(offset, record, raw, "u")
    if isinstance(body.get("usage"), dict):
        body["usage"].update({name: 0 for name in _COUNTED if name in body["usage"]})
        raw = None
    return Item(offset, record, raw, "a", calls=ids(kept, "toolCall", "id"))


def _user(offset: int, text: str, near: Record) -> Item:
    body = {"role": "user", "content": [{"type": "text", "text": text}]}
    return Item(offset, {"type": "message", "timestamp": near.get("timestamp"), "message": body}, None, "w")


def _no_result(call: str, item: Item) -> Item:
    made = _user(
        item.offset,
        NO_RESULT,
        item.record,
    )
    found = blocks(item.record["message"].get("content"))
    names = [block.get("name") for block in found if block.get("id") == call]
    made.record["message"].update({"role": "toolResult", "toolCallId": call, "toolName": names[0], "isError": True})
    made.kind = "r"
    return made
