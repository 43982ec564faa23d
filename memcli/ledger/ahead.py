"""Ahead: what a text of the agent names as next or remaining, item by item.

Such a list is no result, though it often stands at the end of a report, right behind what was done; and what of it the
person did not take up at once is still to be done. Only lists under words that say so count, the paragraph under such a
heading, and lines that begin with them ("Next: …").
"""

from __future__ import annotations

from memcli.ledger.prose import LEAD_LIMIT, bare
from memcli.transcript.patterns import pattern

MAX_ITEMS = 9

_LEAD = pattern(
    r"(?i)^\W*(?:"
    r"remaining\b|next(?: steps?)?\W*$|next up\b|"
    r"(?:what(?:['’]s| is)|still) (?:left|next|missing|remaining|open|to do)\b|"
    r"next\b.*\bi(?:['’]d| would)\b|to[- ]?do\W*$|left to do\b|not (?:yet )?(?:done|implemented)\b|"
    r"open (?:items?|points?)\b|outstanding\b|follow[- ]?ups?\b|deferred\b|"
    r".{0,60}\b(?:(?:is|are|remains?) (?:left|open|missing)|remaining|still missing|left to do|next steps?)\W*$)"
)
_SAID = pattern(
    r"(?i)^(?:next(?: up| steps?)?|(?:still )?(?:deferred|open|outstanding|pending|remaining|to do|untouched)"
    r"(?:[ ,][\w ,]{0,20})?): +(?!none\b|nothing\b|no )\S+ \S+ \S"
)
_NOTHING = pattern(r"(?i)^\W*(?:none|nothing|n/a|no)\b")
_ITEM = pattern(r"^(?:[-*+•]|\(?(?:\d{1,2}|[A-Ha-h])[.)]|\[ \])\s+\S")
_HEADING = pattern(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)")


def ahead_in(text: str) -> list[str]:
    """The items of a text (cleaned) that it names as next or remaining, without marks, in order."""
    items: list[str] = []
    listing = below = False
    for line in text.split("\n"):
        if not line.strip() or (listing and line.startswith((" ", "\t"))):
            continue
        if listing and _ITEM.match(line):
            items.append(bare(line))
            below = False
            continue
        leads = (":" in line or line.lstrip().startswith(("#", "*"))) and _leads(line)
        if (below and not leads and not _ends(line)) or (":" in line and _SAID.match(bare(line))):
            items.append(bare(line))
        listing = below = leads
    return items[:MAX_ITEMS]


def _ends(line: str) -> bool:
    """True for the first line below a heading that opens another part, or says that there is nothing."""
    return bool(_HEADING.match(line) or _NOTHING.match(line)) or line.lstrip().startswith(("|", "```", "~~~"))


def _leads(line: str) -> bool:
    """True for a heading, or a line that leads to others, that says so."""
    words = bare(line)
    leads = len(words) <= LEAD_LIMIT and (bool(_HEADING.match(line)) or words.endswith(":"))
    return leads and bool(_LEAD.match(words))
