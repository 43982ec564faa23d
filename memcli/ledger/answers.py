"""Answers: what a short request answers.

"option 1", "yes" or "1. full 2. no" say nothing without the text they reply to. So of the agent's last text its items
(numbered or lettered), its last question and its last offer ("If you want, I can …") are kept, and a request that
names an item, or is short, is paired with them: with the items it names, else with the question, else with the whole
enumeration, never with one item that would read like the choice. A bare nod to a text without both answers the offer.
"""

from __future__ import annotations

import msgspec

from memcli.ledger.clean import ELISION, clip, one_line
from memcli.ledger.prose import bare, sentences
from memcli.transcript.patterns import pattern
from memcli.transcript.secrets import lowered

MAX_ITEMS = 9
ITEM_LIMIT = 240
QUESTION_LIMIT = 300
BARE = 6  # words of a question that says nothing without the items before it
PICKING = 80  # words; a longer text counts its own items, not those of the agent
SHORT = 12  # words of a request that may need what it answers to be understood

_ITEM = pattern(r"^\s*(?:#{1,6} )?(?:\*\*)?\(?((?:[Oo]ption |[Tt]ier |[Ss]tep )?(\d{1,2}|[A-H])[.):])\s*\S")
_PICK = pattern(
    r"(?i)\b(?:options?|numbers?|to do|do|levers?|steps?|tiers?|items?|points?)\s*#?(\d{1,2}|[a-h])\b"
    r"|#(\d{1,2})\b|(?:^|(?<=\s))(\d{1,2}|[A-H])[.):](?=\s|$)|^\s*(\d{1,2}|[a-h])\s*(?:$|[,:\-—])"
)
_WHOLE = pattern(r"(?i)\b(?:both|all (?:of )?(?:them|these|those)|everything|all \w+)\b")
_BOTH = pattern(r"(?i)\bboth\b")
_TWO = pattern(r"\b(?:and|or)\b")
_OFFERS = pattern(
    r"(?i)\bif you(?:['’]d| would)? (?:want|like|prefer|wish)\b|\bsay (?:the word|so)\b|\bwant me to\b"
    r"|\b(?:happy|ready) to\b|\bi(?:['’]d| would) (?:suggest|recommend|propose)\b|\btell me (?:when|if|to)\b"
)
_TOLD_BY = (
    "if you",
    "say ",
    "want me",
    "happy to",
    "ready to",
    "suggest",
    "recommend",
    "propose",
    "tell me",
)  # in each
_REPLY = pattern(
    r"(?i)^\W*(?:y|yes|yep|yeah|ok|okay|sure|no|nope|go|both|all|please|sounds|agreed?|let'?s|do|continue|proceed|right)\b"
)


class Offer(msgspec.Struct, array_like=True):
    """What a text of the agent leaves to be answered: its items with their marks, its last question, its last offer."""

    items: list[str] = []
    question: str = ""
    offer: str = ""

    def answered(self, words: str) -> list[str]:
        """What these words of the person answer, in parts that stand word for word in the agent's text."""
        picks = _PICK.findall(words) if self.items else []
        named = {mark.upper() for match in picks for mark in match if mark}
        picked = [item for item in self.items if _mark(item) in named]
        if picked and len(words.split()) <= PICKING:
            return picked
        if len(words.split()) > SHORT and not (_REPLY.match(words) and len(words.split()) <= 4 * SHORT):
            return []
        if _BOTH.search(words) and self.items and len(self.items) != 2:
            return [self.question] if _TWO.search(self.question) else []  # two other things than the items
        if _WHOLE.search(words) and self.items:
            return self.items
        if self.question:
            return [*self.items, self.question] if len(self.question.split()) < BARE else [self.question]
        if not _REPLY.match(words):
            return []
        return self.items or ([self.offer] if self.offer and len(words.split()) <= SHORT else [])


def offer_of(text: str) -> Offer:
    """What a text of the agent (cleaned) offers or asks. Of several enumerations the last counts."""
    items: list[str] = []
    asked = offered = ""
    small = lowered(text)
    offers_some = any(sign in small for sign in _TOLD_BY)
    for line in text.split("\n"):
        if match := _ITEM.match(line):
            if items and match[2].upper() in {_mark(item) for item in items}:
                items = []  # another enumeration begins
            rest = bare(line.split(match[1], 1)[1]).lstrip("* ")
            items.append(clip(f"{match[1]} {one_line(rest)}", ITEM_LIMIT))
        if "?" in line:
            questions = [one for one in sentences(bare(line)) if one.rstrip("*_ )").endswith("?")]
            asked = questions[-1] if questions else asked
        elif offers_some and _OFFERS.search(line):
            offers = [one for one in sentences(bare(line)) if _OFFERS.search(one) and not one.rstrip().endswith(":")]
            offered = offers[-1] if offers else offered
    return Offer(
        items[:MAX_ITEMS] if len(items) > 1 else [], clip(asked, QUESTION_LIMIT), clip(offered, QUESTION_LIMIT)
    )


def _mark(item: str) -> str:
    match = _ITEM.match(item)
    return match[2].upper() if match else ""


def joined(parts: list[str], limit: int) -> str:
    """Parts one after the other, each cut alike so that together they keep about `limit` characters."""
    fair = max(40, limit // max(1, len(parts)) - len(ELISION) - 2)
    pieces = [clip(part, fair) for part in parts]
    return " ".join(
        piece if piece.endswith(ELISION) or place == len(pieces) - 1 else f"{piece} {ELISION}"
        for place, piece in enumerate(pieces)
    )
