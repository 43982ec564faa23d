"""Records as clients write nearly all of them, decoded at once into what is needed of them.

A format's reader tries its plain record first: typed, so that nothing is built that nobody asks for, and nothing is
asked twice. A record of any other shape is no error: it is read once more by the decoder that believes nothing. Both
give the same entries wherever both can read a record (tests/transcript/test_plain.py).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from memcli.transcript.entries import AnyPart, AssistantText, Thinking, ToolResult, ToolUse
from memcli.transcript.given import text_in

UNUSUAL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a record that is not plain."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Block(msgspec.Struct, gc=False):
    """A content block of the Messages API."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    thinking_signature: str = msgspec.field(default="", name="thinkingSignature")
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw()
    arguments: msgspec.Raw = msgspec.Raw()
    tool_use_id: str = ""
    content: msgspec.Raw = msgspec.Raw()
    is_error: bool | None = None


class Consumed(msgspec.Struct, gc=False):
    """What the Messages API counted."""

    input_tokens: Count = 0
    cache_creation_input_tokens: Count = 0
    cache_read_input_tokens: Count = 0

    @property
    def context(self) -> int:
        """Tokens that the model was given."""
        return self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens


def gave(block: Block, detail: dict[str, Any]) -> ToolResult:
    """A plain tool_result, its text not decoded unless something in the record hangs on it."""
    return result(block.tool_use_id, block.content, bool(block.is_error), detail)


def result(call: str, given: msgspec.Raw, failed: bool, detail: dict[str, Any]) -> ToolResult:
    """The same of its fields."""
    content = bytes(given)
    if failed or not (content.startswith(b'"') or _is_texts(content)):
        return ToolResult(call, text_in(content), failed, False, detail)
    return ToolResult(call, "", False, False, detail, content)


def _is_texts(content: bytes) -> bool:
    """True for a list without pictures, which have their bytes in "source" or "data": no text, and not counted."""
    return content.startswith(b"[") and b'"source"' not in content and b'"data"' not in content


def said(content: str | list[Block]) -> list[AnyPart] | None:
    """Parts of a plain assistant message; None if it holds something else than texts, thoughts and calls."""
    if isinstance(content, str):
        return None
    parts: list[AnyPart] = []
    for block in content:
        kind = block.type
        if kind in ("tool_use", "toolCall"):
            given = bytes(block.input or block.arguments)
            if not given.startswith(b"{"):
                return None
            parts.append(ToolUse(block.id, block.name, "", given))
        elif kind == "text":
            if (text := block.text) and not text.isspace():
                parts.append(AssistantText(text))
        elif kind == "thinking":
            size = len(block.thinking or block.text or block.signature or block.thinking_signature)
            if not size:
                return None
            parts.append(Thinking(size))
        else:
            return None
    return parts
