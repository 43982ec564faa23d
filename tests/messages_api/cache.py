"""The prompt cache, by the rules of the prompt caching page.

1. A hit needs the same blocks, from the first one on, up to a mark that an earlier request wrote.
2. Only marks write. From each mark the cache looks back over 20 blocks, the marked one included, for what is written.
3. An entry lives five minutes or an hour from the start of the request that wrote it or last read it.
4. It can be read once the response that wrote it has begun.
5. A prefix below the model's minimum is neither written nor read.
6. Billed: read up to the hit, one-hour writes up to the last one-hour mark, five-minute writes up to the last mark, and
   plain input from there on.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.messages_api.piece import Piece

LOOKBACK = 20
SECONDS = {"5m": 300.0, "1h": 3600.0}


class _Entry(NamedTuple):
    ttl: str
    expires: float


class Visit(NamedTuple):
    """What one request found: tokens by kind, and in `note` why: "hit", "write", "miss: ttl", "miss: window",
    "below minimum", or "unmarked". `writes` become readable with `PromptCache.begin`."""

    read: int
    write_5m: int
    write_1h: int
    rest: int
    note: str
    started: float
    writes: tuple[tuple[str, str], ...]

    @property
    def total(self) -> int:
        """Tokens of the whole prompt."""
        return self.read + self.write_5m + self.write_1h + self.rest


class PromptCache:
    """What is written, by digest of the prefix. Safe to use from several threads."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def visit(self, prompt: Sequence[Piece], minimum: int, now: float) -> Visit:
        """Read, and count what is to be written. Every entry that was found lives on from `now`."""
        marks = [number for number, piece in enumerate(prompt) if piece.ttl]
        usable = [number for number in marks if prompt[number].end >= minimum]
        with self._lock:
            hits = [hit for mark in usable if (hit := self._look_back(prompt, mark, minimum, now)) is not None]
            for hit in hits:
                entry = self._entries[prompt[hit].digest]
                self._entries[prompt[hit].digest] = entry._replace(expires=now + SECONDS[entry.ttl])
            note = "hit" if hits else self._why(prompt, marks, usable, now)
        read = max((prompt[hit].end for hit in hits), default=0)
        one_hour = max([prompt[mark].end for mark in usable if prompt[mark].ttl == "1h"], default=0)
        last = max([prompt[mark].end for mark in usable], default=0)
        total = prompt[-1].end if prompt else 0
        write_1h = max(0, one_hour - read)
        write_5m = max(0, last - max(read, one_hour))
        writes = tuple((prompt[mark].digest, prompt[mark].ttl) for mark in usable if prompt[mark].end > read)
        return Visit(read, write_5m, write_1h, total - read - write_1h - write_5m, note, now, writes)

    def begin(self, visit: Visit) -> None:
        """The response begins: what it wrote can be read, and has been ageing since the request's start."""
        with self._lock:
            for digest, ttl in visit.writes:
                self._entries[digest] = _Entry(ttl, visit.started + SECONDS[ttl])

    def _look_back(self, prompt: Sequence[Piece], mark: int, minimum: int, now: float) -> int | None:
        for number in range(mark, max(-1, mark - LOOKBACK), -1):
            entry = self._entries.get(prompt[number].digest)
            if entry is not None and entry.expires > now and prompt[number].end >= minimum:
                return number
        return None

    def _why(self, prompt: Sequence[Piece], marks: list[int], usable: list[int], now: float) -> str:
        if not usable:
            return "below minimum" if marks else "unmarked"
        known = [number for number, piece in enumerate(prompt) if piece.digest in self._entries]
        near = {number for mark in usable for number in range(max(0, mark - LOOKBACK + 1), mark + 1)}
        if any(number in near for number in known):
            return "miss: ttl"
        if any(self._entries[prompt[number].digest].expires > now for number in known):
            return "miss: window"
        return "miss: ttl" if known else "write"
