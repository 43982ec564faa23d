"""Cleaning: what a text must lose before any of it may be kept.

Everything the ledger stores went through `clean` once, at intake: bounded in size, without terminal codes, hidden or
control characters and lone surrogates, and with its secrets redacted. Later code only ever cuts such text shorter.
"""

from __future__ import annotations

from functools import lru_cache

from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import redact

ELISION = "[…]"
WITHIN = " ∈ "  # between what was looked for and where, in the brief of a look-up

_TERMINAL = pattern(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?")
# Control, zero-width, bidirectional, tag and replacement characters, and surrogates that no encoder accepts.
_HIDDEN = pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\uffff\U000e0000-\U000e007f]"
)
# The same for a text in ASCII, which a table of bytes does quicker.
_SHOWN = bytes(code if chr(code) in "\t\n" or chr(code).isprintable() else ord(" ") for code in range(256))
_SPACE = pattern(r"\s+")
# Stands before a text while it is redacted: the text begins where its source begins, so that rules for values whose
# beginning was cut off, which take long paths for halves of tokens, must not apply.
_START = "|"
_MARGIN = 400  # characters; longer than the secrets we know, but for key blocks, which are known by any of their lines
_SHORT = 160  # characters of texts that come again and again: names of tools, paths, words of a state


def bounded(text: str, head: int, tail: int = 0) -> str:
    """The first `head` and last `tail` characters, cut at white space, with an elision mark between them."""
    if len(text) <= head + tail + len(ELISION) + 2:
        return text
    first = clip(text[: head + 1], head, mark=False) if head else ""
    if not tail:
        return f"{first} {ELISION}"
    last = text[-tail:]
    space = _SPACE.search(last)
    last = last[space.end() :] if space and space.end() < len(last) else last
    return f"{first}\n{ELISION}\n{last}"


def clean(text: str, head: int = 6000, tail: int = 2000) -> str:
    """`text`, bounded, visible and without secrets; line breaks are kept.

    It is bounded twice: what is cut away in the end was there while secrets were looked for, so that none is kept
    because its name or its beginning fell to the cut.
    """
    return _remembered(text, head, tail) if len(text) <= _SHORT else _cleaned(text, head, tail)


def _cleaned(text: str, head: int, tail: int) -> str:
    text = bounded(text, head + _MARGIN, tail + _MARGIN if tail else 0)
    if "\x1b" in text:
        text = _TERMINAL.sub("", text)
    safe = redact(_START + _visible(text.replace("\r\n", "\n")))[len(_START) :]
    return bounded(safe, head, tail)


_remembered = lru_cache(maxsize=2048)(_cleaned)


def _visible(text: str) -> str:
    """`text` with a space for every character that does not show."""
    return text.encode().translate(_SHOWN).decode() if text.isascii() else _HIDDEN.sub(" ", text)


def one_line(text: str, limit: int = 0) -> str:
    """`text` with every run of white space as one space, and at most `limit` characters if one is given."""
    line = " ".join(text.split())
    return clip(line, limit) if limit else line


def clip(text: str, limit: int, mark: bool = True) -> str:
    """At most `limit` characters of `text`, cut between words so that no name is ever halved.

    The elision mark that shows the cut is counted; a text whose first word is too long becomes the mark alone.
    """
    if len(text) <= limit:
        return text
    room = limit - len(ELISION) - 1 if mark else limit
    cut = max(text.rfind(" ", 0, room + 1), text.rfind("\n", 0, room + 1)) if room > 0 else -1
    kept = text[:cut].rstrip() if cut > 0 else ""
    if not mark:
        return kept
    return f"{kept} {ELISION}" if kept else ELISION


def identity(value: str) -> str:
    """An id as it may be stored: bounded and encodable."""
    value = value[:200]
    return value if value.isprintable() and value.isascii() else _HIDDEN.sub("", value)
