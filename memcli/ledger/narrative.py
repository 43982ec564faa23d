"""Narrative: what the agent said, as notes: findings, decisions with their reasons, plans, results of turns.

The last text before each prompt is the result of its turn. Notes keep their order; when there are too many, the oldest
that are neither a result nor a decision go first.
"""

from __future__ import annotations

import re

import msgspec

from memcli.ledger.clean import clean
from memcli.ledger.names import words_in
from memcli.ledger.prose import notes_in

MAX_NOTES = 900
MIN_WORDS = 4

_REASON = re.compile(
    r"(?i)\b(?:root cause|because|the (?:fix|problem|issue|bug|cause|reason) (?:is|was)|instead of|decided|decision|"
    r"turns out|confirmed|so that|therefore|rather than|caused by|due to|means that|must|cannot|never|always|"
    r"only when|why)\b"
)
_SMALL_TALK = re.compile(
    r"(?i)^(?:you're (?:absolutely )?right|good (?:question|point|catch|call)|great|perfect|excellent|sure|okay|"
    r"ok|done|thanks|sorry|i apologi[sz]e|understood|got it|now)[\s!.,:—-]*$"
)


class Note(msgspec.Struct, array_like=True):
    """One note. `text` is the number of the text it comes from; `reason` if it gives one."""

    index: int
    words: str
    text: int
    reason: bool = False
    plan: bool = False


class Narrative(msgspec.Struct, array_like=True):
    """Notes in order; the numbers of the texts that ended a turn."""

    notes: list[Note] = []
    finals: list[int] = []
    texts: int = 0
    open: bool = False  # a text was said since the last prompt

    def said(self, text: str, index: int, final: bool = False) -> str:
        """The agent said something; the cleaned text is returned."""
        text = clean(text, head=9000, tail=3000)
        self.texts += 1
        self.open = True
        for words in notes_in(text):
            if len(words_in(words)) >= MIN_WORDS and not _SMALL_TALK.match(words):
                self._keep(Note(index, words, self.texts, bool(_REASON.search(words))))
        if final:
            self.turned()
        return text

    def planned(self, notes: list[str], index: int) -> None:
        """The agent laid a plan before the person."""
        self.texts += 1
        for words in notes:
            if len(words_in(words)) >= MIN_WORDS:
                self._keep(Note(index, words, self.texts, bool(_REASON.search(words)), plan=True))

    def turned(self) -> None:
        """The person spoke: the last text was the result of the turn before."""
        if self.open:
            self.finals.append(self.texts)
            del self.finals[:-MAX_NOTES]
        self.open = False

    def _keep(self, note: Note) -> None:
        self.notes.append(note)
        if len(self.notes) > MAX_NOTES:
            results = set(self.finals)
            half = self.notes[: MAX_NOTES // 2]
            plain = (place for place, one in enumerate(half) if not one.reason and one.text not in results)
            del self.notes[next(plain, 0)]
