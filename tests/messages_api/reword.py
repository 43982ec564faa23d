"""The published rules by which the server rewords what it is sent. They know nothing of what a memory is judged by.

Reading: the lines of the prompt by speaker (`material.py`), without code and tables, parted into sentences of 4 to 60
words. Of the agent's sentences each second one is kept, beginning with the first; of the user's all but each third.

Rewording a sentence: words in brackets go, fillers go, words of a fixed list are swapped, nothing inside backticks or
joined to a dot, slash, underscore or digit is touched, what is longer than 32 words ends there. Nothing is added but
the openings "The user asked:", "The user said:", "The user corrected:".

Where it goes, newest last, each sentence once:
  User Intent           the user's, at most 6, reworded; each third one verbatim in quotation marks
  Errors & Corrections  the user's that hold a word of refusal, at most 4, verbatim in quotation marks;
                        the agent's that hold a word of failure, at most 4, reworded
  Active Work           the agent's last 4, reworded; it replaces what stood there
  Completed Work        the agent's but the very last that hold a word of completion and none of failure, at most 8,
                        reworded
  Key References        the agent's but the very last that hold a name in backticks, at most 6, reworded, the name first
Where the prompt shows items of a section, a new one that begins with the same six words takes the place of the old
(`change`), others are added below (`append`), and of more than 12 the oldest goes (`drop`).
A plain answer (no schema) repeats, above what is new, the items that the prompt shows of a section, the last 12.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.messages_api.edit import Edit
from tests.messages_api.material import PROSE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.messages_api.material import Material

_FILLERS = ("just", "really", "actually", "basically", "simply", "very", "quite", "please", "now", "also")
_SWAPS = {
    "add": "put in", "added": "put in", "begin": "start", "big": "large", "build": "make", "change": "alter",
    "changed": "altered", "check": "look at", "checked": "looked at", "create": "make", "created": "made",
    "delete": "take out", "deleted": "took out", "fix": "repair", "fixed": "repaired", "finish": "end",
    "issue": "problem", "need": "must have", "quick": "fast", "remove": "take out", "removed": "took out", "show": "display",
    "small": "little", "start": "begin", "update": "renew", "updated": "renewed", "use": "employ", "uses": "employs",
    "want": "wish", "wants": "wishes", "write": "compose",
}  # fmt: skip
_REFUSAL = re.compile(r"\b(no|not|don't|never|instead|wrong|stop|rather|undo|revert)\b", re.IGNORECASE)
_FAILURE = re.compile(
    r"\b(error|fail|fails|failed|failing|failure|exception|broken|crash\w*|traceback)\b", re.IGNORECASE
)
_DONE = re.compile(
    r"\b(done|fixed|added|created|passes|passing|passed|finished|updated|removed|committed|implemented)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"`([^`\s]{3,80})`")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\w`\"'(])")
_LIST_MARK = re.compile(r"^\s*([-*+]|\d+[.)])\s+")
_MOST_ITEMS = 12


def reword(found: Material, *, whole: bool) -> list[Edit]:
    """The edits that the rules above make of a prompt. `whole`: the answer is to be the whole text of its sections."""
    said = _sections(found)
    return [edit for name in PROSE for edit in _edits(name, said[name], found.memory.get(name, []), whole=whole)]


def reworded(sentence: str) -> str:
    """One sentence by the rules."""
    text = re.sub(r"\s*\([^()`\d]*\)", "", sentence)
    for filler in _FILLERS:
        text = re.sub(rf"(?<![\w./`-]){filler}(?![\w./`-])\s?", "", text)
    for word, other in _SWAPS.items():
        text = re.sub(rf"(?<![\w./`-]){word}(?![\w./`-])", f"\0{other}\0", text)
    words = text.replace("\0", "").split()
    return " ".join(words[:32])


def sentences(lines: Iterable[str]) -> list[str]:
    """Sentences of 4 to 60 words, each once; code between fences and rows of tables are none."""
    found: dict[str, None] = {}
    fenced = False
    for line in lines:
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith("|"):
            for sentence in _SENTENCE_END.split(_LIST_MARK.sub("", line).strip()):
                if 4 <= len(sentence.split()) <= 60:
                    found[sentence.strip()] = None
    return list(found)


def _sections(found: Material) -> dict[str, list[str]]:
    user = [sentence for number, sentence in enumerate(sentences(found.of("user"))) if number % 3 != 2]
    agent = sentences(found.of("assistant"))[::2]
    failures = [sentence for sentence in agent if _FAILURE.search(sentence)]
    earlier = [sentence for sentence in agent[:-1] if sentence not in failures]
    corrected = [sentence for sentence in user if _REFUSAL.search(sentence)]
    done = [sentence for sentence in earlier if _DONE.search(sentence)]
    named = [(name[1], sentence) for sentence in earlier if (name := _NAME.search(sentence))]
    return {
        "User Intent": [_asked(number, sentence) for number, sentence in enumerate(user[-6:])],
        "Errors & Corrections": [
            *(f'The user corrected: "{sentence}"' for sentence in corrected[-4:]),
            *(reworded(sentence) for sentence in failures[-4:]),
        ],
        "Active Work": [reworded(sentence) for sentence in agent[-4:]],
        "Completed Work": [reworded(sentence) for sentence in done[-8:]],
        "Key References": [f"`{name}`: {reworded(sentence)}" for name, sentence in named[-6:]],
    }


def _asked(number: int, sentence: str) -> str:
    return f'The user said: "{sentence}"' if number % 3 == 2 else f"The user asked: {reworded(sentence)}"


def _edits(name: str, items: list[str], standing: list[str], *, whole: bool) -> list[Edit]:
    lines = [f"- {item}" for item in items]
    if whole:
        kept = [] if name == "Active Work" and lines else standing[-_MOST_ITEMS:]
        return [Edit(name, "replace", "\n".join([*kept, *lines]))] if kept or lines else []
    edits = [Edit(name, "drop", item=standing[0].removeprefix("- ")[:60])] if len(standing) > _MOST_ITEMS else []
    if name == "Active Work" or not standing:
        return [*edits, Edit(name, "replace", "\n".join(lines))] if lines else edits
    begun = {_beginning(item): item for item in standing}
    changed = [(begun[_beginning(line)], line) for line in lines if _beginning(line) in begun]
    edits += [Edit(name, "change", line, item.removeprefix("- ")[:60]) for item, line in changed if item != line]
    new = [line for line in lines if _beginning(line) not in begun]
    return [*edits, Edit(name, "append", "\n".join(new))] if new else edits


def _beginning(item: str) -> str:
    """By which an item is taken for a newer form of another: its first six words."""
    return " ".join(item.split()[:7])
