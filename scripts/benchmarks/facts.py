"""What somebody who goes on with a session needs from it, and how much of that stands in what is left of it.

Strings are looked for word for word, white space aside, and nothing is judged by its meaning: whoever keeps a fact in
other words than the session's keeps nothing here.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHOWN_CHARS = 60
_OBJECTIONS = ("No,", "No.", "Don't", "Not ", "Stop", "Wrong", "That is wrong", "Those")
_EDITS = ("Edit", "Write", "MultiEdit")


class Facts(NamedTuple):
    """Of each kind in the order of the session: what the user said, what of that put the agent right, the names of
    files that were changed (some lists tell their directory once for many), the line that says what an error was."""

    requests: list[str]
    corrections: list[str]
    files: list[str]
    errors: list[str]

    def kept(self, left: str) -> str:
        """How many of each kind begin, somewhere in a text, as they do here."""
        return ", ".join(
            f"{kind} {sum(_line(text)[:_SHOWN_CHARS] in left for text in texts)} of {len(texts)}"
            for kind, texts in self._asdict().items()
        )


def recorded(path: Path) -> Facts:
    """Those of a session that Claude Code wrote. A correction is known by how it begins."""
    facts = Facts([], [], [], [])
    for record in map(json.loads, path.read_bytes().splitlines()):
        if record.get("type") == "user" and not record.get("isMeta") and not record.get("isSidechain"):
            _said(record["message"]["content"], facts)
        for block in _blocks(record):
            if (
                block.get("type") == "tool_use"
                and (file := block["input"].get("file_path"))
                and block["name"] in _EDITS
            ):
                facts.files.append(os.path.basename(file))
            if block.get("type") == "tool_result" and block.get("is_error"):
                facts.errors.append(str(block["content"]).strip().splitlines()[-1])
    return Facts(*(list(dict.fromkeys(texts)) for texts in facts))


def _said(content: Any, facts: Facts) -> None:
    if isinstance(content, str) and not content.startswith(("<", "Caveat", "[Request")):
        facts.requests.append(content)
        if content.startswith(_OBJECTIONS):
            facts.corrections.append(content)


def _blocks(record: dict[str, Any]) -> list[dict[str, Any]]:
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, list) else []


def plain(data: bytes) -> str:
    """All texts of a file on one line: the strings of JSON, or the lines as they are."""
    return _line(" ".join(_texts(data.decode("utf-8", "replace"))))


def _texts(text: str) -> Iterator[str]:
    try:
        yield from _strings(json.loads(text))
    except ValueError:
        for line in text.splitlines():
            try:
                yield from _strings(json.loads(line))
            except ValueError:
                yield line


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _strings(part)
        case list():
            for part in value:
                yield from _strings(part)
        case _:
            pass  # numbers are no texts


def _line(text: str) -> str:
    return " ".join(text.split())
