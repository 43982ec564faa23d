"""What the Messages API asks of a request, as a test asks it."""

from __future__ import annotations

import json


def broken_rule(lines: list[bytes]) -> str:
    """The first rule that the messages break; "" for a valid request."""
    before: list[str] = []
    seen: set[str] = set()
    role = "assistant"
    for message in map(json.loads, lines):
        kinds = [block["type"] for block in message["content"]]
        results = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        if message["role"] == role or not kinds:
            return "roles alternate, the first is the user's, nothing is empty"
        if results != before or kinds[: len(results)] != ["tool_result"] * len(results):
            return f"results of {before} come first: {results}"
        if seen & set(calls) or len(set(calls)) < len(calls):
            return f"ids are unique: {calls}"
        if "thinking" in kinds or any(b["type"] == "text" and not b["text"].strip() for b in message["content"]):
            return "no thinking, no empty text"
        role, before, seen = message["role"], calls, seen | set(calls)
    return f"no result for {before}" if before else ""
