"""OpenAI chat messages, one message a line, with `tool_calls` and messages of the role `tool`."""

from __future__ import annotations

import json

from memcli.transcript.encode import anthropic
from memcli.transcript.encode.common import (
    NO_RESULT,
    Doubt,
    Frame,
    Out,
    Pieces,
    Plan,
    blocks,
    is_empty,
    read,
)
from memcli.transcript.encode.rounds import Item, arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memcli.transcript.encode.common import Record

NAME = "openai"
COPIES = True

_THINKING = ("reasoning", "reasoning_content", "reasoning_details", "thinking_blocks")
_PROLOGUE = ("system", "developer")
_TEXTS = ("text", "input_text", "output_text")


def context(first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:  # noqa: ARG001  # the interface of all encoders
    """The leading system and developer messages, which every output begins with, and how many bytes they are."""
    return anthropic.leading(first, _PROLOGUE) if known is None else known


def message(before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0) -> Pieces:  # noqa: ARG001
    """The memory as a user message behind the leading system and developer messages."""
    frame = Frame()
    for line in envelope.get("prologue", ()):
        frame.add(line.encode("utf-8", "surrogatepass") + b"\n")
    frame.add(b'{"role":"user","content":"')
    return frame.text(before, state, after, b'"}\n')


def tail(lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
    """The tail as it is, but for reasoning, empty messages and broken pairs."""
    for item in arrange(_items(lines, plan), plan, _no_result, lambda _item, _indexes: False):
        yield Out(item.offset, item.data(), item.record.get("role") in ("user", "assistant", "tool"))


def said(record: Record) -> tuple[str, str, list[Record]] | None:
    """Role, no message id, and Anthropic blocks; None for system messages."""
    role = record.get("role")
    if role == "tool":
        result = {"type": "tool_result", "tool_use_id": str(record.get("tool_call_id"))}
        return "user", "", [{**result, "content": [_block(block) for block in blocks(record.get("content"))]}]
    if role not in ("user", "assistant"):
        return None
    found = [_block(block) for block in blocks(record.get("content"))]
    for call in _calls(record):
        function = call.get("function") or {}
        use = {"type": "tool_use", "id": call["id"], "name": str(function.get("name") or "tool")}
        found.append({**use, "input": arguments(function.get("arguments"))})
    return str(role), "", found


def arguments(text: object) -> Record:
    """Arguments of a call as an object; what is no JSON object is kept as `{"input": text}`."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        value = text
    return value if isinstance(value, dict) else {"input": value}


def _block(block: Record) -> Record:
    """A content part as an Anthropic block: words and inline images are kept, all else is named."""
    if block.get("type") in _TEXTS:
        return {"type": "text", "text": str(block.get("text") or "")}
    link = block.get("image_url")
    url = link.get("url") if isinstance(link, dict) else link
    return image(url) if isinstance(url, str) else {"type": "text", "text": f"[{block.get('type')}]"}


def image(url: str) -> Record:
    """An image block of a `data:` URL with base64; any other link becomes words."""
    kind, comma, data = url.partition(";base64,")
    if not (comma and kind.startswith("data:image/")):
        return {"type": "text", "text": f"[image: {url[:200]}]"}
    return {"type": "image", "source": {"type": "base64", "media_type": kind[5:], "data": data}}


def _calls(record: Record) -> list[Record]:
    calls = record.get("tool_calls")
    found = calls if record.get("role") == "assistant" and isinstance(calls, list) else []
    return [call for call in found if isinstance(call, dict) and isinstance(call.get("id"), str)]


def _items(lines: Iterable[tuple[int, bytes]], plan: Plan) -> list[Item]:
    items: list[Item] = []
    for offset, record, raw in read(lines, plan):
        if offset < plan.envelope.get("leading", 0):
            continue
        if "messages" in record and offset >= plan.known:
            raise Doubt("a line with a whole conversation")
        item = _item(offset, record, raw)
        items += [item] if item else []
        items += [Item(offset, {"role": "user", "content": text}, None, "w") for text in plan.words.get(offset, ())]
    return items


def _item(offset: int, record: Record, raw: bytes | None) -> Item | None:
    role = record.get("role")
    if role == "tool" and isinstance(record.get("tool_call_id"), str):
        return Item(offset, record, raw, "r", results=[record["tool_call_id"]])
    if role not in ("user", "assistant"):
        return Item(offset, record, raw, "x")
    for name in _THINKING:
        if role == "assistant" and record.pop(name, None) is not None:
            raw = None
    found = blocks(record.get("content"))
    kept = [block for block in found if not is_empty(block, _TEXTS)]
    calls = [call["id"] for call in _calls(record)]
    if not kept and not calls and not record.get("function_call"):
        return None
    if len(kept) != len(found) and isinstance(record.get("content"), list):
        record["content"], raw = kept or None, None
    return Item(offset, record, raw, "a" if role == "assistant" else "u", calls=calls)


def _no_result(call: str, item: Item) -> Item:
    return Item(item.offset, {"role": "tool", "tool_call_id": call, "content": NO_RESULT}, None, "r")
