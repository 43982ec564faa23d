"""Seen: what a model was shown, by who said it. The guard lets pass what stands there, and tells who said it.

Texts are compared as words in order: case, punctuation and line breaks do not matter. Where a text was shortened or a
secret taken out of it, its two halves do not touch: no quote is found across such a gap.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from memcli.ledger.clean import one_line
from memcli.ledger.names import key_of
from memcli.memory.sections import PINNED, USER_INTENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memcli.ledger.ledger import Ledger
    from memcli.memory.document import Document
    from memcli.memory.jobs import Message

Role: TypeAlias = Literal["user", "assistant", "tool", ""]

REACH = 40
"""Characters before a quote within which a word says whose it is."""

NEARLY = 0.9
"""Share of a quote's words that a place of the source must have to be what was meant."""

SHORTEST_REPAIR = 5  # words; fewer stand in too many places
TRIES = 1_000  # places looked at for one quote

STEM = 5  # letters by which two forms of a word count as one

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
QUOTE = re.compile(r'(?<![\w\\])"([^"\n]*)"(?!\w)')
_ROLE = re.compile(
    r"(?i)\b(?:(?P<user>user)|(?P<assistant>assistant|agent)|(?P<tool>tool|output|stdout|stderr|error|result))\b(?!-)"
)
_GAP = re.compile(r"(?i)\[\s*(?:…|\.\.\.|redacted|elided|truncated|omitted)[^\]\n]{0,80}\]|\(…\)|…|\.\.\.|\*{3,}")
_WORD = re.compile(r"\w+|\x00")
_LETTERS = re.compile(r"[^\W\d_]{4,}")
_SENTENCE = re.compile(r"\n+|(?<=[.!?])\s+")
_NO_WORD = re.compile(r"\W+")
_MARK = " \x00 "
_DOUBLE = str.maketrans({'"': "'", "`": "'", "“": "'", "”": "'", "„": "'", "«": "'", "»": "'"})


def norm(text: str) -> str:
    """Lower case, every run of other characters than letters, digits and underscores as one space."""
    return _NO_WORD.sub(" ", text.lower()).strip()


def claimed(before: str, section: str) -> Role:
    """Who is said to speak a quote behind this text: the nearest word that tells, else the section's own voice."""
    words = list(_ROLE.finditer(QUOTE.sub(' " " ', CODE.sub(" ` ` ", before))[-REACH:]))
    if words:
        kind = words[-1].lastgroup
        return "user" if kind == "user" else "assistant" if kind == "assistant" else "tool"
    return "user" if section == USER_INTENT else ""


class Word(NamedTuple):
    """One word of a source, and where it stands."""

    text: str
    start: int
    end: int


