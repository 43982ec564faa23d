"""Instructions: rules in the text that a harness puts behind a slash command or a skill.

The person typed only the command's name; its text is the command's own, mostly long, and its rules stay in force while
the work that it started goes on. So of each text the sentences that order or forbid something are kept, in few words.
"""

from __future__ import annotations

import posixpath
import re

import msgspec

from memcli.ledger.clean import clean, clip
from memcli.ledger.names import words_in
from memcli.ledger.prose import bare, sentences, unwrapped
from memcli.transcript.patterns import pattern

MAX_TEXTS = 4
RULES_LIMIT = 400  # characters kept of one text
RULE_LIMIT = 170

_SKILL = pattern(r"\s*Base directory for this skill: *(\S[^\n]*)\n")
_FENCED = pattern(r"^ *(```+|~~~+).*?(?:^ *\1[`~]*\s*$|\Z)", re.DOTALL | re.MULTILINE)
_COMMENT = pattern(r"<!--.*?-->", re.DOTALL)
_STRONG = pattern(
    r"\b(?:MUST|NEVER|ALWAYS|DO NOT)\b|(?i:\b(?:never|always|do not|don['’]t|must not|must|ask before)\b)"
)
_WEAK = pattern(r"(?i)^(?:ask|avoid|keep|pause|prefer|print|stop)\b|\bcommit(?:s|ting)?\b")
_ABOUT_ITSELF = pattern(r"(?i)\$ARGUMENTS|<[\w-]+>|^(?:display|show|output|input|example|usage)\b")


class Instruction(msgspec.Struct, array_like=True):
    """The rules of one text, in its order; `by` is the command of the person that brought it, "" if none did."""

    index: int
    rules: list[str]
    by: str = ""


class Instructions(msgspec.Struct, array_like=True):
    """Rules by the name of the command or skill, the least recent first. `awaited`: whose text is to come next;
    `command`: the command that began the turn, "" if a prompt did.
    """

    known: dict[str, Instruction] = {}
    awaited: str = ""
    command: str = ""

    def began(self, command: str) -> None:
        """The person ran a command. Those of one family ("/shop:plan", "/shop:build") are steps: the next one ends the
        rules that the last had brought.
        """
        family, colon, _ = command.partition(":")
        for name in [name for name, one in self.known.items() if colon and one.by.startswith(f"{family}:")]:
            del self.known[name]
        self.awaited = self.command = command

    def told(self, text: str, index: int) -> None:
        """The harness wrote a text in the user's role: maybe that of a command, or of a skill."""
        skill = _SKILL.match(text[:600])
        name = posixpath.basename(skill[1].strip().rstrip("/")) if skill else self.awaited
        if not name or re.match(r"\s*<(?!!--)", text):
            return
        self.awaited = ""
        rules = rules_in(clean(text[skill.end() :] if skill else text, head=9000, tail=5000))
        self.known.pop(name, None)
        if rules:
            self.known[name] = Instruction(index, rules, self.command)
        while len(self.known) > MAX_TEXTS:
            del self.known[next(iter(self.known))]


def rules_in(text: str) -> list[str]:
    """Sentences of a text (cleaned) that order or forbid something, as many as `RULES_LIMIT` allows, in their order.

    Those with must, never, always or do not come before those that only tell when to do what.
    """
    lines = unwrapped(_FENCED.sub("\n", _COMMENT.sub("", text)).split("\n"))
    said = list(dict.fromkeys(clip(one, RULE_LIMIT) for line in lines for one in sentences(bare(line))))
    said = [one for one in said if len(words_in(one)) > 2 and not _ABOUT_ITSELF.search(one)]
    strong = [one for one in said if _STRONG.search(one)]
    weak = [one for one in said if one not in strong and _WEAK.search(one)]
    kept, room = set(), RULES_LIMIT
    for one in (*strong, *weak):
        if len(one) + 2 <= room:
            kept.add(one)
            room -= len(one) + 2
    return [one for one in said if one in kept]
