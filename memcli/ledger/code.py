"""Code: what a written piece of text says: the names it uses, and the words that explain them.

The words are comments, doc strings, or the prose of a document. They tell a reader what a symbol is for, which its
name alone does not.
"""

from __future__ import annotations

from memcli.ledger.clean import clip, one_line
from memcli.ledger.names import defined_in, names_in, speaks, uses_in
from memcli.ledger.prose import notes_in, sentences
from memcli.transcript.patterns import pattern

REMARK_LIMIT = 170
REMARK_WORDS = 5
MAX_REMARKS = 4
MAX_NAMES = 40

ABOUT_SCAN = 2_000  # characters at the head of a file that may say what it is
ABOUT_LINES = 15
ABOUT_WORDS = 3

_PROSE_FILES = (".md", ".mdx", ".txt", ".rst", ".adoc")
_COMMENT = pattern(r"^\s*(?://+!?|#+(?!!)|--|;+|/\*+|\*(?!/)|\"\"\"|''')[ \t]?(.*?)(?:\*/|\"\"\"|''')?\s*$")
_COMMENTING = ("//", "#", "--", ";", "/*", "*", '"""', "'''")
_TITLE = pattern(r"#{1,2} \S")
_NOT_ABOUT = pattern(r"(?i)^!|copyright|licen[cs]e|eslint|prettier|noqa|nolint|shellcheck|-\*-|^@|^go:|^\+build")
_NUMBERED = pattern(r"\n\s*\d+(?:→|\t|: ?)")
_FOUND = pattern(r"([\w./@+~-]+\.\w+)[:-]\d+[:-](.*)")
_PLACE = pattern(r"[:-]\d+[:-]")
_CODE_LIKE = pattern(r"[;{}=]\s*$|^\s*(?:import|return|if|for|let|const|var)\b|[({]\s*$")


def added(old: str, new: str) -> str:
    """The lines of `new` that `old` has not; all of `new` if nothing is left (a pure removal)."""
    before = set(old.split("\n"))
    return "\n".join(line for line in new.split("\n") if line not in before) or new


def unnumbered(printed: str) -> str:
    """A printed file without line numbers."""
    return _NUMBERED.sub("\n", "\n" + printed)[1:]


def by_file(found: str) -> dict[str, list[str]]:
    """Symbols that the lines of a search (`path:12:text`) define, by path."""
    symbols: dict[str, list[str]] = {}
    for line in found.split("\n") if _PLACE.search(found) else []:
        if (match := _FOUND.match(line)) and (defined := defined_in(match[2])):
            symbols.setdefault(match[1], []).extend(defined)
    return symbols


def key_names(code: str) -> list[str]:
    """Names that characterise a piece of code: what it defines first, then what it uses most."""
    uses = uses_in(code)
    used = sorted(uses, key=uses.__getitem__, reverse=True)[:MAX_NAMES]
    defined = [name for name in defined_in(code) if len(name) >= 4]
    return list(dict.fromkeys([*defined, *used]))[:MAX_NAMES]


def remarks(code: str, path: str, limit: int = MAX_REMARKS) -> list[str]:
    """At most `limit` sentences in the text that explain something, those with names first."""
    if path.lower().endswith(_PROSE_FILES):
        found = [clip(note, REMARK_LIMIT) for note in notes_in(code)]
    else:
        found = [clip(text, REMARK_LIMIT) for block in _comment_blocks(code) for text in _lead(block)]
    telling = [text for text in found if speaks(text, REMARK_WORDS) and not _CODE_LIKE.search(text)]
    return sorted(telling, key=lambda text: -min(3, len(set(names_in(text)))))[:limit]


def about(text: str, path: str) -> str:
    """What a new file says of itself: the title of a document, or the first words of the comment at its head."""
    head = text[:ABOUT_SCAN]
    if path.lower().endswith(_PROSE_FILES):
        return clip(next((title.strip("# ") for title in head.split("\n") if _TITLE.match(title)), ""), REMARK_LIMIT)
    blocks = _comment_blocks("\n".join(head.split("\n")[:ABOUT_LINES]))
    said = (_lead(block) for block in blocks if not _NOT_ABOUT.search(block))
    return next((clip(one[0], REMARK_LIMIT) for one in said if one and speaks(one[0], ABOUT_WORDS)), "")


def _comment_blocks(code: str) -> list[str]:
    """Runs of comment lines, each as one line."""
    blocks: list[list[str]] = [[]]
    for line in code.split("\n"):
        match = _COMMENT.match(line) if line.lstrip().startswith(_COMMENTING) else None
        if match and match[1].strip():
            blocks[-1].append(match[1])
        elif blocks[-1]:
            blocks.append([])
    return [one_line(" ".join(block)) for block in blocks if block]


def _lead(block: str) -> list[str]:
    """The first sentences of a comment, as many as fit in a remark."""
    taken = ""
    for sentence in sentences(block):
        if taken and len(taken) + len(sentence) >= REMARK_LIMIT:
            break
        taken = f"{taken} {sentence}".strip()
    return [taken] if taken else []
