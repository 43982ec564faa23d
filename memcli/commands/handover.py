"""A compacted conversation as one Markdown document, to be pasted into any agent: the memory, then the last messages.

The mark of the memory is left out: it tells how many of the messages behind it are covered, and here none are behind.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from memcli.memory.message import CLOSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULT_CHARS = 2_000
"""Of a tool's output so many characters are told, half of them from its end; of what is said, all."""

_MARK = re.compile(r"\A<!-- memcli generation=[^\n]*-->\n")
_FENCE = re.compile(r"`{3,}")
_NAMES = {"user": "User", "assistant": "Agent"}


def handover(messages: Sequence[dict[str, Any]]) -> bytes:
    """The document for the messages of a compacted conversation, the memory first (`encode.to_messages`)."""
    parts = ["# A coding session, handed over\n"]
    speaker = ""
    for number, (role, block) in enumerate(_blocks(messages)):
        if number == 0:
            parts.append(_memory(block))
            continue
        who = "Tool" if block["type"] == "tool_result" else _NAMES[role]
        if who != speaker:
            parts.append(f"### {who}\n")
        speaker = who
        parts.append(_told(block))
    return "\n".join(parts).encode("utf-8", "replace")


def _blocks(messages: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in messages:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield message["role"], block


def _memory(block: dict[str, Any]) -> str:
    text = _MARK.sub("", str(block.get("text") or "")).replace(CLOSING, "").rstrip()
    return f"{text}\n\n## Last messages\n\n{CLOSING}\n"


def _told(block: dict[str, Any]) -> str:
    if block["type"] == "text":
        return f"{block['text'].strip()}\n"
    if block["type"] == "tool_use":
        return f"Called {block.get('name')}:\n\n{_fenced(_call(block.get('input')))}"
    if block["type"] == "tool_result":
        said = "Failed:\n\n" if block.get("is_error") else ""
        return f"{said}{_fenced(_cut(_output(block.get('content'))))}"
    return f"({block['type']} left out)\n"


def _call(given: Any) -> str:
    """The one text that most calls hold, else all they were given as JSON."""
    values = list(given.values()) if isinstance(given, dict) else [given]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else json.dumps(given, ensure_ascii=False)


def _output(content: Any) -> str:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    return "\n".join(str(part["text"]) if part["type"] == "text" else f"({part['type']} left out)" for part in parts)


def _cut(text: str) -> str:
    if len(text) <= RESULT_CHARS:
        return text
    half = RESULT_CHARS // 2
    return f"{text[:half]}\n({len(text) - 2 * half:,} characters left out)\n{text[-half:]}"


def _fenced(text: str) -> str:
    """A code block that nothing inside can end."""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(text))])
    return f"{fence}\n{text.rstrip()}\n{fence}\n"
