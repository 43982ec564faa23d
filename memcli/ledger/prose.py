"""Prose: taking a text apart into notes, pieces of one line that can stand alone.

A note is a list item, a table row or a few sentences; never part of a sentence, never code. A line that only leads to
what follows (a heading, "Three things fail:") stands before the first of it. Marks of Markdown go, words stay.
"""

from __future__ import annotations

import re

from memcli.ledger.clean import ELISION, one_line

NOTE_LIMIT = 260
SHORTEST = 11
LEAD_LIMIT = 90

_GAP = "\x00"  # stands where code was taken out
_HEADING = re.compile(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*\s*$)")
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*\s*$|\Z)", re.DOTALL | re.MULTILINE)
_MARKS = re.compile(r"^(?:\s*(?:[-*+•>]|#{1,6}|\d{1,2}[.)]|\[[ xX~]\])\s+)+")
_BOLD = re.compile(r"(?<!\w)\*\*|\*\*(?!\w)")
_TICK_INSIDE = re.compile(r"`(?=/)|(?<=/)`|(?<=\w)`(?=\w)")  # without them two names would become one
_RULE = re.compile(r"^[\s|:=*_-]*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*\|")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]*]*\s+(?=[A-Z`\"'(*])")
_VAGUE = re.compile(
    r"(?i)(?:(?:now|ok|okay|good|great|so),? )*(?:let me|let's|i'll|i will) (?:\w+ ){0,2}"
    r"(?:it|them|that|this|these|those|verify|check|continue|proceed)\b\W*(?:\w+\W*){0,2}$"
)
_DIAGRAM = re.compile("[\u2500-\u257f→]{2,}|[│├└]")


def notes_in(text: str, limit: int = NOTE_LIMIT) -> list[str]:
    """The notes of a text in order, each at most about `limit` characters of whole sentences."""
    found: list[str] = []
    lead = ""
    lines = _FENCED.sub(f"\n{_GAP}\n", text).split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        words = bare(line)
        if line == _GAP or _TABLE_RULE.match(following) or _DIAGRAM.search(words):
            lead = ""  # what led to code or a drawing leads to nothing; the head of a table says nothing by itself
        elif words:
            said, leads = _parted(words, heading=bool(_HEADING.match(line)))
            if len(lead) + len(said) > SHORTEST:
                found.extend(_grouped(_joined(lead, said, line), limit))
            lead = leads
    return found


def _joined(lead: str, said: str, line: str) -> str:
    """Lead and what follows it; an elision mark tells that a figure of the list stood between them."""
    mark = line[: len(line) - len(_MARKS.sub("", line))]
    gap = f" {ELISION} " if any(map(str.isalnum, mark)) else " "
    return f"{lead}{gap}{said}" if lead and said else lead + said


def _parted(words: str, *, heading: bool) -> tuple[str, str]:
    """What a line says, and what of it only leads to the next one."""
    if heading and len(words) <= LEAD_LIMIT:
        return "", words.rstrip(":") + ":"
    if not words.endswith(":"):
        return words, ""
    *before, last = sentences(words)
    return (" ".join(before), last) if len(last) <= LEAD_LIMIT else (words, "")


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
    """What the agent says it is about to do: the sentence next to the calls that follow the text.

    A last sentence that only says "let me fix it" gives way to the one before it, which says what.
    """
    lines = [words for words in map(bare, _FENCED.sub("\n", text).split("\n")) if len(words) > SHORTEST]
    said = [sentence for line in lines[-2:] for sentence in sentences(line)]
    while len(said) > 1 and _VAGUE.match(said[-1]):
        said.pop()
    return said[-1].rstrip(":") if said else ""
