"""What a model is shown of a transcript: who said what, in order; tool output as a reference to where it stands.

A reader begins at a place where a cut is legal, so that everything that belongs together lies on one side of it. Of a
transcript of gigabytes the last part is read: what came long before stands in the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from memcli.ledger.clean import clip, one_line
from memcli.memory import message
from memcli.memory.jobs import Message
from memcli.transcript import formats
from memcli.transcript.entries import AssistantText, Interrupt, ToolResult, ToolUse, UserText
from memcli.transcript.lines import LineBuffer, whole
from memcli.transcript.secrets import redact
from memcli.transcript.thread import State, Thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcli.memory.jobs import Source
    from memcli.transcript.entries import AnyPart, Entry

CHUNK_BYTES = 256 * 1024
READ_BYTES = 64 * 1024 * 1024
"""At most so much of a transcript is read for one job; of what is older the ledger keeps the facts."""

TEXT = 8_000  # characters of one text; a pasted log of megabytes is not what was meant
CALL = 400
SHORT_RESULT = 160
ERROR = 700


def read(source: Source) -> list[Message]:
    """The messages of a range, as far as they live. Raises OSError."""
    names: dict[str, str] = {}
    told = ((entry.offset, _shown(part, names)) for entry in _living(source) for part in entry.parts)
    return [Message(one.role, one.text, offset) for offset, one in told if one]


def _living(source: Source) -> list[Entry]:
    """Every entry of the conversation, rewound ones left out."""
    reader = formats.open_reader(source.format)
    thread = Thread(State(tree=source.format == "pi"))
    lines = LineBuffer(max(source.start, source.end - READ_BYTES))
    living: list[Entry] = []
    for chunk in _chunks(source):
        for line in lines.feed(chunk):
            for entry in reader.read(line):
                _take(entry, living, thread, source)
    rest = lines.rest
    if rest is not None and rest.end <= source.end and whole(rest):
        for entry in reader.read(rest):
            _take(entry, living, thread, source)
    return living


def _take(entry: Entry, living: list[Entry], thread: Thread, source: Source) -> None:
    if any(start <= entry.offset < end for start, end in source.dead):
        thread.recall(entry)
        return
    if not living and any(message.read_mark(part.text) for part in entry.parts if isinstance(part, UserText)):
        return  # our own memory: what it says is in the ledger and in the prose
    verdict = thread.place(entry)
    if verdict.rewind >= 0:
        living[:] = [one for one in living if one.offset < verdict.rewind]
    if verdict.live:
        living.append(entry)


def _chunks(source: Source) -> Iterator[bytes]:
    with open(source.path, "rb") as transcript:
        position = max(source.start, source.end - READ_BYTES)
        if position > source.start:
            transcript.seek(position)
            transcript.readline()  # the rest of a line that was cut
        else:
            transcript.seek(position)
        while (left := source.end - transcript.tell()) > 0 and (chunk := transcript.read(min(CHUNK_BYTES, left))):
            yield chunk


class _Said(NamedTuple):
    role: Literal["user", "assistant", "tool"]
    text: str


def _shown(part: AnyPart, names: dict[str, str]) -> _Said | None:
    match part:
        case UserText(text=text) if text.strip():
            return _Said("user", _text(text))
        case AssistantText(text=text) if text.strip():
            return _Said("assistant", _text(text))
        case ToolUse(id=identity, name=name, input=given):
            names[identity] = name
            return _Said("assistant", f"(calls {name}: {_brief(given)})")
        case ToolResult(id=identity):
            return _Said("tool", _result(part, names.get(identity, "a tool")))
        case Interrupt():
            return _Said("tool", "(the user interrupted the agent here)")
        case _:
            return None


def _result(result: ToolResult, name: str) -> str:
    text = redact(result.text.strip())
    if result.rejected:
        return f"(the user refused this call of {name})"
    if result.is_error:
        return f"(error of {name}) {_middle(text, ERROR)}"
    if len(text) <= SHORT_RESULT:
        return f"(result of {name}) {one_line(text)}"
    return f"(result of {name}: {len(text):,} characters, left out)"


def _brief(given: dict[str, object]) -> str:
    """A call in one line: what tells most of it comes first in every client."""
    told = ", ".join(f"{key}={one_line(str(value), CALL // 2)}" for key, value in given.items())
    return redact(clip(told, CALL))


def _text(text: str) -> str:
    return _middle(redact(text.strip()), TEXT)


def _middle(text: str, limit: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    end = text[-half:].split(" ", 1)[-1]
    return f"{clip(text[:half], half)}\n[... {len(text) - limit:,} characters left out ...]\n{end}"
