"""What one content block may be: its fields, and where it may stand."""

from __future__ import annotations

import re
from typing import Any

from tests.messages_api.refused import Refused

_FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    # type: (required, optional)
    "text": (frozenset({"text"}), frozenset({"citations"})),
    "image": (frozenset({"source"}), frozenset()),
    "document": (frozenset({"source"}), frozenset({"title", "context", "citations"})),
    "search_result": (frozenset({"source", "title", "content"}), frozenset({"citations"})),
    "tool_use": (frozenset({"id", "name", "input"}), frozenset({"caller", "toolset_name"})),
    "tool_result": (frozenset({"tool_use_id"}), frozenset({"content", "is_error", "toolset_name"})),
    "thinking": (frozenset({"thinking", "signature"}), frozenset()),
    "redacted_thinking": (frozenset({"data"}), frozenset()),
}
_USER_ONLY = frozenset({"image", "document", "search_result", "tool_result"})
_ASSISTANT_ONLY = frozenset({"tool_use", "thinking", "redacted_thinking"})
_INSIDE_RESULT = frozenset({"text", "image", "document", "search_result"})
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_IMAGE_BYTES = 10_000_000


def check_block(block: Any, at: str, role: str) -> None:
    """Raises Refused for a block that cannot stand in a message of this role. `at` is its place, for the sentence."""
    if not isinstance(block, dict):
        raise Refused(f"{at}: Input should be a valid dictionary")
    kind = block.get("type")
    if kind not in _FIELDS:
        if isinstance(kind, str) and (kind == "server_tool_use" or kind.endswith("_tool_result")):
            return  # tools that the service runs itself: their fields are many, and not ours to send
        expected = ", ".join(f"'{name}'" for name in _FIELDS)
        raise Refused(
            f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        )
    _check_fields(block, f"{at}.{kind}")
    if role == "assistant" and kind in _USER_ONLY:
        raise Refused(f"{at}: `{kind}` blocks are not permitted in assistant messages")
    if role != "assistant" and kind in _ASSISTANT_ONLY:
        raise Refused(f"{at}: `{kind}` blocks can only be in `assistant` messages")
    match kind:
        case "text":
            _check_text(block, at, role)
        case "image":
            _check_image(block["source"], f"{at}.image.source")
        case "tool_use":
            _check_call(block, f"{at}.tool_use")
        case "tool_result":
            _check_result(block, f"{at}.tool_result")


def _check_fields(block: dict[str, Any], at: str) -> None:
    required, optional = _FIELDS[block["type"]]
    for name in sorted(required):
        if name not in block:
            raise Refused(f"{at}.{name}: Field required")
    for name in block:
        if name == "cache_control" and block["type"] in {"thinking", "redacted_thinking"}:
            raise Refused(f"{at}.cache_control: Extra inputs are not permitted")
        if name not in required | optional | {"type", "cache_control"}:
            raise Refused(f"{at}.{name}: Extra inputs are not permitted")


def _check_text(block: dict[str, Any], at: str, role: str) -> None:
    if not isinstance(block["text"], str):
        raise Refused(f"{at}.text.text: Input should be a valid string")
    if not block["text"]:
        if block.get("cache_control"):
            raise Refused(f"{at}.text: cache_control cannot be set for empty text blocks")
        raise Refused("messages: text content blocks must be non-empty")
    if role == "user" and block.get("citations"):
        raise Refused(f"{at}.text.citations: citations are not permitted in user messages")


def _check_image(source: Any, at: str) -> None:
    if not isinstance(source, dict) or source.get("type") not in {"base64", "url", "file"}:
        raise Refused(f"{at}: Input should be a base64, url or file source")
    if source["type"] == "base64":
        if source.get("media_type") not in _IMAGES:
            raise Refused(
                f"{at}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
            )
        if len(source.get("data", "")) > _IMAGE_BYTES:
            raise Refused(f"{at}.base64: image exceeds 10 MB maximum")


def _check_call(block: dict[str, Any], at: str) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", str(block["id"])):
        raise Refused(f"{at}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(block["name"])):
        raise Refused(f"{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if not isinstance(block["input"], dict):
        raise Refused(f"{at}.input: Input should be a valid dictionary")


def _check_result(block: dict[str, Any], at: str) -> None:
    content = block.get("content", "")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refused(f"{at}.content: Input should be a valid string or list")
    for place, inner in enumerate(content):
        if not isinstance(inner, dict) or inner.get("type") not in _INSIDE_RESULT:
            raise Refused(f"{at}.content.{place}: Input should be a text, image, document or search_result block")
        check_block(inner, f"{at}.content.{place}", "user")
