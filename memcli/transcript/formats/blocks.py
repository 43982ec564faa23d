"""Content blocks of the Messages API and their relatives, read without trusting their shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    MachineText,
    Thinking,
    ToolResult,
    ToolUse,
)
from memcli.transcript.given import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

REJECTION_HEAD = "The user doesn't want to proceed with this tool use"

_LEAVES_DEPTH = 12
_LARGEST = 2**63  # counts are never so large, JSON has such numbers


def string(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> int:
    """The value if it is a whole number that can be a count, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST else 0


def blocks(content: Any) -> list[dict[str, Any]]:
    """Blocks of a content field; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def text_of(content: Any) -> str:
    """Text of a content field: the string, or the texts of its blocks, one a line."""
    if isinstance(content, str):
        return content
    texts = (block.get("text") for block in blocks(content))
    return "\n".join(text for text in texts if isinstance(text, str))


def assistant_parts(content: Any) -> list[AnyPart]:
    """Parts of an assistant message, in the order of its blocks; tools that the service ran itself give both sides."""
    parts: list[AnyPart] = []
    for block in blocks(content):
        kind = string(block.get("type"))
        if kind in ("text", "output_text"):
            if (text := string(block.get("text"))).strip():
                parts.append(AssistantText(text))
        elif kind in ("thinking", "redacted_thinking", "reasoning"):
            parts.append(Thinking(_thinking_size(block)))
        elif kind in ("tool_use", "server_tool_use", "mcp_tool_use", "toolCall"):
            given = block.get("input", block.get("arguments"))
            parts.append(ToolUse(string(block.get("id")), string(block.get("name")), arguments(given)))
        elif kind.endswith("_tool_result"):
            parts.append(result_part(block))
    return parts


def result_part(block: dict[str, Any], agrees: bool = True, detail: dict[str, Any] | None = None) -> ToolResult:
    """A tool_result block. `agrees`: nothing else in the record contradicts that the person refused the call.

    A refusal needs three witnesses, because a tool can print the harness's sentence: the error flag, the text's
    beginning, and the record around it.
    """
    text = text_of(block.get("content"))
    is_error = bool(block.get("is_error"))
    rejected = is_error and agrees and text.startswith(REJECTION_HEAD)
    return ToolResult(string(block.get("tool_use_id")), text, is_error, rejected, detail or {})


def attached(kind: str) -> AnyPart:
    """Stands for an image or document: it is in the context, its bytes are not text."""
    return MachineText(f"[{kind}]")


def leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """All strings inside a value, in order; payloads that are no text (signatures, base64) are left out."""
    if isinstance(value, str):
        yield value
    elif depth < _LEAVES_DEPTH and isinstance(value, dict):
        for key, item in value.items():
            if key not in ("signature", "encrypted_content", "data"):
                yield from leaves(item, depth + 1)
    elif depth < _LEAVES_DEPTH and isinstance(value, list):
        for item in value:
            yield from leaves(item, depth + 1)


def _thinking_size(block: dict[str, Any]) -> int:
    # newer models give an empty text and only a signature, whose length grows with the thinking
    for key in ("thinking", "text", "data", "signature", "encrypted_content", "thinkingSignature"):
        if value := string(block.get(key)):
            return len(value)
    return 0
