"""The cached strategy: the conversation as real messages, the instruction last, and two marks for the prompt cache.

The prefix has to be the same bytes at every update, so each entry is one text block of its own, rendered alone. One
mark stands at the end of what the last update sent (that place was written then, and is read now), one at the end of
what is new (written now). Between the two lie at most so many blocks that the service, which looks back 20 blocks from
a mark, never has to look further than from its own mark.

Source of the rules: the service's page on prompt caching; `facts` on minimum, lifetime and lookback in ARCHITECTURE.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.memory.jobs import Message, Source, Usage

LIFETIME_SECONDS = {"5m": 300.0, "1h": 3600.0}
WINDOW = 20
"""Blocks that the service looks back from a mark, the marked one included."""


def as_messages(shown: Sequence[Message], start: int, ttl: str, instruction: str) -> list[dict[str, Any]]:
    """Messages of the API: the conversation with roles that alternate, then the instruction.

    `start` is the offset from which on messages are new since the last update.
    """
    messages: list[dict[str, Any]] = []
    blocks: list[tuple[int, dict[str, Any]]] = []
    for one in shown:
        role = "assistant" if one.role == "assistant" else "user"
        block: dict[str, Any] = {"type": "text", "text": f"[{one.role}] {one.text}"}
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"].append(block)
        else:
            messages.append({"role": role, "content": [block]})
        blocks.append((one.offset, block))
    mark = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    before = [block for offset, block in blocks if offset < start]
    for block in [*before[-1:], *(block for _, block in blocks[-1:])]:
        block["cache_control"] = mark
    if messages and messages[0]["role"] != "user":
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": "(the conversation begins)"}]})
    return [*messages, {"role": "user", "content": instruction}]


class Hits:
    """What became of the cache, request by request, for each transcript."""

    def __init__(self, ttl: str) -> None:
        self._lifetime = LIFETIME_SECONDS[ttl]
        self._sent: dict[str, tuple[float, int]] = {}

    def outcome(self, source: Source, usage: Usage, blocks: int, began: float) -> str:
        """In a word: was the prefix read, and if not, why. `began` is when the request did, by a steady clock.

        hit, write (the first one), miss: ttl, miss: window, miss: prefix changed, below minimum
        """
        last = self._sent.get(source.path)
        self._sent[source.path] = (began, blocks)
        written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        if usage.cache_read_tokens:
            return "hit"
        if not written:
            return "below minimum"
        if last is None:
            return "write"
        if began - last[0] > self._lifetime:
            return "miss: ttl"
        return "miss: window" if blocks - last[1] >= WINDOW else "miss: prefix changed"


def now() -> float:
    """The clock that lifetimes are counted on: from the beginning of a request."""
    return time.monotonic()
