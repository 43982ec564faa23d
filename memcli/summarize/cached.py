"""The cached strategy: the conversation as real messages, the instruction last, and two marks for the prompt cache.

The prefix has to be the same bytes at every update. So each message is one text block of its own, rendered alone, and
who speaks is told by a mark of the transcript, not of the job.

One cache mark stands at the end of what the last update sent: that place was written then and is read now, however much
came since. The other stands at the end of what is new, and writes it. Marks are no part of what is compared.

Source of the rules: the service's page on prompt caching, as of November 2026.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from memcli.summarize.prompt import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.memory.jobs import Message, Source, Usage

LIFETIME_SECONDS = {"5m": 300.0, "1h": 3600.0}
WINDOW = 20
"""Blocks that the service looks back from a mark, the marked one included."""


def lasting_mark(path: str) -> str:
    """Six hexadecimal digits for a transcript, the same at each of its updates, and foreseen by nobody without this
    user's key: a child does not live as long as the cache, so it cannot keep them."""
    from memcli.sidecar.lineage import Keys  # here, as no other strategy needs it

    return Keys.make(None).digest("cached", path)[:6]


def as_messages(
    shown: Sequence[Message], start: int, ttl: str, speakers: str, instruction: str
) -> list[dict[str, Any]]:
    """Messages of the API, with roles that alternate: the conversation, then the instruction.

    `start` is the offset from which on messages are new since the last update, `speakers` the mark of who speaks.
    """
    messages: list[dict[str, Any]] = []
    blocks: list[tuple[int, dict[str, Any]]] = []
    if shown and shown[0].role == "assistant":
        _append(messages, "user", "(the conversation begins)")
    for one in shown:
        role = "assistant" if one.role == "assistant" else "user"
        blocks.append((one.offset, _append(messages, role, spoken(one, speakers))))
    mark = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    before = [block for offset, block in blocks if offset < start]
    for block in [*before[-1:], *(block for _, block in blocks[-1:])]:
        block["cache_control"] = mark
    _append(messages, "user", instruction)
    return messages


def _append(messages: list[dict[str, Any]], role: str, text: str) -> dict[str, Any]:
    """A block at the end of the messages, in one of its own if somebody else spoke last."""
    block: dict[str, Any] = {"type": "text", "text": text}
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"].append(block)
    else:
        messages.append({"role": role, "content": [block]})
    return block


class Hits:
    """What became of the cache, request by request, for each transcript."""

    def __init__(self, ttl: str) -> None:
        self._lifetime = LIFETIME_SECONDS[ttl]
        # When, and how many blocks; None after a request that was too short to be written.
        self._sent: dict[str, tuple[float, int] | None] = {}

    def outcome(self, source: Source, usage: Usage, blocks: int, began: float) -> str:
        """In a word: was the prefix read, and if not, why. `began` is when the request did, by a steady clock.

        hit, write (the first one), miss: ttl, miss: window, miss: prefix changed, below minimum; and miss: gone, where
        another child sent the prefix: this one cannot tell when, but children rest before the shortest lifetime ends
        """
        known = not source.start or source.path in self._sent
        last = self._sent.get(source.path)
        if usage.cache_read_tokens or usage.cache_write_5m_tokens or usage.cache_write_1h_tokens:
            self._sent[source.path] = (began, blocks)
        else:
            self._sent[source.path] = None
            return "below minimum"
        if usage.cache_read_tokens:
            return "hit"
        if last is None:
            return "write" if known else "miss: gone"
        if began - last[0] > self._lifetime:
            return "miss: ttl"
        return "miss: window" if blocks - last[1] >= WINDOW else "miss: prefix changed"


def now() -> float:
    """The clock that lifetimes are counted on: from the beginning of a request."""
    return time.monotonic()
