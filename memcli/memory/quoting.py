"""Quoting: how somebody else's words stand in the memory.

The only double quotation marks of a memory are ours, so a quote ends where we end it; nothing quoted can open a
heading, a fence, a tag or another quote. A reader can check every quote against the transcript by its words.
"""

from __future__ import annotations

import re

from memcli.ledger.clean import ELISION, WITHIN, clip, one_line
from memcli.ledger.names import names_in
from memcli.transcript.patterns import pattern

QUOTE_LIMIT = 3_600
SHORTEST = 24  # a tail of a quote shorter than this is not worth its elision mark

_DOUBLE = str.maketrans({'"': "'", "“": "'", "”": "'", "„": "'", "«": "'", "»": "'", "`": "'"})
_TAG = pattern(r"<[/!A-Za-z]")
_PARTED = pattern(r"^(?:[—–-]|->|→)\s+")
_LEAD = pattern(r"^[\s>#*+=~|-]+")


def quoted(text: str, limit: int = QUOTE_LIMIT) -> str:
    """`text` in double quotation marks, on one line; what does not fit is left out of its middle, and marked."""
    line = shortened(one_line(text).translate(_DOUBLE), min(limit, QUOTE_LIMIT))
    return f'"{line.rstrip(chr(92))}"'


def shortened(line: str, limit: int) -> str:
    """At most `limit` characters: the head and, where there is room, the tail of a line, cut between words."""
    if len(line) <= limit:
        return line
    if limit * 3 // 10 < SHORTEST:
        return clip(line, limit)
    head = clip(line, limit * 7 // 10, mark=False)
    tail = line[len(head) - limit + len(ELISION) + 2 :]
    tail = tail[tail.find(" ") + 1 :] if " " in tail else ""
    return f"{head} {ELISION} {tail}".strip()


def told(text: str, limit: int = 0) -> str:
    """`worded` words of the agent, to begin a line: one that begins with a path would look like an entry of Files."""
    line = worded(text, limit)
    first, _, rest = line.partition(" ")
    if not _is_path(first):
        return line
    what = _PARTED.sub("", rest)
    return f"in {first.rstrip(':')}: {what}" if what != rest or first.endswith(":") else f"on {line}"


def worded(text: str, limit: int = 0, by: str = "agent: ") -> str:
    """Words without quotation marks, but quoted, as said `by` somebody, where they hold links or tags: those never
    stand bare.
    """
    line = _LEAD.sub("", one_line(text)).translate(_DOUBLE)
    line = clip(line, limit) if limit else line
    if "://" in line or _TAG.search(line):
        return f"{by}{quoted(line)}"
    return line


def fenced(code: str, language: str = "") -> str:
    """Lines of code as they are, between fences that none of them can close."""
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def _is_path(word: str) -> bool:
    return any("." in name or name.count("/") > 1 for name in names_in(word))


def spelled(text: str, limit: int = 200) -> str:
    """A command, path or name as code, on one line; of a look-up what was looked for, and where."""
    what, within, where = clip(one_line(text).translate(_DOUBLE), limit).partition(WITHIN)
    return f"`{what}` in `{where}`" if within else f"`{what}`"
