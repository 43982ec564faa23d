"""From one physical line to typed records, whatever dirt is on it.

A clean line costs one typed decode. A line that fails is repaired (byte order mark, NUL padding, invalid UTF-8, lone
surrogates, control characters, several objects without a newline between) into clean JSON and then goes through the
same typed decoder: there is one path from JSON to a record, not two. What cannot be repaired is counted, never raised.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from memcli.transcript.given import clean
from memcli.transcript.lines import Line, blank_end

if TYPE_CHECKING:
    from collections.abc import Iterator

R = TypeVar("R")

_BLANK = b" \t\r\n\x00"


class Found(msgspec.Struct, Generic[R], frozen=True, gc=False):
    """A record and the bytes of the file it stands for (half-open)."""

    offset: int
    end: int
    record: R


def decode_line(line: Line, decoder: msgspec.json.Decoder[R], problems: dict[str, int]) -> list[Found[R]]:
    """Records on the line, in order; usually one. Spans tile the line: the last takes what is left of it."""
    try:
        return [Found(line.offset, line.end, decoder.decode(line.data))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _repair(line, decoder, problems)


def count(problems: dict[str, int], name: str) -> None:
    """Notes one more occurrence of a problem."""
    problems[name] = problems.get(name, 0) + 1


def objects(data: bytes) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """JSON objects in dirty bytes, each with the number of bytes up to its end; (length, None) for what is unreadable.

    Values other than objects are unreadable too: no transcript format has them.
    """
    # surrogateescape keeps one character a wrong byte, so that positions can be turned back into byte offsets
    text = data.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
    position = blank_end(text, 0)
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            value, position = None, len(text)
        consumed = len(text[:position].encode("utf-8", "surrogateescape"))
        yield consumed, value if isinstance(value, dict) else None
        position = blank_end(text, position)


def _repair(line: Line, decoder: msgspec.json.Decoder[R], problems: dict[str, int]) -> list[Found[R]]:
    if not line.data.strip(_BLANK):
        return []
    found: list[Found[R]] = []
    start = line.offset
    for consumed, value in objects(line.data):
        record = None if value is None else _typed(value, decoder)
        if record is None:
            count(problems, "unreadable")
            continue
        found.append(Found(start, line.offset + consumed, record))
        start = line.offset + consumed
    if found:
        last = found[-1]
        found[-1] = Found(last.offset, line.end, last.record)
    return found


def _typed(value: dict[str, Any], decoder: msgspec.json.Decoder[R]) -> R | None:
    try:
        return decoder.decode(clean(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):  # msgspec.DecodeError is a ValueError
        return None
