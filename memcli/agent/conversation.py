"""A conversation on its own transcript: JSONL of Messages, one a line, appended to as it goes on.

The file is the context: what a request is made of is what stands there, so whoever opens the file goes on where it was
left. A line is in the file before `add` returns; nothing is synced, so a power loss may take the last ones. A torn last
line (somebody died while it was written) is left as it is and passed by.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.agent.place import quoted
from memcli.errors import MemcliError, NotATranscript, Usage
from memcli.memory.message import document_of, read_mark
from memcli.sidecar import files
from memcli.transcript import formats
from memcli.transcript.encode import anthropic as encoder
from memcli.transcript.encode.common import is_empty
from memcli.transcript.encode.to_messages import to_messages
from memcli.transcript.formats.conversations import conversation
from memcli.transcript.lines import Line
from memcli.transcript.meter import Meter
from memcli.transcript.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Record = dict[str, Any]

KEPT_FIELDS = ("role", "content", "id", "model", "stop_reason", "usage")
"""Of a message, or of a whole answer of the Messages API, what is written down."""

_ROLES = ("user", "assistant")


class Conversation:
    """The messages of one transcript, which is made with the first of them. One writer at a time."""

    def __init__(self, path: Path) -> None:
        """Raises NotATranscript for a file of anything but Messages, one a line; OSError."""
        self.path = path
        self.size = 0
        self._records: list[Record] = []
        self._meter = Meter()
        self._torn = False
        data = files.read(path)
        if data:
            _check(data, path)
            self._load(data)

    @property
    def messages(self) -> list[Record]:
        """What to send: `role` and `content` alone, roles that alternate. Of one's own, but for the blocks."""
        return alternating(self._records)

    @property
    def memory(self) -> str:
        """The memory that it begins with; "" for none."""
        first = self._records[0]["content"] if self._records else ""
        return document_of(first) if isinstance(first, str) and read_mark(first) else ""

    @property
    def count(self) -> int:
        """How many messages were added, a memory among them."""
        return len(self._records)

    @property
    def tokens(self) -> int:
        """Size of the context: what the last answer's `usage` counted, and an estimate of what came since."""
        return self._meter.reading.tokens

    @property
    def waits(self) -> bool:
        """True if the last word is the user's."""
        return bool(self._records) and self._records[-1]["role"] == "user"

    def add(self, message: Mapping[str, Any]) -> None:
        """Append a message, or a whole answer of the Messages API. Empty texts are left out, and so is an answer of
        nothing else (a refusal may be one).

        Raises Usage for what is no message; MemcliError if somebody else wrote into the file; OSError.
        """
        record = {name: message[name] for name in KEPT_FIELDS if message.get(name) is not None}
        if isinstance(record.get("content"), list):
            record["content"] = [block for block in record["content"] if not _says_nothing(block)]
        if record.get("role") == "assistant" and not record.get("content"):
            return
        problem = _objection(record)
        if problem:
            raise Usage(f"this is no message: {problem}", 'session.add({"role": "user", "content": "..."})')
        record["timestamp"] = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = _line(record)
        data = b"\n" + line if self._torn else line
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size != self.size:
                raise self.disturbed()
            files.write_all(descriptor, data)
        except OSError:
            # A full disk may have taken a part of it: passed by, as what somebody left who died while writing.
            size = os.fstat(descriptor).st_size
            self.size, self._torn = size, self._torn or size != self.size
            raise
        finally:
            os.close(descriptor)
        self._torn = False
        self._take(line, len(data))

    def since(self, offset: int) -> bytes:
        """What was appended from an offset on."""
        return (files.read(self.path) or b"")[offset:]

    def began_anew(self, content: bytes) -> None:
        """The file was replaced by `content`."""
        learnt = self._meter.state
        fresh = msgspec.structs.replace(learnt, anchor=0, chars=0)
        self._records, self._meter, self.size, self._torn = [], Meter(fresh), 0, False
        self._load(content)

    def disturbed(self) -> MemcliError:
        """What to say if the file is not what was written here."""
        return MemcliError(f"{self.path} was changed by somebody else", f"memcli status {quoted(self.path)}")

    def _load(self, data: bytes) -> None:
        for raw in data.splitlines(keepends=True):
            self._take(raw, len(raw))
        self._torn = not data.endswith(b"\n")

    def _take(self, raw: bytes, size: int) -> None:
        line = Line(self.size, self.size + size, raw)
        self.size += size
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            return  # half of a line, or damage: the conversation goes on without it, as it does for every reader
        if isinstance(record, dict) and not _objection(record):
            self._records.append(record)
            for entry in formats.open_reader(encoder.NAME).read(line):
                self._meter.add(entry)


def alternating(records: list[Record]) -> list[Record]:
    """Messages with roles that alternate: those of one role in a row become one, as the API itself would do.

    Many servers that speak the API refuse them otherwise; a memory and the prompt behind it are such a pair.
    """
    found: list[Record] = []
    for record in records:
        if found and found[-1]["role"] == record["role"]:
            found[-1]["content"] = [*_blocks(found[-1]["content"]), *_blocks(record["content"])]
        else:
            found.append({"role": record["role"], "content": record["content"]})
    return found


def valid(lines: list[bytes], format: str = encoder.NAME) -> tuple[list[Record], tuple[str, ...]]:
    """A compacted transcript as messages of a request, and the names of the calls of an open round, which is left
    out."""
    from memcli.transcript import encode

    found, left_out = to_messages(lines, encode.module(format).said)
    return [json.loads(line) for line in found], tuple(left_out)


def without_usage(line: bytes) -> bytes:
    """A line of the tail without what was counted: it speaks of the context as it was."""
    record = json.loads(line)
    if "usage" not in record:
        return line
    del record["usage"]
    return _line(record)


def _check(data: bytes, path: Path) -> None:
    first = data.split(b"\n", 1)[0]
    if recognise(data, str(path)) != encoder.NAME or conversation(Line(0, len(first), first)) is not None:
        raise NotATranscript(
            f"{path} is no transcript of Messages, one a line",
            f"memcli compact {quoted(path)} --to messages > chat.jsonl",
        )


def _line(record: Record) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    except (TypeError, ValueError) as error:
        raise Usage(f"this message is no JSON: {error}", "session.add(answer.to_dict())") from error


def _objection(record: Record) -> str:
    """Why a record is no message of a conversation; "" if it is one."""
    if record.get("role") not in _ROLES:
        return f"role is {record.get('role')!r}, not user or assistant"
    content = record.get("content")
    if isinstance(content, str):
        return "" if content.strip() else "it says nothing"
    if not isinstance(content, list) or not content:
        return "content is neither a text nor a list of blocks"
    return "" if all(isinstance(block, dict) and block.get("type") for block in content) else "a block has no type"


def _says_nothing(block: object) -> bool:
    return isinstance(block, dict) and is_empty(block)


def _blocks(content: str | list[Record]) -> list[Record]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
