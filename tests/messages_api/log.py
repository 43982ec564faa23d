"""Every exchange, as it was: what came, what was answered, what the cache did."""

from __future__ import annotations

import json
import threading
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 1_000  # exchanges in memory, packed; a file keeps all
LONGEST = 100_000  # characters of an answer's text


class Exchange(NamedTuple):
    """`at` is by the server's clock, in seconds; header names are lower case; `body` is what was sent, the raw text if
    it was no JSON; `answer` is the message or the error, None where nothing was answered; `cache` is the note of
    `cache.Visit`; `fault` the scripted one. An exchange is here before the answer is sent."""

    number: int
    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    answer: Any
    cache: str = ""
    fault: str = ""

    @property
    def retries(self) -> int:
        """How many attempts the official client had made before."""
        return int(self.headers.get("x-stainless-retry-count", 0))


class Log:
    """The last exchanges in order of arrival; also written to a file, one JSON object a line, if there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self.count = 0

    def add(self, exchange: Exchange) -> None:
        line = json.dumps(exchange._replace(answer=_clipped(exchange.answer))._asdict(), ensure_ascii=True).encode()
        with self._lock:
            self.count += 1
            self._kept.append(zlib.compress(line, 1))
            if self._path is not None:
                with self._path.open("ab") as out:
                    out.write(line + b"\n")

    def lines(self) -> list[bytes]:
        """As JSON lines, oldest first."""
        with self._lock:
            return [zlib.decompress(line) for line in self._kept]

    def all(self) -> list[Exchange]:
        return [Exchange(**json.loads(line)) for line in self.lines()]

    def asked(self) -> list[Exchange]:
        """Those that asked a model for an answer."""
        return [exchange for exchange in self.all() if exchange.path.partition("?")[0].endswith("/v1/messages")]

    def last(self) -> Exchange:
        return self.asked()[-1]


def _clipped(answer: Any) -> Any:
    if isinstance(answer, str):
        return answer[:LONGEST]
    if isinstance(answer, dict):
        return {key: _clipped(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_clipped(value) for value in answer]
    return answer
