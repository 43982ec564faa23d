"""Prose: what a model writes into sections, as edits of blocks that stand.

A block is Markdown, made of items: a list item with its continuation lines, or a paragraph, or a fence. Edits name a
section and at most one item of it, so all that they do not name stays as it is, byte for byte; nothing can drift.

A model that can be held to a schema answers edits as JSON (`schema`, `from_json`). Any other answers sections as text:

    ## Active Work
    The whole new block of this section.
    <!-- end -->

Sections that are not named stay. The end mark proves that the answer was not cut off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.memory.jobs import ProseEdit
from memcli.memory.sections import DEFAULT, Sections
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

END = "<!-- end -->"
LONGEST = 200_000
"""Characters of the longest answer that is read at all: some twenty times what the largest memory holds."""

MOST_EDITS = 200

_LINES = pattern(r"[^\n]*\n|[^\n]+")
_LISTED = pattern(r"(?:[-*+•]|\d{1,3}[.)])(?:\s|$)")
_FENCE = pattern(r"\s*(```|~~~)")
_HEADING = pattern(r"^ {0,3}(#{1,6})\s+(.*)$")
_MARKS = pattern(r"^\s*(?:(?:[-*+•>]|\d{1,3}[.)])\s+)+|[*`_]{1,3}(?=\S)|(?<=\S)[*`_]{1,3}")
_END = pattern(r"^\W*(?:<!--\s*)?end(?:\s*-->)?\W*$", re.IGNORECASE)
_WRAPPED = pattern(r"\A\s*```\w*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_AS_IT_WAS = pattern(r"\W*(?:unchanged|no changes?|none|nothing(?: new)?|same(?: as before)?)\W*", re.IGNORECASE)


class Unreadable(ValueError):
    """An answer that holds no edits: a sentence says what is wrong with it."""


class Answer(msgspec.Struct, frozen=True):
    """The edits of a plain-text answer, and how many headings it had that are no section a model writes."""

    edits: tuple[ProseEdit, ...]
    ignored: int = 0


class _Edits(msgspec.Struct):
    edits: list[ProseEdit]


def schema(sections: Sections = DEFAULT) -> dict[str, Any]:
    """The JSON schema of a structured answer."""
    edit = {
        "type": "object",
        "properties": {
            "section": {"type": "string", "enum": list(sections.writable)},
            "op": {"type": "string", "enum": ["replace", "append", "change", "drop"]},
            "item": {"type": "string", "description": "for change and drop: how the item begins, word for word"},
            "text": {"type": "string", "description": "Markdown: list items or paragraphs, no headings"},
        },
        "required": ["section", "op", "item", "text"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"edits": {"type": "array", "items": edit}},
        "required": ["edits"],
        "additionalProperties": False,
    }


def canonical(text: str) -> str:
    """A block as it is kept: line ends are LF, no empty lines around it; white space alone is no block."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return text if text.strip() else ""


def items(block: str) -> list[str]:
    """The items of a block, each with the line ends behind it: joined they are the block again."""
    found: list[str] = []
    fence, blank = "", True
    for line in _LINES.findall(block):
        mark = _FENCE.match(line)
        begins = not fence and bool(line.strip()) and not line[0].isspace() and (blank or bool(_LISTED.match(line)))
        if begins or not found:
            found.append(line)
        else:
            found[-1] += line
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        blank = not line.strip()
    return found


def apply(prose: Mapping[str, str], edits: Iterable[ProseEdit], sections: Sections = DEFAULT) -> dict[str, str]:
    """The prose with all edits done in order. Blocks that no edit names are the same bytes; empty ones are gone.

    An edit of a section that no model writes does nothing. A change of an item that is not there is added below: better
    twice than lost.
    """
    result = dict(prose)
    for edit in edits:
        if edit.section in sections.writable:
            result[edit.section] = _edited(result.get(edit.section, ""), edit)
    return {section: block for section, block in result.items() if block}


