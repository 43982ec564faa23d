"""Which format a file is in, told by its content: a name or an extension proves nothing.

The first 200 records vote. Plain messages are the hard case, because Anthropic's and OpenAI's share their shape until
a tool is used: tool blocks say Anthropic, `tool_calls` and tool roles say OpenAI, a system message leans to OpenAI,
and bare texts are read as Anthropic messages, which they also are.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.errors import MemcliError, NoMessages, NotATranscript
from memcli.transcript.formats import anthropic, claude_code, codex, openai, pi
from memcli.transcript.formats.blocks import blocks, string
from memcli.transcript.formats.records import objects
from memcli.transcript.lines import LineBuffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORDS = 200

# a tool decides; one system message outweighs any number of bare texts, which only stand for election
_STRONG, _WEAK, _NONE = 1_000, 1, 0
_COMPRESSED = {b"\x28\xb5\x2f\xfd": ("zstd", "zstd -d {name}"), b"\x1f\x8b": ("gzip", "gunzip {name}")}
_PADDING = b" \t\r\n\x00\xef\xbb\xbf"
_DECODER = msgspec.json.Decoder(dict[str, Any])
_SAMPLE = 4_096  # bytes looked at to tell text from binary


def recognise(head: bytes, name: str = "the file", ended: bool = True) -> str:
    """Name of the format (`memcli.transcript.formats`) of a file that begins with `head`.

    `name` is used in messages only. `ended` says that `head` is the whole file: only then a last line without LF is
    taken for whole, and only then missing messages are an error.
    Returns "" if `head` has not ended and is too short to tell: a first line can be many megabytes long.
    Raises NotATranscript for what is no JSONL transcript, NoMessages for an empty file or bookkeeping alone.
    """
    if not ended and b"\n" not in head:
        return ""
    records, unreadable = _records(head, ended)
    if not head.strip(_PADDING):
        raise NoMessages(f"{name} is empty", f"memcli watch {shlex.quote(name)}")
    if not records and b"\n" not in head and head.lstrip(_PADDING).startswith(b"{"):
        raise NoMessages(f"{name} holds no complete record yet", f"memcli watch {shlex.quote(name)}")
    if error := _document(records, name):
        raise error
    chosen = _elect(records)
    if not chosen or _is_unfolded(head):
        raise _stranger(head, name, bool(records), unreadable)
    if ended and len(records) < RECORDS and not any(map(_speaks, records)):
        raise no_messages(name)
    return chosen


class Election:
    """The same vote over a file that grows: each of the records that count is looked at once."""

    def __init__(self) -> None:
        self._lines = LineBuffer()
        self._votes: dict[str, int] = {}
        self._records = self._unreadable = 0
        self.position = 0
        """So many bytes from the beginning of the file on have been taken in."""

    @property
    def over(self) -> bool:
        """True if all records that count have voted."""
        return self._records >= RECORDS or self._unreadable >= RECORDS

    def add(self, more: bytes) -> str:
        """Take in the next bytes; the name of the format that is ahead, "" while there is none."""
        self.position += len(more)
        for line in self._lines.feed(more):
            if self.over:
                break
            self._hear(line.data)
        return _ahead(self._votes)

    def _hear(self, line: bytes) -> None:
        for value in _values(line):
            if value is None:
                self._unreadable += 1
            elif self._records < RECORDS:
                self._records += 1
                _count(value, self._votes)


def _is_unfolded(head: bytes) -> bool:
    """True for one JSON value over many lines, also if some line of it happens to be a message of its own."""
    lines = [line.strip() for line in head[:_SAMPLE].lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 2)]
    return len(lines) > 1 and lines[0] in (b"{", b"[") and lines[1][:1] in (b'"', b"{", b"[")


def no_messages(name: str) -> NoMessages:
    """The error for a transcript that was read to its end and holds no conversation message."""
    return NoMessages(
        f"{name} holds no conversation message yet, only bookkeeping records", f"memcli watch {shlex.quote(name)}"
    )


def _records(head: bytes, ended: bool) -> tuple[list[dict[str, Any]], int]:
    """The first records, and how many lines were unreadable."""
    records: list[dict[str, Any]] = []
    unreadable = 0
    for data in _lines(head, ended):
        for value in _values(data):
            if value is None:
                unreadable += 1
            else:
                records.append(value)
        if len(records) >= RECORDS or unreadable >= RECORDS:
            break
    return records[:RECORDS], unreadable


def _values(line: bytes) -> Iterable[dict[str, Any] | None]:
    """The JSON objects on a line, None for what is unreadable."""
    try:
        return (_DECODER.decode(line),)  # nearly all, in a third of the time
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (value for _, value in objects(line))


def _lines(head: bytes, ended: bool) -> Iterator[bytes]:
    buffer = LineBuffer()
    for line in buffer.feed(head):
        yield line.data
    if ended and buffer.rest:
        yield buffer.rest.data


def _elect(records: list[dict[str, Any]]) -> str:
    votes: dict[str, int] = {}
    for record in records:
        _count(record, votes)
    return _ahead(votes)


def _count(record: dict[str, Any], votes: dict[str, int]) -> None:
    for name, weight in _votes(record):
        votes[name] = votes.get(name, 0) + weight


def _ahead(votes: dict[str, int]) -> str:
    return max(votes, key=lambda name: votes[name]) if votes else ""


def _votes(record: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for module in (claude_code, codex, pi):
        if module.claims(record):
            yield module.NAME, _STRONG
            return
    messages = record.get("messages")
    for message in messages if isinstance(messages, list) else [record]:
        if isinstance(message, dict):
            yield from _message_votes(message)


def _message_votes(message: dict[str, Any]) -> Iterator[tuple[str, int]]:
    content = message.get("content")
    kinds = {string(block.get("type")) for block in blocks(content)}
    if kinds & {"tool_use", "tool_result", "thinking", "redacted_thinking"}:
        yield anthropic.NAME, _STRONG
    elif openai.claims(message):
        yield openai.NAME, _WEAK if message.get("role") == "system" else _STRONG
    elif anthropic.claims(message):
        yield anthropic.NAME, _NONE


def _speaks(record: dict[str, Any]) -> bool:
    """True if a record of any format carries a conversation message."""
    payload, message = record.get("payload"), record.get("message")
    if record.get("isSidechain"):
        return False
    if isinstance(payload, dict):
        return payload.get("role") in ("user", "assistant") or payload.get("type") == "user_message"
    if isinstance(message, dict):
        return record.get("type") in ("user", "assistant", "message")
    return isinstance(record.get("messages"), list) or record.get("role") in ("user", "assistant", "tool")


def _document(records: list[dict[str, Any]], name: str) -> MemcliError | None:
    """Single JSON documents which look like one record: known ones are named."""
    if len(records) != 1:
        return None
    keys = set(records[0])
    if {"trajectory", "history"} <= keys or {"trajectory", "info"} <= keys:
        return NotATranscript(f"{name} is a SWE-agent trajectory, one JSON document")
    if {"sessionId", "projectHash", "messages"} <= keys:
        return NotATranscript(f"{name} is a Gemini CLI session, one JSON document")
    if {"messages", "response"} <= keys:
        return NotATranscript(f"{name} is a log of one model call, one JSON document", _jq(".messages[]", name))
    return None


def _stranger(head: bytes, name: str, has_records: bool, unreadable: int) -> MemcliError:
    """The error for a file of which no record belongs to a format."""
    for magic, (tool, command) in _COMPRESSED.items():
        if head.startswith(magic):
            return NotATranscript(f"{name} is compressed with {tool}", command.format(name=shlex.quote(name)))
    if _binary(head[:_SAMPLE]):
        return NotATranscript(f"{name} is a binary file")
    first = head.lstrip(_PADDING).split(b"\n", 1)[0].strip()
    if first.startswith(b"[") and len(first) > 1:
        return NotATranscript(f"{name} is one JSON array, not JSONL", _jq(".[]", name))
    if unreadable and (first in (b"{", b"[") or (first.startswith(b"{") and not has_records)):
        return NotATranscript(f"{name} is pretty-printed JSON, not JSONL", _unfold(head, name))
    if has_records:
        return NotATranscript(f"{name} is JSONL, but of no transcript format known")
    return NotATranscript(f"{name} holds no JSON lines")


def _unfold(head: bytes, name: str) -> str:
    """A command that makes JSONL out of a pretty-printed file."""
    if head.lstrip(_PADDING).startswith(b"["):
        return _jq(".[]", name)
    if b'"role"' in head and b'"messages"' in head:
        return _jq(".messages[]", name)
    return _jq(".", name)


def _jq(which: str, name: str) -> str:
    return f"jq -c {shlex.quote(which)} {shlex.quote(name)} > chat.jsonl"


def _binary(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    controls = sum(character < " " and character not in "\t\r\n\f\x1b" for character in text)
    return controls + text.count("\ufffd") > len(text) // 20