class Source:
    """Texts of one voice."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(text for text in texts if text.strip())
        self.raw = "\n\x00\n".join(_GAP.sub("\x00", text.replace("\x00", " ")) for text in self.texts)

    @cached_property
    def _norm(self) -> str:
        return _MARK + _MARK.join(map(norm, self.raw.split("\x00"))) + _MARK

    @cached_property
    def _words(self) -> list[Word]:
        return [Word(found[0].lower(), *found.span()) for found in _WORD.finditer(self.raw)]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            places.setdefault(word.text, []).append(place)
        return places

    @cached_property
    def passages(self) -> list[frozenset[str]]:
        """The beginnings (five letters) of the words of every two sentences that follow each other."""
        stems = [
            frozenset(word[:STEM] for word in _LETTERS.findall(sentence.lower()))
            for text in self.texts
            for sentence in ("", *_SENTENCE.split(text))
        ]
        return [one | other for one, other in pairwise([*stems, frozenset()])]

    def holds(self, quote: str) -> bool:
        """True if every part of a quote stands here word for word; parts lie between marks of elision."""
        parts = [norm(part) for part in _GAP.split(quote)]
        long = [part for part in parts if len(part) >= 8] or [norm(quote)]
        return all(part and f" {part} " in self._norm for part in long)

    def names(self, name: str) -> bool:
        """True if a name, or what two spellings of it have in common, stands here letter for letter."""
        return self.shows(name) or self.shows(key_of(name))

    def shows(self, name: str) -> bool:
        """True if these characters stand here, not within a longer word."""
        place = self.raw.find(name)
        while place >= 0:
            around = self.raw[max(0, place - 1) : place] + self.raw[place + len(name) : place + len(name) + 1]
            if not any(char.isalnum() or char == "_" for char in around):
                return True
            place = self.raw.find(name, place + 1)
        return False

    def near(self, quote: str) -> str:
        """The place that a quote nearly is, word for word as it stands here; nothing if there is none, or several."""
        words = norm(quote).split()
        if len(words) < SHORTEST_REPAIR:
            return ""
        wanted, best = Counter(words), 0.0
        found: list[int] = []
        for start in self._windows(words):
            window = self._words[start : start + len(words)]
            share = (Counter(word.text for word in window) & wanted).total() / len(words)
            # of places that overlap, the one that begins and ends as the quote does is meant
            score = share + 0.001 * ((window[0].text == words[0]) + (window[-1].text == words[-1]))
            if share >= NEARLY and score >= best:
                found = [*(found if score == best else []), start]
                best = score
        texts = {self._between(start, start + len(words)) for start in found}
        return texts.pop() if len(texts) == 1 else ""

    def _windows(self, words: list[str]) -> list[int]:
        """Beginnings of the places that may be meant: not all of the rarest words can miss, so they hold one."""
        missing = len(words) - math.ceil(NEARLY * len(words))  # not of 1 - NEARLY, which is less than a tenth
        rarest = sorted(dict.fromkeys(words), key=lambda word: len(self._places.get(word, ())))[: missing + 1]
        last = len(self._words) - len(words)
        starts = {
            start
            for word in rarest
            for place in self._places.get(word, ())[: TRIES // len(words)]
            for start in range(max(0, place - len(words) + 1), min(place, last) + 1)
        }
        return sorted(starts)

    def _between(self, start: int, end: int) -> str:
        text = self.raw[self._words[start].start : self._words[end - 1].end]
        return "" if "\x00" in text else one_line(text).translate(_DOUBLE)


class States(NamedTuple):
    """What code knows better than any model: last state of files by path, errors, to-dos."""

    files: Mapping[str, str] = {}
    open: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()


class Seen:
    """All that a model was shown. `record` are quotes that are known to be genuine, but not whose they are; `shown` is
    everything else that it could take a name from: the lines of the memory, in our own words.
    """

    def __init__(
        self,
        user: Iterable[str] = (),
        assistant: Iterable[str] = (),
        tool: Iterable[str] = (),
        record: Iterable[str] = (),
        shown: Iterable[str] = (),
        states: States | None = None,
    ) -> None:
        self.user, self.assistant, self.tool = Source(user), Source(assistant), Source(tool)
        self.record, self.shown = Source(record), Source(shown)
        self.states = states or States()

    def of(self, role: Role) -> tuple[Source, ...]:
        """The sources in which a quote of that role may stand; without a role, all."""
        match role:
            case "user":
                return (self.user,)
            case "assistant":
                return (self.assistant,)
            case "tool":
                return (self.tool,)
            case "":
                return (self.user, self.assistant, self.tool, self.record)

    def holds(self, quote: str, role: Role = "") -> bool:
        """True if somebody (of that role) said these words."""
        return any(source.holds(quote) for source in self.of(role))

    def near(self, quote: str, role: Role = "") -> str:
        """The words that a quote nearly is, if there is one such place."""
        found = {text for source in self.of(role) if (text := source.near(quote))}
        return found.pop() if len(found) == 1 else ""

    def names(self, name: str) -> bool:
        """True if a name stands in anything that was shown."""
        return any(source.names(name) for source in (*self.of(""), self.shown))

    def shows(self, text: str) -> bool:
        """True if these very characters stand in anything that was shown, not within a longer word."""
        return any(source.shows(text) for source in (*self.of(""), self.shown))


def seen(
    messages: Iterable[Message],
    prose: Mapping[str, str],
    document: Document,
    ledger: Ledger | None = None,
) -> Seen:
    """What a job shows a model: new messages, the prose that stands, and the memory that was rendered of the facts.

    Quotes of memory and prose were true when they were written and count for who is said to speak them. With the
    `ledger` all that the user said counts, not only what the rendered memory had room for.
    """
    texts: dict[Role, list[str]] = {"user": [], "assistant": [], "tool": [], "": []}
    for message in messages:
        texts[message.role].append(message.text)
    blocks = [(block.name, block.ledger) for block in document.blocks] + list(prose.items())
    for section, block in blocks:
        for line in block.split("\n"):
            _take_in(texts, section, line)
    if ledger:
        texts["user"] += [one.text for one in ledger.state.requests.said]
    states = _states(ledger) if ledger else None
    return Seen(texts["user"], texts["assistant"], texts["tool"], texts[""], [block for _, block in blocks], states)


def _take_in(texts: dict[Role, list[str]], section: str, line: str) -> None:
    """The quotes of one line of a memory, each for whom it is said to be of; code is of no known voice."""
    for quote in QUOTE.finditer(line):
        role = "user" if section == PINNED else claimed(line[: quote.start()], section)
        texts[role].append(quote[1])
    texts[""] += [code[1] for code in CODE.finditer(line)]


def _states(ledger: Ledger) -> States:
    state = ledger.state
    return States(
        {path: file.state for path, file in state.files.written.items()},
        tuple(line for failure in state.work.failures.open for line in failure.lines),
        tuple(line for failure in state.work.failures.fixed for line in failure.lines),
        tuple(text for text, _ in state.work.todos.pending),
        tuple(state.work.todos.completed),
    )
