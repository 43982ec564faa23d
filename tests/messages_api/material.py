"""What a prompt is about, found by its lines alone: who said what, and the memory that stands.

Nothing is agreed with whoever wrote the prompt. In a message of the user, a line that begins with the name of a speaker,
as a heading, a tag or in brackets, opens that speaker's text; a heading with the name of a section of the memory opens
that section; a closing tag or any other heading ends either. Lines that belong to neither are instructions and are left
out. In a prompt of several messages the roles of the messages speak for themselves, and the last one is the instruction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.messages_api.piece import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROSE = ("User Intent", "Errors & Corrections", "Active Work", "Completed Work", "Key References")
_SECTIONS = (*PROSE, "Current State", "Pending Tasks", "Files", "Pinned")
_HEADING = re.compile(r"^\s*#{1,6}\s*(.*?)[\s#:]*$")
_WHO = "(user|human|assistant|agent|tool)"
_SPEAKER = re.compile(
    rf"""^\s*(?:
        \#{{1,6}}\s*{_WHO}\b[^\n]{{0,60}}$                                                          # a heading
        | [\[<({{|=*»]{{1,8}}\s*(?:\w+\s+)?(?:role=["']?)?{_WHO}\b[^\n]{{0,60}}?[\])>}}|:»*=]+         # in brackets
        | {_WHO}\s*(?:[\[(][^\])]{{0,40}}[\])])?\s*:                                                # before a colon
    )\s*(.*)$""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = re.compile(r"^\s*(</|\[/)")
_TAG = re.compile(r"^\s*<[\w-]+[^>]*>\s*$")
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "agent": "assistant", "tool": "tool"}


class Material(NamedTuple):
    """`said`: (role, line) in order. `memory`: the items of each section that the prompt shows."""

    said: tuple[tuple[str, str], ...]
    memory: dict[str, list[str]]

    def of(self, role: str) -> list[str]:
        return [line for speaker, line in self.said if speaker == role]


def material(body: dict[str, Any]) -> Material:
    """Of one request."""
    messages = body["messages"]
    said: list[tuple[str, str]] = []
    memory: dict[str, list[str]] = {}
    for message in messages[:-1]:
        said += _real(message)
    for role, section, line in _rendered(_text(messages[-1])):
        if section:
            memory.setdefault(section, []).append(line.strip())
        elif role:
            said.append((role, line))
    return Material(tuple(said), memory)


def _text(message: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in blocks_of(message["content"]) if block["type"] == "text")


def _real(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A message of the conversation itself."""
    for block in blocks_of(message["content"]):
        if block["type"] == "text":
            yield from ((message["role"], line) for line in block["text"].splitlines())
        elif block["type"] == "tool_result" and isinstance(block.get("content"), str):
            yield from (("tool", line) for line in block["content"].splitlines())


def _rendered(text: str) -> Iterator[tuple[str, str, str]]:
    """(role, section, line): at most one of the first two is set."""
    role = section = ""
    for line in text.splitlines():
        heading = _HEADING.match(line)
        speaker = _SPEAKER.match(line)
        if heading and heading[1] in _SECTIONS:
            role, section = "", heading[1]
        elif _CLOSING.match(line):
            role = section = ""
        elif speaker and not (section and line.startswith((" ", "-"))):
            role, section = _ROLES[(speaker[1] or speaker[2] or speaker[3]).lower()], ""
            yield role, "", speaker[4]
        elif heading or _TAG.match(line):
            role = section = ""
        elif line.strip():
            yield role, section, line