def _edited(block: str, edit: ProseEdit) -> str:
    text = canonical(edit.text)
    match edit.op:
        case "replace":
            return text
        case "append":
            return _added(block, text)
        case "change" | "drop":
            parts = items(block)
            place = _place(parts, edit.item)
            if place is None:
                return _added(block, text) if edit.op == "change" else block
            parts[place] = _in_place_of(parts[place], text) if edit.op == "change" else ""
            return canonical("".join(parts))


def _added(block: str, text: str) -> str:
    if not block or not text:
        return block or text
    gap = "\n" if _LISTED.match(text) and _LISTED.match(items(block)[-1]) else "\n\n"
    return f"{block}{gap}{text}"


def _in_place_of(old: str, text: str) -> str:
    """A new item where the old one stood: as a list item if that was one, with the same line ends behind it."""
    mark = _LISTED.match(old)
    if text and mark and not _LISTED.match(text):
        text = f"{mark[0].strip()} {text}"
    return text + old[len(old.rstrip()) :] if text else ""


def _place(parts: list[str], beginning: str) -> int | None:
    """The first item that begins so; marks of lists and emphasis, case and spaces do not matter."""
    wanted = _plain(beginning)
    if not wanted:
        return None
    return next((place for place, part in enumerate(parts) if _plain(part).startswith(wanted)), None)


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", text).lower().split())


def from_json(text: str) -> tuple[ProseEdit, ...]:
    """The edits of a structured answer. Raises Unreadable."""
    _bounded(text)
    wrapped = _WRAPPED.match(text)
    try:
        found = msgspec.json.decode((wrapped[1] if wrapped else text).strip().encode(), type=_Edits)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"the answer is not the JSON that was asked for ({error})") from None
    if len(found.edits) > MOST_EDITS:
        raise Unreadable(f"the answer holds {len(found.edits)} edits; {MOST_EDITS} are the most")
    return tuple(found.edits)


def edits_of(text: str, sections: Sections = DEFAULT) -> tuple[ProseEdit, ...]:
    """The edits of a plain-text answer: each section that it names is replaced. Raises Unreadable."""
    return read_text(text, sections).edits


def read_text(text: str, sections: Sections = DEFAULT) -> Answer:
    """A plain-text answer. What stands above the first section (thoughts) is left out; so are sections that are not a
    model's to write and unknown ones, and these are counted. Raises Unreadable.
    """
    _bounded(text)
    wrapped = _WRAPPED.match(text)
    lines = canonical(wrapped[1] if wrapped else text).split("\n")
    end = next((place for place, line in enumerate(lines) if _END.match(line)), None)
    if end is None:
        raise Unreadable(f"the answer was cut off: it does not end with {END}")
    parts, ignored = _parts(lines[:end], sections)
    if not parts:
        raise Unreadable("the answer names none of the sections a model writes, each under a heading of its own")
    told = {name: canonical("\n".join(body)) for name, body in parts.items()}
    edits = [ProseEdit(name, "replace", body) for name, body in told.items() if body and not _AS_IT_WAS.fullmatch(body)]
    return Answer(tuple(edits), ignored)


def _parts(lines: list[str], sections: Sections) -> tuple[dict[str, list[str]], int]:
    """The lines under each section's heading, and how many headings of other sections there were."""
    found: dict[str, list[str]] = {}
    into: list[str] = []
    level, ignored, fence = 7, 0, ""
    for line in lines:
        mark = _FENCE.match(line)
        heading = None if fence else _HEADING.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        name = sections.named(heading[2]) if heading else ""
        if heading and (name or len(heading[1]) <= level):
            level = len(heading[1])
            # What a section that is not a model's to write holds goes nowhere.
            into = found.setdefault(name, []) if name in sections.writable else []
            ignored += name not in sections.writable
        else:
            into.append(line)
    return found, ignored


def _bounded(text: str) -> None:
    if not text.strip():
        raise Unreadable("the answer is empty")
    if len(text) > LONGEST:
        raise Unreadable(f"the answer has {len(text)} characters; {LONGEST} are the most that is read")
