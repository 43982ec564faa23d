"""User Intent: the first request and how it evolved, in the person's own words.

The first and the latest request always stand; of the others as many as there is room for, short ones whole. What stands
among the corrections is not told twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.clean import clip
from memcli.memory import labels
from memcli.memory.budget import Line, fair_limit
from memcli.memory.facts.corrections import corrections
from memcli.memory.facts.said import ANSWERED, answering, command, distinct, served
from memcli.memory.quoting import quoted, spelled
from memcli.memory.sections import ERRORS, REFERENCES, SECTIONS, USER_INTENT
from memcli.memory.shown import turn_mark

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.requests import Request
    from memcli.memory.budget import Groups

ANSWERS_SHARE = 0.15  # of the room of requests: what they answer takes no more of it
FOR_OBJECTIONS = 0.6  # of the room of requests: objections that have none among the corrections
FRAME = 11  # characters around a request: list mark, mark of the turn, quotation marks, line end
COMMANDS_SHOWN = 4

_SHARES = {section.name: section.share for section in SECTIONS}
_ERRORS_TO_INTENT = _SHARES[ERRORS] / _SHARES[USER_INTENT]


def user_intent(ledger: Ledger, share: int) -> Groups:
    """The section's groups: the first request, commands, the latest request, objections, all others."""
    first = ledger.state.requests.first
    if not first:
        return []
    limit = min(len(first.text), share * 2 // 5)
    text = f"- {turn_mark(ledger, first.index)}{command(first)}{quoted(first.text, limit)}"
    line = Line(USER_INTENT, labels.FIRST, text, 0)
    told = {one.index for one in corrections(ledger, int(share * _ERRORS_TO_INTENT))}
    later = distinct(one for one in ledger.state.requests.said if one is not first and one.index not in told)
    room = share - limit - 60
    answers = _answers(later, int(room * ANSWERS_SHARE))
    fair = max(90, fair_limit([len(one.text) + FRAME + len(answers.get(one.index, "")) for one in later], room) - FRAME)
    fair = min(fair, share // 2) if len(later) > 1 else fair  # one pasted flood must not take all words of the section

    plain = [
        _request(ledger, one, quoted(one.text, fair), answers.get(one.index, ""))
        for one in served([one for one in later if not one.objects], fair)
    ]
    against = [_request(ledger, one, quoted(clip(one.text, fair))) for one in reversed(later) if one.objects]
    ran = [
        Line(USER_INTENT, labels.LATER, f"- {turn_mark(ledger, index)}ran the command {spelled(name)}", index)
        for index, name in reversed(ledger.state.requests.ran)
    ]
    ordered = [(ran[:COMMANDS_SHOWN], share // 8), (plain[:1], room), (against, int(room * FOR_OBJECTIONS))]
    taken = sum(min(most, sum(len(one.text) + 1 for one in group)) for group, most in ordered[1:])
    return [([line], share), *ordered, (plain[1:], room - len(labels.LATER) - taken)]


def _request(ledger: Ledger, one: Request, words: str, answers: str = "") -> Line:
    """A request in its words with what it answers; beyond the words of its section it goes on in Key References."""
    text = f"- {turn_mark(ledger, one.index)}{command(one)}{words}{answers}"
    return Line(USER_INTENT, labels.LATER, text, one.index, spill=(REFERENCES, labels.MORE_ASKED))


def _answers(requests: list[Request], room: int) -> dict[int, str]:
    """What requests answer, by their index: the newest first, as far as there is room; the person's words go before.

    A request that is longer than what would be shown of a question speaks for itself.
    """
    shown: dict[int, str] = {}
    for one in reversed(requests):
        text = answering(one) if len(one.text) <= ANSWERED or len(one.answers) > 1 else ""
        if text and len(text) <= room:
            shown[one.index] = text
            room -= len(text)
    return shown
