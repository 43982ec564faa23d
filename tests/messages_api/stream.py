"""A message as server-sent events, in the order of the service: message_start, then for each block its start, deltas
and stop, then message_delta with the stop reason, then message_stop; a ping after the first block's start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 96  # characters of a delta; a short text comes in four all the same, a long one in a hundred

Event = tuple[str, dict[str, Any]]


def events(message: dict[str, Any]) -> Iterator[Event]:
    """(name, data) of each event. A message without usage names none anywhere."""
    usage = message.get("usage")
    opened = message | {"content": [], "stop_reason": None}
    opened.pop("stop_details", None)
    if usage is not None:
        opened["usage"] = usage | {"output_tokens": min(1, usage["output_tokens"])}
    yield "message_start", {"type": "message_start", "message": opened}
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
    delta: dict[str, Any] = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    if "stop_details" in message:
        delta["stop_details"] = message["stop_details"]
    last: dict[str, Any] = {"type": "message_delta", "delta": delta}
    yield "message_delta", last if usage is None else last | {"usage": usage}
    yield "message_stop", {"type": "message_stop"}


def wire(event: Event) -> bytes:
    """The bytes of one event."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _block(index: int, block: dict[str, Any]) -> Iterator[Event]:
    started, deltas = _parts(block)
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": started}
    if index == 0:
        yield "ping", {"type": "ping"}
    for delta in deltas:
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": index}


def _parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}, [{"type": "text_delta", "text": part} for part in _cut(block["text"])]
        case "thinking":
            thoughts = [{"type": "thinking_delta", "thinking": part} for part in _cut(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signed]
    return block, []


def _cut(text: str) -> list[str]:
    size = max(min(PIECE, len(text) // 4 + 1), len(text) // 100)
    return [text[start : start + size] for start in range(0, len(text), size)]
