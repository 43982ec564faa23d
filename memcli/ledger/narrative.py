"""Narrative: what the agent said, as notes: findings, decisions with their reasons, plans, results of turns.

The last text before each prompt is the result of its turn. A text that ended a stretch of work before, at a notice of
the machine (a background task came back, a hook ran), is a result too only if it is a report of several notes. Notes
keep their order; when there are too many, the oldest that are neither a result nor a decision go first.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import takewhile

import msgspec

from memcli.ledger.ahead import ahead_in
from memcli.ledger.clean import clean
from memcli.ledger.names import speaks
from memcli.ledger.prose import notes_in
from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import lowered

MAX_NOTES = 900
MIN_WORDS = 4
FRESH = 2  # texts after which a remark on what is under way still holds
REPORT = 4  # notes that make a text a report

_REASON = pattern(
    r"\b(?:root cause|because|the (?:fix|problem|issue|bug|cause|reason) (?:is|was)|instead of|decided|decision|"
    r"turns out|confirmed|so that|therefore|rather than|caused by|due to|means that|must|cannot|never|always|"
    r"only when|why)\b"
)
# One of them stands in each reason.
_TOLD_BY = (
    "because,fix,problem,issue,bug,cause,reason,instead of,decided,decision,turns out,confirmed,so that,means that,"
    "therefore,rather than,due to,must,cannot,never,always,only when,why"
)
_REASONS = tuple(_TOLD_BY.split(","))
_SMALL_TALK = pattern(
    r"(?i)^(?:you're (?:absolutely )?right|good (?:question|point|catch|call)|great|perfect|excellent|sure|okay|"
    r"ok|done|thanks|sorry|i apologi[sz]e|understood|got it|now)[\s!.,:—-]*$"
)
_PASSING = pattern(
    r"(?i)\b(?:wait(?:ing)? (?:for|on|until)|waiting\b|still running|in progress|poll(?:ing)?\b|armed\b|to land\b|"
    r"remaining\b|(?:are|is) pending|\d+ pending|not yet|for now\b|so far\b|once (?:it|they|that|the|this)\b|"
    r"next[,:] )|^(?:next steps?|still to do|up next)\b"
)
_INTENDS = pattern(r"(?i)^(?:(?:ok(?:ay)?|now|good|so|then|first|and),? )*(?:i['’]ll|i will|i['’]m going to)\b")


class Note(msgspec.Struct, array_like=True):
    """One note. `text` is the number of the text it comes from; `reason` if it gives one; `ahead` if the text named it
    as next or remaining.
    """

    index: int
    words: str
    text: int
    reason: bool = False
    plan: bool = False
    ahead: bool = False


class Narrative(msgspec.Struct, array_like=True):
    """Notes in order; the numbers of the texts that ended a turn."""

    notes: list[Note] = []
    finals: list[int] = []
    texts: int = 0
    open: bool = False  # a text was said since the last prompt
    before: int = 0  # the number of texts when the person spoke last

    def said(self, text: str, index: int, final: bool = False) -> str:
        """The agent said something; the cleaned text is returned."""
        text = clean(text, head=9000, tail=3000)
        if not self.open and self.finals and self.finals[-1] > self.before and self._size(self.finals[-1]) < REPORT:
            self.finals.pop()  # the work went on: a step, no result
        self.texts += 1
        self.open = True
        items = ahead_in(text)
        for words in notes_in(text):
            ahead = any(item in words or words in item for item in items)
            if (ahead or speaks(words, MIN_WORDS)) and not _SMALL_TALK.match(words):
                self._keep(Note(index, words, self.texts, _reasons(words), ahead=ahead))
        if final:
            self.turned()
        return text

    def planned(self, notes: list[str], index: int) -> None:
        """The agent laid a plan before the person."""
        self.texts += 1
        for words in notes:
            if speaks(words, MIN_WORDS):
                self._keep(Note(index, words, self.texts, _reasons(words), plan=True))

    def asked(self) -> None:
        """The person spoke: the last text was the result of the turn before."""
        self.turned()
        self.before = self.texts

    def turned(self) -> None:
        """Work came to an end. Of several ends of one turn the last counts, and reports that are longer."""
        if self.open:
            while (
                self.finals and self.before < self.finals[-1] and self._size(self.finals[-1]) <= self._size(self.texts)
            ):
                self.finals.pop()
            self.finals.append(self.texts)
            del self.finals[:-MAX_NOTES]
        self.open = False

    def stopped(self) -> None:
        """The person stopped the work: what was said last is no result."""
        self.open = False

    @property
    def ahead(self) -> list[Note]:
        """What the newest text with such a list named as next or remaining; a single line replaces no list."""
        count = Counter(note.text for note in reversed(self.notes) if note.ahead)  # the newest text first
        newest, before = [*count, 0, 0][:2]
        listed = {newest, before} if count[newest] == 1 < count[before] else {newest}
        return [note for note in self.notes if note.ahead and note.text in listed]

    def _size(self, text: int) -> int:
        """Notes of one of the last texts."""
        later = takewhile(lambda note: note.text >= text, reversed(self.notes))
        return sum(note.text == text for note in later)

    def expired(self, note: Note) -> bool:
        """True for what was under way or intended when it was said, once a later result exists or the agent has gone
        on for some texts: now it is neither.
        """
        over = bool(self.finals) and note.text < self.finals[-1]
        if passing(note.words):
            return over or note.text < self.texts - FRESH
        return over and not note.reason and bool(_INTENDS.match(note.words))

    def _keep(self, note: Note) -> None:
        self.notes.append(note)
        if len(self.notes) > MAX_NOTES:
            results = set(self.finals)
            half = self.notes[: MAX_NOTES // 2]
            plain = (place for place, one in enumerate(half) if not one.reason and one.text not in results)
            del self.notes[next(plain, 0)]


def _reasons(words: str) -> bool:
    """True for words that decide something or say why."""
    words = lowered(words)
    return any(sign in words for sign in _REASONS) and bool(_REASON.search(words))


@lru_cache(maxsize=4096)
def passing(words: str) -> bool:
    """True for words that only say what is under way at this moment."""
    return bool(_PASSING.search(words))
