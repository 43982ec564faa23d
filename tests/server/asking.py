"""Requests in few words, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.messages_api.house import ANTHROPIC
from tests.messages_api.refused import Refused
from tests.messages_api.validate import validate

if TYPE_CHECKING:
    from tests.messages_api.house import House

HAIKU = "claude-haiku-5-5"
TOOLS = [{"name": "look", "input_schema": {"type": "object"}}]
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    """A request; a message is a text of the user's, or (role, content). A field of None is left out."""
    turns = [
        {"role": "user", "content": one} if isinstance(one, str) else dict(zip(("role", "content"), one, strict=True))
        for one in messages
    ]
    whole = {"model": HAIKU, "max_tokens": 1000, "messages": turns or [{"role": "user", "content": "hello"}]} | fields
    return {name: value for name, value in whole.items() if value is not None}


def text(words: str, mark: dict[str, str] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"cache_control": mark} if mark else {})


def call(*names: str) -> tuple[str, list[dict[str, Any]]]:
    return "assistant", [{"type": "tool_use", "id": name, "name": "look", "input": {}} for name in names]


def result(*names: str, first: Any = None) -> tuple[str, list[dict[str, Any]]]:
    """`first`: a block that stands before the results."""
    blocks = [{"type": "tool_result", "tool_use_id": name, "content": "seen"} for name in names]
    return "user", [*([first] if first else []), *blocks]


def refusal(request: Any, house: House = ANTHROPIC) -> str:
    """The sentence it is refused with, "" if it is valid."""
    try:
        validate(request, house)
    except Refused as error:
        return error.message
    return ""
