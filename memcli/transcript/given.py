"""What tools are given and give, as transcripts hold it: objects, strings with an object in them, JSON not yet read."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from memcli.transcript.patterns import pattern

Given: TypeAlias = dict[str, Any] | str
"""Decoded, or the JSON text of an object, or what a client gave in the place of one."""

_DEPTH = 64  # levels of a call's input
_LARGEST = 2**63  # larger whole numbers cannot be stored; JSON has them, counts are never so large
_LONE_SURROGATE = pattern("[\ud800-\udfff]")


def arguments(value: Any) -> dict[str, Any]:
    """Input of a call, decoded; what is no object is kept as `{"input": text}` if it is text, else it is empty."""
    given = value
    if isinstance(value, str):
        try:
            given = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            given = None
        if not isinstance(given, dict):
            return {"input": value}
    return {key: _storable(item) for key, item in given.items()} if isinstance(given, dict) else {}


def text_in(json: bytes) -> str:
    """The text of a content that was skipped over when its line was decoded: a JSON string, or a list of blocks."""
    content = value_in(json)
    if isinstance(content, str):
        return content
    texts = [block.get("text") for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return "\n".join(text for text in texts if isinstance(text, str))


def value_in(json: bytes) -> Any:
    """The value that was skipped over in the same way; None for no JSON at all. Its strings may hold wrong bytes."""
    try:
        return msgspec.json.decode(json) if json else None
    except UnicodeDecodeError:
        return msgspec.json.decode(clean(json.decode("utf-8", "surrogateescape")))
    except (msgspec.DecodeError, RecursionError):  # a number out of range, or less of the stack left than there was
        return None


def clean(text: str) -> bytes:
    """UTF-8 of a text that may hold lone surrogates, which become the replacement character."""
    return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8")


def _storable(value: Any, depth: int = 0) -> Any:
    """The value without what cannot be stored: large numbers and deep structures become text."""
    if isinstance(value, dict | list) and depth > _DEPTH:
        try:
            return msgspec.json.encode(value).decode()
        except RecursionError:  # it was decoded with a few levels of stack more
            return ""
    if isinstance(value, dict):
        return {key: _storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    return str(value) if isinstance(value, int) and not -_LARGEST <= value < _LARGEST else value
