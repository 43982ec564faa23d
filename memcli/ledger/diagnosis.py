"""Diagnosis: what the agent said a failure means, in its first words after it.

The lines a program prints are often not the cause (a warning, "task failed"); the agent, who saw all of it, mostly
says the cause next. Sentences that only announce the next step are no diagnosis.
"""

from __future__ import annotations

from itertools import dropwhile

from memcli.ledger.clean import clip
from memcli.ledger.names import speaks
from memcli.ledger.prose import bare, sentences
from memcli.transcript.patterns import pattern

LIMIT = 200
MIN_WORDS = 4

_ANNOUNCES = pattern(
    r"(?i)^(?:(?:ok(?:ay)?|now|good|right|so|hmm|great|next|then|first|and|let'?s|also)[\s,.:!—-]+)*"
    r"(?:let me|let'?s|let us|i'?ll|i will|i’ll|i'?m going|i’m going|i need to|i'?m \w+ing|i’m \w+ing|\w+ing)\b"
)


def diagnosis_in(text: str) -> str:
    """The first sentences of a text (cleaned) that state something, at most `LIMIT` characters; "" if none does."""
    for line in text.split("\n")[:12]:
        said = [one for one in sentences(bare(line)) if not _ANNOUNCES.match(one)]
        stated = [*dropwhile(lambda one: not speaks(one, MIN_WORDS), said)]  # "I see." states nothing by itself
        if stated and not stated[0].endswith("?"):
            following = stated[1] if len(stated) > 1 and f"{stated[0]} {stated[1]}" in bare(line) else ""
            return clip(f"{stated[0]} {following}".strip() if len(stated[0]) < LIMIT // 2 else stated[0], LIMIT)
    return ""
