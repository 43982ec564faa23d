"""`{"messages": [...]}` on one line: a whole conversation, seen as lines of one message each."""

from __future__ import annotations

import json
import re

import msgspec

from memcli.transcript.formats.records import objects
from memcli.transcript.given import clean
from memcli.transcript.lines import Line

_ARRAY = re.compile(rb'"messages"\s*:\s*\[\s*')
_BETWEEN = re.compile(rb"\s*,\s*")


class _Conversation(msgspec.Struct):
    messages: list[msgspec.Raw]


_DECODER = msgspec.json.Decoder(_Conversation)


def conversation(line: Line) -> list[Line] | None:
    """The messages of a conversation line as lines of their own, None if it is no such line.

    Their offsets are those of the message's JSON text in the file, without commas and blanks between. The messages of
    a line that had to be repaired first all stand for the whole line.
    """
    if b'"messages"' not in line.data:
        return None
    try:
        raws = [bytes(raw) for raw in _DECODER.decode(line.data).messages]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _repaired(line)
    starts = _starts(line.data, raws)
    if starts is None:
        return _repaired(line)
    offsets = [line.offset + start for start in starts]
    return [Line(offset, offset + len(raw), raw) for offset, raw in zip(offsets, raws, strict=True)]


def _starts(data: bytes, raws: list[bytes]) -> list[int] | None:
    """Where each message begins. Several keys can read "messages"; the right array holds exactly these texts."""
    for match in _ARRAY.finditer(data):
        starts: list[int] = []
        position = match.end()
        for raw in raws:
            if starts and (comma := _BETWEEN.match(data, position)):
                position = comma.end()
            if not data.startswith(raw, position):
                break
            starts.append(position)
            position += len(raw)
        if len(starts) == len(raws):
            return starts
    return None


def _repaired(line: Line) -> list[Line] | None:
    for _, value in objects(line.data):
        messages = value.get("messages") if value else None
        if isinstance(messages, list):
            return [Line(line.offset, line.end, clean(json.dumps(item, ensure_ascii=False))) for item in messages]
    return None
