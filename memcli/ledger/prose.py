"""Prose: taking a text apart into notes, pieces of one line that can stand alone.

A note is a list item, a table row or a few sentences; never part of a sentence, never code. A line that only leads to
what follows (a heading, "Three things fail:") stands before the first of it; a short list is one note, and so are
alternatives, shortened evenly: one of them alone would read like the choice. Marks of Markdown go, words stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, islice

from memcli.ledger.clean import ELISION, clip, one_line
from memcli.ledger.names import names_in, words_in
from memcli.transcript.patterns import pattern

NOTE_LIMIT = 260
LIST_LIMIT = 120  # characters of a list that is one note
CHOICE_LIMIT = 420  # characters of alternatives, which are always one note
WRAPPED = 55  # characters of a line that may have been broken only because it was full
CELL_WORDS = 3  # of one cell of a table, if its row says anything; one more in a wide table
SHORTEST = 11
LEAD_LIMIT = 90

_GAP = "\x00"  # stands where code was taken out
_HEADING = pattern(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*\s*$)")
_FENCED = pattern(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1[`~]*\s*$|\Z)", re.DOTALL | re.MULTILINE)
_MARKS = pattern(r"^(?:\s*(?:[-*+•>]|#{1,6}|\d{1,2}[.)]|\[[ xX~]\])\s+)+")
_BOLD = pattern(r"\*\*(?:(?<!\w\*\*)|(?!\w))")
_TICK_INSIDE = pattern(r"`(?:(?=/)|(?<=/`)|(?<=\w`)(?=\w))")  # without them two names would become one
_RULE = pattern(r"^[\s|:=*_-]*$")
_TABLE_RULE = pattern(r"^\s*\|?\s*:?-{3,}:?\s*\|")
_SENTENCE = pattern(r"[.!?][\"')\]*]*\s+(?=[A-Z`\"'(*])")  # its first character ends the sentence
_ITEM = pattern(r"^\s*(?:[-*+•]|\(?(?:\d{1,2}|[A-Ha-h])[.)])\s+\S")
_FIGURE = pattern(r"^\s*(\(?(?:\d{1,2}|[A-Ha-h])[.)])\s")
_CHOICE = pattern(
    r"(?i)\b(?:options?|choices?|alternatives?|approach(?:es)?|ways?|paths|either|one of|levers?|choose)\b"
)
# What stands below such words is no fact by itself: it is denied, missing or only an idea.
_HEDGES = pattern(
    r"(?i)\b(?:not|never|no longer|without|cannot|optional(?:ly)?|would|could|might|missing|propos(?:ed|als?)|ideas?|"
    r"possible|suggest\w*|skipped|left out|out of scope|non-goals?|unless|if)\b|n['’]t\b"
)
_ANNOUNCES = pattern(
    r"(?i)^(?:(?:ok(?:ay)?|now|good|right|so|great|next|then|first|and|also|finally),?\s+)*"
    r"(?:let me|let['’]?s|i['’]?ll|i will|i['’]?m|i am|i need to|now|next|\w+ing)\b"
)
_BACKWARD = pattern(r"(?i)^(?:so|that|which|it)\b")
# Verbs without the letters that their forms have in common, nouns, and other words that say nothing by themselves.
_DOING = (
    "add call check clean commit continu correct edit finish fix fixe get gett go keep look mak mov need proceed read "
    "rerun rerunn run runn start test try updat verify work writ"
)
_THINGS = "bug change file issue part site thing other"
_WORDS = (
    "all also and any are before both but done everything find first for found from good great has have here into its "
    "last let more next now okay one properly quick quickly remaining right same see some something still that the "
    "them then there these they this those too want will with"
)
_FILLER = frozenset(
    [word + ending for word in _DOING.split() for ending in ("", "s", "es", "e", "ed", "ing")]
    + [word + ending for word in _THINGS.split() for ending in ("", "s")]
    + _WORDS.split()
)
TELLING = 3  # ordinary words that make a sentence say something
_LINES = pattern("[\u2500-\u257f→]")
_DIAGRAM = pattern("[\u2500-\u257f→]{2,}|[│├└]")


def notes_in(text: str, limit: int = NOTE_LIMIT) -> list[str]:
    """The notes of a text in order, each at most about `limit` characters of whole sentences."""
    found: list[str] = []
    lead = hedge = ""
    lines = unwrapped(without_code(text, f"\n{_GAP}\n").split("\n"))
    listed = 0  # lines of a list that stand in a note already
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        words = bare(line)
        if place < listed:
            continue
        if hedge and words and not lead:
            hedge = hedge if _ITEM.match(line) else ""
            lead = f"{hedge} {ELISION}" if hedge and not words.endswith(":") else ""
        if lead and _ITEM.match(line) and (taken := _listed(lead, lines[place:])):
            note, count = taken
            found.append(note)
            lead, listed = "", place + count
        elif line == _GAP or ("---" in following and _TABLE_RULE.match(following)) or _draws(words):
            lead = ""  # what led to code or a drawing leads to nothing; the head of a table says nothing by itself
        elif words and not ("|" in line and _figures(line)):
            said, leads = _parted(words, heading=("#" in line or "**" in line) and bool(_HEADING.match(line)))
            if len(lead) + len(said) > SHORTEST:
                found.extend(_grouped(_joined(lead, said, line), limit))
            lead = leads
            hedge = leads if leads and _HEDGES.search(leads) else hedge
    return found


def unwrapped(lines: list[str]) -> list[str]:
    """Lines in which what was broken only because a line was full is whole again."""
    whole: list[str] = []
    for line in lines:
        before = whole[-1] if whole else ""
        if len(before) >= WRAPPED and _goes_on(before, line):
            whole[-1] = f"{before.rstrip()} {line.strip()}"
        else:
            whole.append(line)
    return whole


def _draws(words: str) -> bool:
    """True for a line of a drawing."""
    return not words.isascii() and bool(_LINES.search(words) and _DIAGRAM.search(words))


def without_code(text: str, gap: str = "\n") -> str:
    """A text with a gap in the place of each piece of code between fences."""
    return _FENCED.sub(gap, text) if "```" in text or "~~~" in text else text


def _goes_on(before: str, line: str) -> bool:
    """True if a line is the rest of the sentence before it."""
    if not line.strip() or _GAP in (before, line) or before.endswith("  ") or before.lstrip().startswith(("|", "#")):
        return False
    if _MARKS.match(line) or _ITEM.match(line) or line.lstrip().startswith(("|", "#", "**", ">")):
        return False
    return line.lstrip()[:1].islower() or not before.rstrip().endswith((".", "!", "?", ":", "*"))


def _listed(lead: str, lines: list[str]) -> tuple[str, int] | None:
    """Lead and list as one note, and the lines it took; None for a long list of things that stand alone."""
    items: list[str] = []
    count = 0
    for place, line in enumerate(lines):
        if _ITEM.match(line):
            figure = _FIGURE.match(line)
            items.append(f"{figure[1]} {bare(line)}" if figure else bare(line))
            count = place + 1
        elif line.strip():
            break
    length = len(lead) + sum(len(item) + 2 for item in items)
    choice = bool(_CHOICE.search(lead))
    if len(items) < 2 or any(item.endswith(":") for item in items) or (length > LIST_LIMIT and not choice):
        return None
    fair = max(40, (CHOICE_LIMIT - len(lead)) // len(items) - 2)
    parts = [clip(item, fair) if length > CHOICE_LIMIT else item for item in items]
    return f"{lead} {'; '.join(parts)}", count


def _figures(line: str) -> bool:
    """True for a row of a table that says nothing: no cell does by itself, nor do all of them together."""
    cells = line.strip().strip("|").split("|") if line.lstrip().startswith("|") else []
    spoken = [_spoken(cell) for cell in cells]
    return bool(cells) and max(spoken) < CELL_WORDS + (len(cells) > 2) and sum(spoken) < 2 * CELL_WORDS


def _spoken(cell: str) -> int:
    """Words of a cell as one speaks them, without code and figures."""
    return sum(word.strip("*.,;:()").isalpha() for word in cell.split())


def _joined(lead: str, said: str, line: str) -> str:
    """Lead and what follows it; an elision mark tells that a figure of the list stood between them."""
    if not (lead and said):
        return lead + said
    mark = line[: len(line) - len(_unmarked(line))]
    gap = f" {ELISION} " if any(map(str.isalnum, mark)) else " "
    return f"{lead}{gap}{said}"


def _parted(words: str, *, heading: bool) -> tuple[str, str]:
    """What a line says, and what of it only leads to the next one."""
    if heading and len(words) <= LEAD_LIMIT:
        return "", words.rstrip(":") + ":"
    if not words.endswith(":"):
        return words, ""
    *before, last = sentences(words)
    return (" ".join(before), last) if len(last) <= LEAD_LIMIT else (words, "")


@lru_cache(maxsize=512)  # several kinds of signals look at the lines of one text
def bare(line: str) -> str:
    """One line without list marks, heading marks, bold, back-ticks and table bars."""
    plain = line[:1].isalpha()  # as most lines begin: not with a mark
    if not plain and _RULE.match(line):
        return ""
    line = line if plain else _unmarked(line)
    if "**" in line:
        line, plain = _BOLD.sub("", line), False
    line = line if plain else _unmarked(line)
    if line.lstrip().startswith("|"):
        line = " — ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())
    return one_line(_TICK_INSIDE.sub(" ", line).replace("`", "") if "`" in line else line)


def _unmarked(line: str) -> str:
    mark = _MARKS.match(line)
    return line[mark.end() :] if mark else line


def sentences(text: str) -> list[str]:
    """Sentences of one line."""
    found, start = [], 0
    for end in _SENTENCE.finditer(text):
        found.append(text[start : end.start() + 1])
        start = end.end()
    return [*found, text[start:]] if start < len(text) else found


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
    """What the agent says it is about to do: of the sentences next to the calls that follow the text, the last that
    announces something, else the last that says something; "" if none does.
    """
    lines = (words for words in map(bare, reversed(without_code(text).split("\n"))) if len(words) > SHORTEST)
    said = [sentence for line in islice(lines, 2) for sentence in reversed(sentences(line))]
    announced = [one for one in said if _ANNOUNCES.match(one) or one.endswith(":")]
    best = (one for one in announced if telling(one) > 1)
    stated = (one for one in said if telling(one) >= TELLING and not _BACKWARD.match(one))
    return next(chain(best, stated, (one for one in announced if telling(one))), "").rstrip(":")


def announces(words: str) -> bool:
    """True for words that only say what comes next ("Now the docs", "Let me look")."""
    return bool(_ANNOUNCES.match(words))


@lru_cache(maxsize=4096)
def telling(words: str) -> int:
    """How much a sentence says: its ordinary words that are no filler; a name counts like enough of them."""
    content = {*map(str.lower, words_in(words))} - _FILLER
    return len(content) + (TELLING if names_in(words) else 0)
