"""Chunks: a long conversation in pieces that fit a prompt.

Prompts stay below 100,000 tokens: beyond that the default model costs five times as much, and every model reads worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.memory.jobs import Message

BYTES_PER_TOKEN = 3
"""Of UTF-8. Fewer than a prompt has on average, in any script, so that what seems to fit does."""

PROMPT_TOKENS = 90_000
CHUNK_TOKENS = 70_000
"""What is left of a prompt for the conversation, beside instructions and the memory."""

MOST = 6
"""Chunks of one job. What is older than the last of these is in the ledger alone."""


class Chunks(NamedTuple):
    """Messages in pieces, in order, and how many older ones were left out."""

    pieces: tuple[tuple[Message, ...], ...]
    omitted: int


def tokens_at_most(text: str) -> int:
    """Tokens of a text, estimated rather too high than too low."""
    return _size(text) // BYTES_PER_TOKEN


def chunks(messages: Sequence[Message], most: int = MOST, tokens: int = CHUNK_TOKENS) -> Chunks:
    """Cut between messages, evenly; the newest messages are in the last piece."""
    room = tokens * BYTES_PER_TOKEN
    pieces: list[list[Message]] = [[]]
    left = room
    for message in reversed(messages):
        size = _size(message.text) + 24
        if size > left and pieces[-1]:
            pieces.append([])
            left = room
        pieces[-1].append(message)
        left -= size
    kept = pieces[:most]
    ordered = tuple(tuple(reversed(piece)) for piece in reversed(kept) if piece)
    return Chunks(ordered, len(messages) - sum(map(len, ordered)))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
