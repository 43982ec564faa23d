"""Scrubbing: what no line of a model's prose may hold, whatever it says.

Hidden characters and secrets, headings and rules, marks of ours, and tags that speak to an agent as if somebody else
did. What is left of a line is plain Markdown of one item.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli.ledger.clean import ELISION, clean
from memcli.memory.prose import canonical
from memcli.memory.sections import NAMES, PINNED, bare

if TYPE_CHECKING:
    from collections.abc import Container

LONGEST = 60_000  # characters of one block

_HEADING = re.compile(r"^\s{0,3}(?:(?:[-*+]\s+)?#{1,6}(?:\s+|$))+(.*)$")
_RULE = re.compile(r"^\s*(?:=[=\s]*|-{2,}\s*|(?:[*_-]\s*){3,})$")
_NOTHING = re.compile(r"^\s*[-*+]?\s*none(?: known)?\W*$", re.IGNORECASE)
_REMINDER = re.compile(
    r"<(system[\w-]*|[\w-]*reminder|instructions?)\b[^>]{0,200}>.{0,2000}?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ECHO = re.compile(r"\(calls [\w.:-]+: |\(result of [\w.:-]+[:)]|\(error of [\w.:-]+\)")
# What is so long is no word and no indent; searches for secrets and quotes take quadratic time within one.
_BLOB = re.compile(r"\S{500,}")
_DESERT = re.compile(r"[ \t]{80,}")
_TAG = re.compile(r"</?[A-Za-z!?|][^<>\n]{0,200}>|<\|[^|\n]{0,60}\|>|\[/?INST\]|<</?SYS>>")
_OPENING = re.compile(r"<(?=[/!A-Za-z|])")


def scrubbed(block: str) -> str:
    """A whole block without hidden characters, secrets, comments and reminders. Line ends are kept."""
    block = _DESERT.sub(" ", _BLOB.sub(ELISION, canonical(block)))
    text = clean(block.replace("\u2028", "\n").replace("\u2029", "\n"), head=LONGEST)
    return canonical(_COMMENT.sub("", _REMINDER.sub("", text)))


def scrubbed_line(line: str, own: Container[str] = ()) -> str:
    """One line outside of fences: a heading becomes a label, a section's goes (`own`: those of the user's, bare); tags
    lose their brackets; a call or a result as the prompt shows them (`summarize/conversation.py`) is no note.
    """
    heading = _HEADING.match(line)
    if heading:
        title = heading[1].strip("*_#: \t")
        ours = title.lower().startswith(_SECTIONS) or bare(title) in own
        line = "" if not title or ours else f"{title}:"
    if _RULE.match(line) or _NOTHING.match(line) or _ECHO.search(line):
        return ""
    pieces = re.split(r"(`[^`\n]+`)", line)  # code shows tags as they are, if it was seen at all
    pieces[::2] = [_OPENING.sub("‹", _TAG.sub("", piece)) for piece in pieces[::2]]
    return "".join(pieces).rstrip()


_SECTIONS = tuple(name.lower() for name in (*NAMES, PINNED))
