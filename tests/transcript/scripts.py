"""Entries as a script that people can read and tests can compare, and lines out of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from memcli.transcript.entries import (
    AnyPart,
    AssistantText,
    Compacted,
    Entry,
    Interrupt,
    Link,
    MachineText,
    Place,
    RolledBack,
    Thinking,
    ToolResult,
    ToolUse,
    TurnEnd,
    Usage,
    UserText,
)
from memcli.transcript.formats import Reader, open_reader
from memcli.transcript.lines import Line, LineBuffer

FIXTURES = Path(__file__).parents[2] / "fixtures" / "formats"
RECORDED = FIXTURES.parent / "recorded"


def lines_of(data: bytes) -> list[Line]:
    """All lines of a whole file, the last one too if it has no LF."""
    buffer = LineBuffer()
    lines = buffer.feed(data)
    return [*lines, buffer.rest] if buffer.rest else lines


def as_lines(*records: Any) -> list[Line]:
    """Lines that hold these records."""
    return lines_of(b"".join(json.dumps(record).encode() + b"\n" for record in records))


def fixture(name: str) -> list[Line]:
    return lines_of((FIXTURES / f"{name}.jsonl").read_bytes())


def entries_of(format_name: str, lines: list[Line], reader: Reader | None = None) -> list[Entry]:
    reader = reader or open_reader(format_name)
    return [entry for line in lines for entry in reader.read(line)]


def read(format_name: str, *records: Any) -> list[Entry]:
    """Entries of these records, read by a new reader."""
    return entries_of(format_name, as_lines(*records))


def script(entries: list[Entry]) -> list[str]:
    """One line a part, "role| what it says"; entries without parts say nothing."""
    return [f"{entry.role}| {said(part)}" for entry in entries for part in entry.parts]


def said(part: AnyPart) -> str:
    match part:
        case UserText(text, via, steering):
            return f"{via}{'!' if steering else ''}: {text}"
        case AssistantText(text, final):
            return f"{'final' if final else 'says'}: {text}"
        case Thinking(size):
            return f"thinks {size}"
        case ToolUse(id=call, name=name, input=given):
            return f"calls {call} {name} {json.dumps(given)[:60]}"
        case ToolResult(id=call, text=text, is_error=is_error, rejected=rejected, detail=detail):
            kind = "refused" if rejected else "failed" if is_error else "gave"
            return f"{kind} {call}: {text[:30]!r}{f' {detail}' if detail else ''}"
        case Interrupt():
            return "interrupts"
        case MachineText(text):
            return f"machine: {text[:30]!r}"
        case Usage(context, model):
            return f"usage {context} {model}"
        case Compacted(summary, kept, post_tokens):
            return f"compacted {summary[:20]!r} {kept} {post_tokens}"
        case RolledBack(turns):
            return f"takes back {turns}"
        case TurnEnd():
            return "turn ends"
        case Place(cwd, branch):
            return f"at {cwd} {branch}"
        case Link(url, label):
            return f"link {label} {url}"
