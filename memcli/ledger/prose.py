"""Prose: taking a text apart into notes, pieces of one line that can stand alone.

A note is a list item, a table row or up to three sentences; never part of a sentence, never code. Marks of Markdown
go, words stay as they were.
"""

from __future__ import annotations

import re

from memcli.ledger.clean import one_line

NOTE_LIMIT = 260
SHORTEST = 11

_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*\s*$|\Z)", re.DOTALL | re.MULTILINE)
_MARKS = re.compile(r"^(?:\s*(?:[-*+•>]|#{1,6}|\d{1,2}[.)]|\[[ xX~]\])\s+)+")
_BOLD = re.compile(r"(?<!\w)\*\*|\*\*(?!\w)")
_TICK_INSIDE = re.compile(r"`(?=/)|(?<=/)`|(?<=\w)`(?=\w)")  # without them two names would become one
_RULE = re.compile(r"^[\s|:=*_-]*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*\|")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]*]*\s+(?=[A-Z`\"'(*])")
_DIAGRAM = re.compile("[\u2500-\u257f→]{2,}|[│├└]")


def notes_in(text: str, limit: int = NOTE_LIMIT) -> list[str]:
    """The notes of a text in order, each at most about `limit` characters of whole sentences."""
    found: list[str] = []
    lines = _FENCED.sub("\n", text).split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _TABLE_RULE.match(following):
            continue  # the head of a table says nothing without its rows
        words = bare(line)
        if len(words) > SHORTEST and not _DIAGRAM.search(words):
            found.extend(_grouped(words, limit))
    return found


def bare(line: str) -> str:
    """One line without list marks, heading marks, bold, back-ticks and table bars."""
    if _RULE.match(line):
        return ""
    line = _MARKS.sub("", line)
    if line.lstrip().startswith("|"):
        line = " — ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())
    return one_line(_TICK_INSIDE.sub(" ", _BOLD.sub("", line)).replace("`", ""))


def sentences(text: str) -> list[str]:
    """Sentences of one line."""
    return [part for part in _SENTENCE.split(text) if part]


def _grouped(line: str, limit: int) -> list[str]:
    if len(line) <= limit:
        return [line]
    groups = [""]
    for sentence in sentences(line):
        if groups[-1] and len(groups[-1]) + len(sentence) >= limit:
            groups.append("")
        groups[-1] = f"{groups[-1]} {sentence}".strip()
    return groups


def purpose(text: str) -> str:
    """What the agent says it is about to do: the sentence next to the calls that follow the text."""
    notes = notes_in(text)
    return sentences(notes[-1])[-1].rstrip(":") if notes else ""
