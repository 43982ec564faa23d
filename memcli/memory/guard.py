"""The guard: what of a model's edits may be published.

    edits ── accepted? ──► applied ──► each new item ──► scrubbed ──► quotes by role ──► sentences ──► trimmed
               │
               └─ no: the prose that stood, and why

Nothing the guard does can lose a fact: facts are rendered from the ledger, beside the prose (`fitting`). It decides
only which sentences of a model are true enough to stand there. Items that stood before are not looked at again; a
block that no edit names keeps its bytes. What passed once passes again unchanged.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.acceptance import refusal
from memcli.memory.claims import loosened, wrong
from memcli.memory.fitting import shortened
from memcli.memory.prose import WRITABLE, apply, canonical, items
from memcli.memory.quotes import BAD, FalseQuote, Quotes
from memcli.memory.scrubbing import scrubbed, scrubbed_line
from memcli.memory.sections import CHARS_PER_TOKEN, PROSE_SHARE, USER_INTENT
from memcli.memory.seen import norm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memcli.memory.jobs import ProseEdit
    from memcli.memory.seen import Seen

ROUNDS = 4
"""A block that is not settled after so many rounds of checks is left out."""

_FENCE = re.compile(r"^\s*(```|~~~)")
_SENTENCE = re.compile(r"((?<=[.!?])\s+|(?<=\x03)\s+(?=[A-Z]))")
_LISTED = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_MARK = re.compile(r"^\s*(?:(?:[-*+•]|\d{1,3}[.)])(?:\s+|$))?")


class Verdict(msgspec.Struct, frozen=True):
    """The prose that may stand. `rejected`: why the answer as a whole was not taken, a sentence to tell the model;
    `notes`: what was done to the answer, for the log.
    """

    prose: dict[str, str]
    rejected: str = ""
    notes: tuple[str, ...] = ()


def guard(before: Mapping[str, str], edits: Iterable[ProseEdit], seen: Seen, budget: int) -> Verdict:
    """Judge the edits of a model that was shown `seen`. `budget` is that of the whole memory, in tokens."""
    edits = tuple(edits)
    usable = [edit for edit in edits if edit.section in WRITABLE]
    reason = refusal(before, edits, usable, seen, budget)
    if reason:
        return Verdict(dict(before), reason)
    notes: Counter[str] = Counter()
    notes["edits of sections that are not a model's left out"] = len(edits) - len(usable)
    after = apply(before, [msgspec.structs.replace(edit, text=scrubbed(edit.text)) for edit in usable])
    prose = dict(before)
    for section in WRITABLE:
        old, new = before.get(section, ""), after.get(section, "")
        if new != old:
            prose[section] = _judged(section, old, new, seen, notes)
    changed = {section for section in WRITABLE if prose.get(section, "") != before.get(section, "")}
    prose = _trimmed(prose, changed, budget, notes)
    if usable and not changed and after != before:
        return Verdict(dict(before), "nothing of the answer is borne out by the conversation", _told(notes))
    return Verdict(prose, notes=_told(notes))


def _judged(section: str, old: str, new: str, seen: Seen, notes: Counter[str]) -> str:
    """A new block, checked; the old one if nothing of the new one may stand."""
    known = {item.strip() for item in items(old)}
    block = new
    for _ in range(ROUNDS):
        checked = _checked(section, block, known, seen, notes)
        if checked == block:
            break
        block = checked
    else:
        block = ""
    if new and not block:
        notes["blocks of which nothing was left"] += 1
        return old
    return block


def _checked(section: str, block: str, known: set[str], seen: Seen, notes: Counter[str]) -> str:
    kept = []
    for item in items(block):
        bare = item.rstrip()
        if item.strip() in known:
            kept.append(item)
        elif text := _Item(section, seen, notes).checked(bare):
            kept.append(text + "\n" * item[len(bare) :].count("\n"))
    return canonical("".join(kept))


class _Item:
    """One item on its way through the checks."""

    def __init__(self, section: str, seen: Seen, notes: Counter[str]) -> None:
        self.section, self.seen, self.notes = section, seen, notes

    def checked(self, item: str) -> str:
        """What of the item may stand; nothing if a quote is false whose speaker matters, or a list item lost its
        first line.
        """
        kept: list[str] = []
        fence: list[str] = []
        try:
            for number, line in enumerate(scrubbed(item).split("\n")):
                if fence or _FENCE.match(line):
                    fence.append(line)
                    if len(fence) > 1 and line.strip().startswith(fence[0].strip()[:3]):
                        kept += self._fenced(fence)
                        fence = []
                    continue
                told = self._line(line)
                if told or not line.strip():
                    kept.append(told)
                elif number == 0 and _LISTED.match(line):
                    return ""
        except FalseQuote:
            self.notes["items with a false quote left out"] += 1
            return ""
        return "\n".join(kept).rstrip()

    def _fenced(self, fence: list[str]) -> list[str]:
        """A fence stands if its code was seen, and in User Intent if the user wrote it."""
        code = "\n".join(fence[1:-1])
        if norm(code) and self.seen.holds(code, "user" if self.section == USER_INTENT else ""):
            indent = fence[0][: len(fence[0]) - len(fence[0].lstrip())][:3]
            mark = fence[0].strip()[:3]
            kind = re.match(r"[`~]+([\w+#.-]{0,20})", fence[0].strip())
            return [f"{indent}{mark}{kind[1] if kind else ''}", *fence[1:-1], f"{indent}{mark}"]
        self.notes["code that nobody was shown left out"] += 1
        return []

    def _line(self, line: str) -> str:
        line = scrubbed_line(line)
        if not line.strip():
            return ""
        quotes = Quotes(loosened(line, self.seen), self.section, self.seen, self._note)
        found = _MARK.match(quotes.line)
        mark = found[0] if found else ""
        pieces = _SENTENCE.split(quotes.line[len(mark) :])
        kept = [self._sentence(piece, quotes.restored(piece)) for piece in pieces[::2]]
        told = "".join(text + gap for text, gap in zip(kept, [*pieces[1::2], ""], strict=True) if text).rstrip()
        return quotes.restored(mark + told) if told.strip() else ""

    def _sentence(self, sentence: str, whole: str) -> str:
        reason = wrong(sentence, whole, self.section, self.seen)
        reason = "with code that nobody was shown" if BAD in sentence else reason
        if reason:
            self._note(f"sentences {reason} left out")
        return "" if reason else sentence

    def _note(self, what: str) -> None:
        self.notes[what] += 1


def _trimmed(prose: dict[str, str], changed: set[str], budget: int, notes: Counter[str]) -> dict[str, str]:
    """The prose without what has no place in any memory: changed blocks give way, the others are left as they are."""
    others = sum(len(block) for section, block in prose.items() if section not in changed)
    room = max(0, int(budget * CHARS_PER_TOKEN * PROSE_SHARE) - others)
    kept = shortened({section: prose[section] for section in changed if section in prose}, room)
    notes["blocks shortened"] += sum(prose.get(section, "") != kept.get(section, "") for section in changed)
    result = {section: kept.get(section, "") if section in changed else block for section, block in prose.items()}
    return {section: block for section, block in result.items() if block}


def _told(notes: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{count} {what}" for what, count in notes.items() if count)
