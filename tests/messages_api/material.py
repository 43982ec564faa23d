"""What a prompt is about, found by its lines alone: who said what, and the memory that stands.

Nothing is agreed with whoever wrote the prompt. In a message of the user, a line that begins with the name of a speaker,
as a heading, in brackets or before a colon, opens that speaker's text; such lines look alike, so what merely resembles
one inside a text does not count. A closing tag ends it. Elsewhere a heading with the name of a section of the memory
opens that section; where tags part the memory, the last part is what stands and may be changed. Other lines are
instructions and are left out. In a prompt of several messages the roles of the messages speak for themselves, unless a
block begins with a speaker in brackets, up to the last message of the user that shows a memory: that is the
instruction, and what follows it (an answer, and what was said against it) changes nothing of what there is to say. If
none shows one, the last message is the instruction.
"""

from __future__ import annotations

import re
from collections import Counter
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
_WHO_ENDS = re.compile(rf"^\s*</\s*({_WHO}|messages?|conversation|transcript)\b", re.IGNORECASE)
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
    asked = _instruction(messages)
    said: list[tuple[str, str]] = []
    memory: dict[str, list[str]] = {}
    for message in messages[:asked]:
        said += _real(message)
    for role, section, line in _rendered(_text(messages[asked])):
        if not role and not section:
            memory = {}
        elif section:
            memory.setdefault(section, []).append(line.strip())
        else:
            said.append((role, line))
    return Material(tuple(said), memory)


def _instruction(messages: list[dict[str, Any]]) -> int:
    """Which message says what is to be done."""
    for number in range(len(messages) - 1, -1, -1):
        lines = _text(messages[number]).splitlines()
        if messages[number]["role"] == "user" and any(_shows_section(line) for line in lines):
            return number
    return len(messages) - 1


def _text(message: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in blocks_of(message["content"]) if block["type"] == "text")


def _real(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A message of the conversation itself."""
    for block in blocks_of(message["content"]):
        if block["type"] == "text":
            role, text = _labelled(message["role"], block["text"])
            yield from ((role, line) for line in text.splitlines())
        elif block["type"] == "tool_result" and isinstance(block.get("content"), str):
            yield from (("tool", line) for line in block["content"].splitlines())


def _labelled(role: str, text: str) -> tuple[str, str]:
    """Who speaks in a block, and what: a label in brackets before the text knows it better than the message."""
    speaker = _SPEAKER.match(text.partition("\n")[0])
    if speaker and speaker[2]:
        return _role(speaker), text[speaker.start(4) :]
    return role, text


def _rendered(text: str) -> Iterator[tuple[str, str, str]]:
    """(role, section, line): at most one of the first two is set; neither for a tag that begins another part."""
    lines = text.splitlines()
    form = _form_of_speakers(lines)
    role = section = ""
    for line in lines:
        heading = _HEADING.match(line)
        speaker = _speaker(line)
        if speaker and _form(speaker) == form:
            role, section = _role(speaker), ""
            yield role, "", speaker[4]
        elif _CLOSING.match(line) and (not role or line.lstrip().startswith("[/") or _WHO_ENDS.match(line)):
            role = section = ""
        elif role:
            yield role, "", line
        elif heading:
            section = heading[1] if heading[1] in _SECTIONS else ""
        elif _TAG.match(line):
            section = ""
            yield "", "", ""
        elif section and line.strip():
            yield "", section, line


def _form_of_speakers(lines: list[str]) -> str:
    """How the lines look that open a speaker's text: the commonest form, one in brackets before any other."""
    forms = Counter(_form(speaker) for line in lines if (speaker := _speaker(line)))
    return max(forms, key=lambda form: (form[:1] in "[<(", forms[form]), default="")


def _shows_section(line: str) -> bool:
    heading = _HEADING.match(line)
    return heading is not None and heading[1] in _SECTIONS


def _speaker(line: str) -> re.Match[str] | None:
    """A line that may open a speaker's text; a section whose name begins with a speaker is a section."""
    return None if _shows_section(line) else _SPEAKER.match(line)


def _form(speaker: re.Match[str]) -> str:
    label = speaker[0][: len(speaker[0]) - len(speaker[4])]
    return re.sub(r"\d+", "#", re.sub(_WHO, "", label.strip(), count=1, flags=re.IGNORECASE)).lower()


def _role(speaker: re.Match[str]) -> str:
    return _ROLES[(speaker[1] or speaker[2] or speaker[3]).lower()]
