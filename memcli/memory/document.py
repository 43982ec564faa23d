"""The memory document: sections in order, each a block kept by code and a block of prose.

    # Session memory
    ## User Intent
    <ledger block>
    <!-- prose -->
    <prose block>

Headings and the prose mark count at the beginning of a line only; a block's own line that looks like one is escaped
with a backslash, so `parse(document.to_markdown(state))` is the document again, whatever its blocks hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.sections import CURRENT_STATE, NAMES, PENDING, PINNED
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

TITLE = "# Session memory"
PROSE_MARK = "<!-- prose -->"
EMPTY = "- none"
NONE_KNOWN = "- none known"  # of tasks: that nobody named any does not mean that there are none
EMPTIES = frozenset((EMPTY, NONE_KNOWN))

_SPECIAL = pattern(r"^(\\*)(#{1,6}\s|<!-- prose -->|- none(?: known)?$)", re.MULTILINE)
_ESCAPED = pattern(r"^\\(\\*)(#{1,6}\s|<!-- prose -->|- none(?: known)?$)", re.MULTILINE)
_HEADING = pattern(r"^## +(.*?) *$", re.MULTILINE)


class Block(msgspec.Struct, frozen=True):
    """One section: `ledger` is rendered from facts, `prose` written by a model (empty without one)."""

    name: str
    ledger: str = ""
    prose: str = ""


class Document(msgspec.Struct, frozen=True):
    """All sections but Current State in order, and the Current State it was last written with."""

    blocks: tuple[Block, ...] = tuple(Block(name) for name in NAMES[1:])
    current_state: str = ""

    def block(self, name: str) -> Block:
        """The section of that name, empty if there is none."""
        return next((block for block in self.blocks if block.name == name), Block(name))

    def to_markdown(self, current_state: str) -> str:
        """The whole memory as text. No heading is missing; an empty section says so."""
        parts = [TITLE, _section(Block(CURRENT_STATE, current_state)), *map(_section, self.blocks)]
        return "\n\n".join(parts) + "\n"


def _section(block: Block) -> str:
    body = escaped(block.ledger)
    if block.prose:
        body = f"{body}\n{PROSE_MARK}\n{escaped(block.prose)}" if body else f"{PROSE_MARK}\n{escaped(block.prose)}"
    return f"## {block.name}\n{body or (NONE_KNOWN if block.name == PENDING else EMPTY)}"


def escaped(text: str) -> str:
    """The text of a block as it stands in the Markdown: lines that would count as marks of ours get a backslash."""
    return _SPECIAL.sub(r"\\\1\2", text.strip("\n"))


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1\2", text)


def parse(text: str, known: Iterable[str] = NAMES) -> Document:
    """The document a text shows, with these sections. Unknown headings stay text of the section they stand in; missing
    ones are empty.
    """
    names = tuple(name for name in dict.fromkeys(known) if name != PINNED)
    found: dict[str, str] = {}
    name = ""
    pieces = _HEADING.split(text.replace("\r\n", "\n"))
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if (title in names or title == PINNED) and title not in found:
            name, found[title] = title, body.strip("\n")
        elif name:
            found[name] += f"\n## {title}{body.rstrip()}"
    shown = [*names[1:], *([PINNED] if PINNED in found else [])]
    blocks = tuple(_block(each, found.get(each, "")) for each in shown)
    return Document(blocks, _block(CURRENT_STATE, found.get(CURRENT_STATE, "")).ledger)


def _block(name: str, body: str) -> Block:
    if body.strip() in EMPTIES:
        return Block(name)
    # The mark alone is left where somebody struck out all prose.
    pieces = re.split(rf"^{re.escape(PROSE_MARK)}(?:\n|\Z)", body, maxsplit=1, flags=re.MULTILINE)
    ledger, prose = (pieces[0], pieces[1]) if len(pieces) == 2 else (body, "")
    return Block(name, _unescape(ledger.strip("\n")), _unescape(prose.strip("\n")))
