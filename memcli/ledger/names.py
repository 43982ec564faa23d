"""Names: identifiers in text, and how much each matters to whoever continues.

A name is a path, a file name, a symbol in camelCase or snake_case, a `--flag`, a ticket id, a commit hash or a URL.
`Names` counts who used a name: the person's, the agent's and the calls' uses weigh alike and grow with the logarithm
of their number; recent use weighs more (half-life in events). Names that only tools printed are not counted: nearly
all that a session needs later was said or used by somebody before (measured on twelve real sessions: 84 %).
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    _Of: TypeAlias = Callable[[str], tuple[str, ...]]

MAX_NAMES = 4000
HALF_LIFE = 800  # events
KNOWN = 8192  # pieces of text whose names are remembered
LONG = 250  # characters of a piece that is not: no word, no path
SHORTEST = 5  # characters of a name
SHORTEST_WORD = 3
WRITTEN = 0.6  # weight of being one of many names in a written text

_ENDINGS = (
    "go|pyi?|tsx?|jsx?|mjs|cjs|mdx?|jsonl?|ya?ml|sh|bash|zsh|toml|rs|sql|html?|s?css|mod|sum|txt|cc?|cpp|hh?|hpp|java|"
    "kts?|rb|php|swift|gradle|xml|ini|cfg|conf|lock|csv|env|proto|tf|dart|lua|vue|svelte|log|patch|diff|gz|png|svg|"
    "ipynb|cs|ex|exs|erl|hs|ml|scala|clj|pl|r|jl|zig|nim|nix|cue|bats|dockerfile"
)
NAME = pattern(
    r"https?://[^\s\"'`)>\]}]+"
    r"|(?<![\w.@~+-])[\w.@~+-]*(?:/[\w.@~+-]+)+"
    r"|\b[A-Z]{2,8}-\d+\b"
    r"|\b[0-9a-f]{7,40}\b"
    rf"|\b[\w-]+\.(?:{_ENDINGS})\b"
    r"|\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b"
    r"|\b[a-z]+[A-Z][A-Za-z0-9]*\b"
    r"|\b[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+\b"
    r"|(?<![\w-])--[a-z][\w-]{2,}"
)
_URL = pattern(r"(https?://[^\s\"'`)>\]}]+)")
_GLUED = pattern(r"://(?:(?<=[\w.@~+/-]http://)|(?<=[\w.@~+/-]https://))")  # an address right behind something else
# Whatever holds a name that is no address, or an ordinary word, is one piece; in ASCII a table parts them quicker.
_PIECE = pattern(r"[\w.@~+/-]+")
_APART = bytes(code if _PIECE.match(chr(code)) else ord(" ") for code in range(256))
# The most of what is not ASCII in texts that are: no part of a piece either.
_COMMON = "’—–→“”…✓"
_SYMBOLS = pattern("[\u2010-\u2027\u2030-\u205e\u2190-\u23ff\u2500-\u2775\u2794-\u2bff\U0001f300-\U0001faff]")
_HASH = pattern(r"[0-9a-f]{7,40}")
_HEXADECIMAL = "abcdef"  # of its letters alone a name may be made, a hash without figures
_FIGURES = pattern(r"[\d/.:-]+")
_WORD = pattern(r"(?<![\w./-])[A-Za-z]{3,}(?![\w./-]*[/_\d])")
_DEFINED = pattern(
    r"\n[+ \t]*(?:export |public |private |protected |static |async |pub(?:\([a-z]+\))? |default |abstract )*"
    r"(?:func(?: \([^)]*\))?|def|class|type|struct|enum|trait|interface|fn|function|const|impl|module)"
    r"\s+([A-Za-z_]\w{2,})"
)


def names_in(text: str) -> list[str]:
    """Names in order of appearance, repeated ones too."""
    if "://" not in text:
        return [*_names_between(text)]
    if _GLUED.search(text):
        return [*_named(text)]
    parts = _URL.split(text)
    return [name for part in parts for name in (_named(part) if "://" in part else _names_between(part))]


def _names_between(text: str) -> Iterable[str]:
    return _read(text, SHORTEST, _names_of, _names_at)


def is_name(word: str) -> bool:
    """True if a single word, no address, is a name or holds one."""
    return bool(_names_of(word) if len(word) <= LONG else _names_at(word))


def uses_in(text: str) -> dict[str, int]:
    """How often each key of a name stands in a text, in order of first appearance; whole paths and addresses are left
    out.
    """
    if "://" in text:
        return Counter(_inner_keys(names_in(text)))
    uses: dict[str, int] = {}
    for piece, count in Counter([piece for piece in _pieces(text) if len(piece) >= SHORTEST]).items():
        for key in _inner_keys_of(piece) if len(piece) <= LONG else _inner_keys(_names_at(piece)):
            uses[key] = uses.get(key, 0) + count
    return uses


def _inner_keys(names: Iterable[str]) -> tuple[str, ...]:
    return tuple([key_of(name) for name in names if not name.startswith(("http", "/"))])


def _read(text: str, shortest: int, known: _Of, anew: _Of) -> Iterable[str]:
    """What the pieces of a text without addresses hold, in order; those below `shortest` hold nothing. Most are words
    that are used again and again and so are `known`; what is too long for a word is looked at `anew`.
    """
    pieces = [piece for piece in _pieces(text) if len(piece) >= shortest]
    of = anew if len(text) > LONG and max(map(len, pieces), default=0) > LONG else known
    return chain.from_iterable(map(of, pieces))


def _pieces(text: str) -> list[str]:
    text = text if text.isascii() else _without_symbols(text)
    return text.encode().translate(_APART).decode().split() if text.isascii() else _PIECE.findall(text)


def _without_symbols(text: str) -> str:
    """A text with blanks in the place of dashes, quotation marks, arrows, drawings and emoji."""
    for symbol in _COMMON:
        text = text.replace(symbol, " ")
    return text if text.isascii() else _SYMBOLS.sub(" ", text)


def _named(text: str) -> Iterator[str]:
    for match in NAME.finditer(text):
        item = match.group().rstrip(".,:;/-+")
        if SHORTEST <= len(item) <= 200 and not _plain(item):
            yield item


def _names_at(piece: str) -> tuple[str, ...]:
    return () if len(piece) < SHORTEST or _ordinary(piece) else tuple(_named(piece))


def _words_at(piece: str) -> tuple[str, ...]:
    word = piece.rstrip(".-")
    if word.isascii() and word.isalpha() and word[1:].islower() and word.strip(_HEXADECIMAL):
        return (word,) if len(word) >= SHORTEST_WORD else ()
    return tuple(_WORD.findall(NAME.sub(" ", piece)))


def _keys_at(piece: str) -> tuple[str, ...]:
    return tuple(map(key_of, _names_at(piece)))


@lru_cache(maxsize=KNOWN)
def _inner_keys_of(piece: str) -> tuple[str, ...]:
    return _inner_keys(_names_at(piece))


_names_of = lru_cache(maxsize=KNOWN)(_names_at)
_keys_of = lru_cache(maxsize=KNOWN)(_keys_at)
_words_of = lru_cache(maxsize=KNOWN)(_words_at)


def _ordinary(word: str) -> bool:
    """True for a word that cannot hold a name: most words, sorted out before the costly pattern."""
    word = word.rstrip(".-")
    return word[1:].islower() and (word.isalpha() or (word.replace("-", "").isalpha() and "--" not in word))


def _plain(item: str) -> bool:
    """True for what looks like a name and is none: dates, versions, ordinary words in hexadecimal letters."""
    if _FIGURES.fullmatch(item):
        return True
    if _HASH.fullmatch(item):
        return item.isdigit() or item.isalpha()
    return item.startswith("/") and item.count("/") == 1 and "." not in item and len(item) < 7


def key_of(name: str) -> str:
    """What two spellings of one name have in common: the last component of a path (the last two of a short one)."""
    if "/" not in name or name.startswith("http"):
        return name
    parts = [part for part in name.split("/") if part]
    if not parts:
        return name
    last = parts[-1]
    return last if "." in last or len(last) >= 6 else "/".join(parts[-2:])


def keys_in(text: str) -> list[str]:
    """The distinct keys of the names in a text, in order."""
    if "://" in text:
        return list(dict.fromkeys(map(key_of, names_in(text))))
    return list(dict.fromkeys(_read(text, SHORTEST, _keys_of, _keys_at)))


def words_in(text: str) -> list[str]:
    """Ordinary words of three letters or more, outside of names."""
    if "://" not in text:
        return [*_read(text, SHORTEST_WORD, _words_of, _words_at)]
    if _GLUED.search(text):
        return _WORD.findall(NAME.sub(" ", text))
    parts = _URL.split(text)[::2]
    return [word for part in parts for word in _read(part, SHORTEST_WORD, _words_of, _words_at)]


def speaks(text: str, least: int) -> bool:
    """True if a text has at least so many `words_in` it; mostly its first words tell."""
    found = 0
    for word in text.split():  # what stands apart is no part of a name or an address
        if len(word) >= SHORTEST_WORD and word.isascii() and word.isalpha() and word[1:].islower():
            found += bool(word.strip(_HEXADECIMAL))
            if found >= least:
                return True
    return len(words_in(text)) >= least


def defined_in(code: str) -> list[str]:
    """Symbols that a piece of code defines, in any of the usual languages."""
    return list(dict.fromkeys(_DEFINED.findall("\n" + code)))


class Name(msgspec.Struct, array_like=True):
    """Uses of one name: by the person, by the agent in words, in calls, in written text; and the last (event index)."""

    person: int = 0
    agent: int = 0
    calls: int = 0
    written: int = 0
    last: int = 0


class Names(msgspec.Struct, array_like=True):
    """All names somebody used, the least recent forgotten beyond MAX_NAMES."""

    seen: dict[str, Name] = {}

    def person(self, text: str, index: int) -> None:
        """The person wrote this text."""
        for key in keys_in(text):
            self._at(key, index).person += 1

    def agent(self, text: str, index: int) -> None:
        """The agent wrote this text."""
        for key in keys_in(text):
            self._at(key, index).agent += 1

    def called(self, keys: list[str], index: int) -> None:
        """A call used these names."""
        for key in keys:
            self._at(key, index).calls += 1

    def written(self, keys: list[str], index: int) -> None:
        """Text that a call wrote, or a subagent reported, holds these names."""
        for key in keys:
            self._at(key, index).written += 1

    def _at(self, key: str, index: int) -> Name:
        name = self.seen.pop(key, None) or Name()
        name.last = index
        self.seen[key] = name  # moved to the end: the first key is always the least recent
        if len(self.seen) > MAX_NAMES:
            del self.seen[next(iter(self.seen))]
        return name

    def weights(self, now: int) -> dict[str, float]:
        """How much each name matters at event `now`."""
        return {key: _weight(name, now) for key, name in self.seen.items()}


def _weight(name: Name, now: int) -> float:
    uses = (
        math.log1p(name.person) + math.log1p(name.agent) + math.log1p(name.calls) + WRITTEN * math.log1p(name.written)
    )
    return float(uses * 0.5 ** ((now - name.last) / HALF_LIFE))
