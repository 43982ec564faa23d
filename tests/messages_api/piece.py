"""A prompt as the cache and the meter see it: blocks in the order tools, system, messages."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tests.messages_api.tokens import MESSAGE, block_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.messages_api.model import Model

Level = Literal["tools", "system", "messages"]


class Piece(NamedTuple):
    """One block. `digest` stands for it and everything before it, marks left out; `end` is the number of tokens up to
    and including it; `ttl` is that of its own cache mark, "" for none."""

    level: Level
    digest: str
    end: int
    ttl: str


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """A content, which may be a plain string, as blocks. An empty string is no block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or [])


def unmarked(value: Any) -> Any:
    """The same without cache marks, which are no part of what is said."""
    if isinstance(value, dict):
        return {key: unmarked(inner) for key, inner in value.items() if key != "cache_control"}
    if isinstance(value, list):
        return [unmarked(inner) for inner in value]
    return value


def pieces(body: dict[str, Any], model: Model, workspace: str = "") -> list[Piece]:
    """All blocks of a valid request.

    What else parts one cache from another: model and workspace; for system and messages the speed and the format of the
    answer; for messages tool_choice, thinking, effort, and whether there is any image.
    """
    answer = body.get("output_config") or {}
    system = [body.get("speed"), answer.get("format")]
    images = '"image"' in json.dumps([message["content"] for message in body["messages"]])
    messages = [body.get("tool_choice"), body.get("thinking"), answer.get("effort"), images]
    extra = {"tools": [], "system": system, "messages": [*system, *messages]}
    digest, total, found = f"{model.name} {workspace}", 0, []
    for level, role, block, overhead in _walk(body):
        digest = digest_of([digest, level, extra[level], role, unmarked(block)])
        total += overhead + block_tokens(unmarked(block), model.weight)
        found.append(Piece(level, digest, total, _ttl(block)))
    return _automatic(body, found)


def digest_of(value: Any) -> str:
    """A short name for a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _walk(body: dict[str, Any]) -> Iterator[tuple[Level, str, dict[str, Any], int]]:
    for tool in body.get("tools") or []:
        yield "tools", "", tool, 0
    for block in blocks_of(body.get("system")):
        yield "system", "", block, 0
    for message in body["messages"]:
        for number, block in enumerate(blocks_of(message["content"])):
            yield "messages", message["role"], block, MESSAGE if number == 0 else 0


def _ttl(block: dict[str, Any]) -> str:
    """The mark on a block, or on one inside it."""
    inner = block.get("content")
    for marked in [block, *(inner if isinstance(inner, list) else [])]:
        if isinstance(marked, dict) and marked.get("cache_control"):
            return str(marked["cache_control"].get("ttl") or "5m")
    return ""


def _automatic(body: dict[str, Any], found: list[Piece]) -> list[Piece]:
    """A mark for the whole request stands at the last block that can carry one."""
    mark = body.get("cache_control")
    if mark and found:
        last = max(number for number, (_, _, block, _) in enumerate(_walk(body)) if block.get("type") != "thinking")
        found[last] = found[last]._replace(ttl=found[last].ttl or mark.get("ttl") or "5m")
    return found
