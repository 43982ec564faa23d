"""An answer of the Messages API, put together from what comes over the wire. No network here: bytes in, Answer out.

The SDK can do this, too, but not for servers that are only nearly right: they leave out `usage`, `message_stop` or the
stop reason, answer JSON although a stream was asked for, or end with `[DONE]`. And it hides the pings, at each of
which we want to look at the clock.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from memcli.memory.jobs import Usage
from memcli.transcript.meter import PRIOR_RATIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Garbled(ValueError):
    """What came is no answer of the Messages API."""


class Answer:
    """What has come so far.

    `began`: the service took the request, so tokens are billed from here on. `ended`: it said that this is all.
    `error` is that of an error event.
    """

    def __init__(self) -> None:
        self.began = False
        self.ended = False
        self.model = ""
        self.stop = ""
        self.error: dict[str, Any] | None = None
        self._usage: dict[str, Any] = {}
        self._texts: dict[int, str] = {}

    @property
    def text(self) -> str:
        """All text blocks, in order; thinking and everything else is left out."""
        joined = "".join(text for _, text in sorted(self._texts.items()))
        # A character beyond U+FFFF may come as two halves in two events.
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def usage(self, ttl: str) -> Usage:
        """What was billed, as reported. `ttl` is that of the request's cache marks, for a service that does not tell
        writes of different ttl apart."""
        return _usage(self._usage, ttl)

    def take(self, event: dict[str, Any]) -> None:
        """One event of a stream. Unknown ones are ignored."""
        match event.get("type"):
            case "message_start":
                self.began = True
                self._head(_object(event.get("message")))
            case "content_block_start":
                self._block(event.get("index"), _object(event.get("content_block")))
            case "content_block_delta":
                self._block(event.get("index"), _object(event.get("delta")))
            case "message_delta":
                self._stopped(_object(event.get("delta")))
                self._count(_object(event.get("usage")))
            case "message_stop":
                self.ended = True
            case "error":
                self.error = _object(event.get("error"))
            case _:
                pass

    def whole(self, message: dict[str, Any]) -> None:
        """The answer as one JSON object, of a server that does not stream."""
        if message.get("type") == "error" or not isinstance(message.get("content"), list):
            self.error = _object(message.get("error"))
            return
        self.began = self.ended = True
        self._head(message)
        self._stopped(message)
        for index, block in enumerate(message["content"]):
            self._block(index, _object(block))

    def _head(self, message: dict[str, Any]) -> None:
        self.model = str(message.get("model") or "")
        self._count(_object(message.get("usage")))

    def _block(self, index: object, part: dict[str, Any]) -> None:
        if part.get("type") in ("text", "text_delta") and isinstance(part.get("text"), str):
            place = index if isinstance(index, int) else 0
            self._texts[place] = self._texts.get(place, "") + part["text"]

    def _stopped(self, delta: dict[str, Any]) -> None:
        self.stop = str(delta.get("stop_reason") or self.stop)

    def _count(self, usage: dict[str, Any]) -> None:
        # Counts are totals so far: later ones replace earlier ones; what is left out has not changed.
        self._usage |= {name: value for name, value in usage.items() if value is not None}


def text_of(event: dict[str, Any]) -> str:
    """The text that an event brings; "" for most. The last half of a character may come with the next one."""
    part = _object(event.get("content_block" if event.get("type") == "content_block_start" else "delta"))
    text = part.get("text") if part.get("type") in ("text", "text_delta") else ""
    return text if isinstance(text, str) else ""


def events(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The events of a server-sent stream, however it is cut. Raises Garbled for one that is no JSON object."""
    data: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
        elif not line and data:
            yield from _event(b"\n".join(data))
            data = []


def document(chunks: Iterable[bytes]) -> dict[str, Any]:
    """The one JSON object that `chunks` are. Raises Garbled if they are none."""
    return _decoded(b"".join(chunks))


def estimated(characters: int, text: str) -> Usage:
    """Usage where the service tells none: by the characters sent and received."""
    return Usage(input_tokens=tokens(characters), output_tokens=tokens(len(text)), estimated=True)


def tokens(characters: int) -> int:
    """Tokens of so many characters, by what newer tokenizers take on average (`transcript.meter`)."""
    return round(characters / PRIOR_RATIO)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        *whole, last = rest.split(b"\n")
        rest = last
        for line in whole:
            yield bytes(line.rstrip(b"\r"))
    yield bytes(rest)
    yield b""  # some servers leave out the last empty line


def _event(data: bytes) -> Iterator[dict[str, Any]]:
    if data != b"[DONE]":
        yield _decoded(data)


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"what came is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Garbled("what came is no JSON object")
    return value


def _usage(raw: Mapping[str, Any], ttl: str) -> Usage:
    written = _count(raw.get("cache_creation_input_tokens"))
    parts = _object(raw.get("cache_creation"))
    short, long = _count(parts.get("ephemeral_5m_input_tokens")), _count(parts.get("ephemeral_1h_input_tokens"))
    if short + long < written:
        short, long = (0, written) if ttl == "1h" else (written, 0)
    return Usage(
        input_tokens=_count(raw.get("input_tokens")),
        cache_read_tokens=_count(raw.get("cache_read_input_tokens")),
        cache_write_5m_tokens=short,
        cache_write_1h_tokens=long,
        output_tokens=_count(raw.get("output_tokens")),
        thinking_tokens=_count(_object(raw.get("output_tokens_details")).get("thinking_tokens")),
        service_tier=str(raw.get("service_tier") or ""),
        cost=dollars(raw.get("cost")),
    )


def dollars(value: object) -> float | None:
    """A price that a service tells, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return float(value)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
