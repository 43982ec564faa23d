"""Results: what came of each turn, in the agent's words, under the request that it answers.

A result without its request misleads: a finding reads like the state of things, a count like today's. So results stand
by turn, and of every turn the sentence that says what came of it is served before any other, newest turn first.
Questions and offers are no results; what was ahead or under way when it was said is none once a later result exists.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from memcli.ledger.clean import ELISION, clip
from memcli.ledger.prose import TELLING, announces, sentences, telling
from memcli.memory import labels
from memcli.memory.budget import Line
from memcli.memory.quoting import quoted, spelled, told
from memcli.memory.sections import COMPLETED
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.narrative import Note

REQUEST_LIMIT = 48  # characters of a request above its results
LONG_WORD = 120  # characters of an address that is all a request begins with
CLOSING_LIMIT = 170
MAX_TURNS = 40  # turns of which it is said what came of them

_ASKS = pattern(
    r"(?i)\?\W*$|\b(?:want me to|would you like|do you want|shall i|should i|let me know (?:if|when|which)|"
    r"ready (?:to|for|when)\b|say the word|if you(?:['’]d| would)? (?:like|want|prefer))"
)
_LEANS = pattern(
    r"(?:That|This|Those|These|They|It|Also|And|But|Meanwhile|Then|Now|Let|Current state)\b|[a-z]+ [a-z]+ "
    r"|\W*(?:\d{1,2}|[A-H])(?:\.| —) "  # one item of several
)
_BY_DOING = pattern(r"\w+ing\b")
_CONCEDES = pattern(r"(?i)you(?:['’]re| are| were) (?:absolutely |quite )?right\b|good (?:question|point|catch)\b")
_ANSWERS = pattern(r"(?i)((?:yes|no|both|neither)\b)(?! \w)")


@lru_cache(maxsize=4096)
def asks(words: str) -> bool:
    """True for a question or an offer: no result, whatever it names."""
    return bool(_ASKS.search(words))


@lru_cache(maxsize=4096)
def stated(words: str) -> str:
    """The words without what only says what comes next, or who was right; "" if without it they say too little."""
    said = sentences(words)
    # "Rounding each total is slow" begins like "Reading the file", and may be all that was found
    kept = [
        place
        for place, one in enumerate(said)
        if not _CONCEDES.match(one) and (_BY_DOING.match(one) or not announces(one))
    ]
    if len(kept) == len(said):
        return words
    gaps = [f" {ELISION} " if place - before > 1 else " " for before, place in pairwise([*kept[:1], *kept])]
    text = "".join(gap + said[place] for gap, place in zip(gaps, kept, strict=True)).strip()
    return text if telling(text) >= 2 * TELLING else ""


class TurnLabels:
    """Labels of the turns of a ledger: number and request."""

    def __init__(self, ledger: Ledger) -> None:
        self.turns = ledger.state.turns
        self.asked = {index: f"the user ran {spelled(name)}" for index, name in ledger.state.requests.ran}
        self.asked |= {
            one.index: f"user: {quoted(one.text, _room(one.text))}"
            for one in ledger.state.requests.said
            if one.via in ("prompt", "command")
        }

    def at(self, index: int) -> str:
        """The label of the turn an event belongs to; that of all results if no turn had begun."""
        number = self.turns.at(index)
        place = number - self.turns.dropped - 1
        if place < 0:
            return labels.RESULTS
        return f"t{number}, {self.asked.get(self.turns.starts[place], 'a request no longer known')}:"


def _room(text: str) -> int:
    """Characters of a request above its results: a first word that is longer (an address) stands whole, if it can."""
    return max(REQUEST_LIMIT, min(len(text.split(" ", 1)[0]) + len(ELISION) + 1, LONG_WORD))


def is_result(ledger: Ledger, note: Note) -> bool:
    """True for a note that may stand among the results: no question, no offer, nothing ahead or passed since."""
    return not note.ahead and not asks(note.words) and not ledger.state.narrative.expired(note)


def closings(ledger: Ledger) -> list[Line]:
    """The sentence that says what came of each turn, newest first; not of the last text, which Active Work quotes.

    The first line has no text: it only opens the group, so that its label stands above those of the turns.
    """
    narrative = ledger.state.narrative
    texts: dict[int, list[Note]] = {number: [] for number in narrative.finals[-MAX_TURNS:]}
    for note in narrative.notes:
        if note.text in texts and note.text != narrative.texts and is_result(ledger, note):
            texts[note.text].append(note)
    turns = TurnLabels(ledger)
    best = [(said[0].index, closing) for said in texts.values() if (closing := _closing([one.words for one in said]))]
    lines = [
        Line(COMPLETED, turns.at(index), f"- {told(clip(closing, CLOSING_LIMIT)).rstrip(':')}", index)
        for index, closing in reversed(best)
    ]
    return [Line(COMPLETED, labels.RESULTS, "", -1), *lines] if lines else []


def _closing(said: list[str]) -> str:
    """The first note of a text that says enough to stand for the whole, without what stands before it; "" if none does.

    What only leads to the answer ("You were right.", "Let me be precise.") is left out, but not a "Yes".
    """
    whole = [stated(words) for words in said if not _LEANS.match(words)]
    found = next((words for least in (2 * TELLING, TELLING) for words in whole if telling(words) >= least), "")
    answer = _ANSWERS.match(said[0]) if said else None
    return f"{answer[1]}. {ELISION} {found}" if answer and found and not _ANSWERS.match(found) else found
