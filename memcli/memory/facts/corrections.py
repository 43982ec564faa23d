"""Corrections: refusals, steering and answers of the person, and prompts that object, in the person's own words.

Nothing is worse to lose: where they do not all fit, each is told more shortly before one is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.clean import clip
from memcli.memory import labels
from memcli.memory.budget import Line, fair_limit
from memcli.memory.facts.said import answering, served
from memcli.memory.quoting import quoted, spelled, told
from memcli.memory.sections import ERRORS
from memcli.memory.shown import turn_mark

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger
    from memcli.ledger.requests import Request

LEAST_WORDS = 80  # characters of a correction's quote, when there are many
FOR_CORRECTIONS = 0.62  # of the section's share
MOST_FOR_CORRECTIONS = 0.85  # of it, when there are many
WITH_OBJECTIONS = 0.5  # of the section's share that corrections may take for prompts that object to stand among them
AROUND = 25  # characters around an objection
REPLY = 140  # characters of the agent's reply to a correction that asks

_HOW = {"rejection": "refused", "answer": "answer to the agent's question", "queued": "said while work went on"}


def corrections(ledger: Ledger, share: int) -> list[Request]:
    """What stands among the corrections: all that the record shows to be one, and of the prompts that object the newest
    that can be told shortly beside those. `share` is that of Errors & Corrections.
    """
    requests = ledger.state.requests
    room = int(share * WITH_OBJECTIONS) - len(labels.CORRECTIONS)
    room -= sum(len(one.text) + 50 for one in requests.corrections)
    shown = list(requests.corrections)
    for one in reversed(requests.objections):
        room -= min(len(one.text), LEAST_WORDS) + AROUND
        if room < 0:
            break
        shown.append(one)
    return sorted(shown, key=lambda one: one.index)


def corrections_told(ledger: Ledger, share: int) -> tuple[list[Line], int]:
    """Corrections in the order they are served, and the characters they may take. Where they do not all fit, each is
    told as shortly as it still can be recognised, and they take from errors. Prompts that object take less, as there is
    room for them among the requests, too.
    """
    known = corrections(ledger, share)
    mixed = any(one.objects for one in known)
    room = int(share * (WITH_OBJECTIONS if mixed else FOR_CORRECTIONS))
    fair = max(110, fair_limit([len(one.text) + 50 for one in known], room) - 50)
    fair = min(fair, room // 2) if len(known) > 1 else fair

    bare = _without_words(ledger)
    whole = _lines(ledger, known, fair)
    if sum(len(line.text) + 1 for line in whole) + len(labels.CORRECTIONS) <= room:
        return whole + bare, room
    most = int(share * MOST_FOR_CORRECTIONS)
    around = 40 * len(known) + len(labels.CORRECTIONS)
    limit = ((room if mixed else most) - around) // len(known)
    return _lines(ledger, known, max(LEAST_WORDS, min(fair, limit)), brief=True) + bare, most


def _without_words(ledger: Ledger) -> list[Line]:
    """Calls that the person refused and said nothing about, newest served first: not to be made again unasked. They
    take what words have left.
    """
    return [
        Line(
            ERRORS,
            labels.CORRECTIONS,
            f"- {turn_mark(ledger, index)}refused without a word: {spelled(call, 110)}",
            index,
        )
        for index, call in reversed(ledger.state.requests.refusals)
    ]


def _lines(ledger: Ledger, known: list[Request], limit: int, *, brief: bool = False) -> list[Line]:
    texts = [(one.index, _correction(one, limit, brief=brief)) for one in served(known, limit)]
    return [Line(ERRORS, labels.CORRECTIONS, f"- {turn_mark(ledger, index)}{text}", index) for index, text in texts]


def _correction(one: Request, limit: int, *, brief: bool) -> str:
    refused = bool(one.about) and one.via in ("rejection", "prompt")
    how = _HOW["rejection"] if refused else _HOW.get(one.via, "")
    about = f" {spelled(one.about, 30 if brief else 110)}" if refused else ""
    about = f" '{told(one.about, 40 if brief else 120)}'" if one.about and one.via == "answer" else about
    parted = " — " if how else ""
    reply = f" — agent then: {quoted(one.reply, REPLY)}" if one.reply and not brief else ""
    words = quoted(clip(one.text, limit)) if brief else quoted(one.text, limit)  # brief: one piece, not two halves
    return f"{how}{about}{parted}user: {words}{answering(one)}{reply}"
