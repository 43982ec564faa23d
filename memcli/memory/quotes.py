"""Quotes of a model, checked against what it was shown, by who is said to have spoken them.

Quotation marks and code mean "word for word". A quote that stands in the source stays; one that nearly does is put
right from the source; any other loses its marks and is called a paraphrase. What is said to be the user's must be: in
their sections, and wherever a line gives them as the speaker, an item with a false quote goes whole.

Checked quotes are taken out of a line and come back at the end, so that later checks see a model's own words only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memcli.memory.claims import commands
from memcli.memory.sections import ERRORS, USER_INTENT
from memcli.memory.seen import CODE, QUOTE, REACH, claimed, norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcli.memory.seen import Role, Seen

PARAPHRASE = "(paraphrase)"
USER_SECTIONS = (USER_INTENT, ERRORS)
BAD = "\x04"
"""Stands for code that nobody was shown: the sentence around it cannot stay."""

_LONGEST = 2_000
_TELLING = 12  # normalised characters of code that is found by its words alone
_BEFORE = 4 * REACH  # enough of a line to hold what is looked at before a quote
_SHORT = 15  # characters; what is shorter is a word, not a claim of what somebody said
_HELD = re.compile("[\x02\x05](\\d+)\x03")  # a quote, or code
_MARKS = re.compile(r"[“”„‟«»]|\\+\"|(?<![\w'])''(?!')|(?<!')''(?![\w'])")
_INNER = str.maketrans({'"': "'", "`": "'"})
_BLOCK = re.compile(r"^(\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+)?)(?:>\s?)+(.*)$")
_VOICE = re.compile(
    r"^(\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+)?[*_]{0,2})(user|human|assistant|agent|system|tool)([*_]{0,2}:[*_]{0,2}\s*)(.*)$",
    re.IGNORECASE,
)
_DANGEROUS = re.compile(r"\b(?:curl|wget|sudo|eval|base64)\b|\brm -|\|\s*(?:ba)?sh\b|--force\b|://")


class FalseQuote(Exception):
    """Somebody is quoted who did not say it: the item goes whole."""


class Quotes:
    """The quotes of one line, checked. Raises FalseQuote."""

    def __init__(self, line: str, section: str, seen: Seen, note: Callable[[str], None]) -> None:
        self._section, self._seen, self._note = section, seen, note
        self._held: list[str] = []
        line = CODE.sub(lambda found: self._code(found[1]), line)
        line = self._spoken(_MARKS.sub('"', line.replace("`", "'")))
        self.line = self._quoted(line).replace('"', "'")
        """The line with marks instead of the quotes that stand."""

    def restored(self, line: str) -> str:
        """A line with its quotes in their places."""
        return _HELD.sub(lambda found: self._held[int(found[1])], line)

    def _hold(self, text: str) -> str:
        self._held.append(text)
        kind = "\x05" if text.startswith("`") else "\x02"
        return f"{kind}{len(self._held) - 1}\x03"

    def _code(self, code: str) -> str:
        """Code stays if it was seen; what only an output proposes to run is not the agent's command."""
        seen, bare = self._seen, norm(code)
        known = seen.shows(code) or (len(bare) >= _TELLING and seen.holds(code))
        ours = seen.user.holds(code) or seen.assistant.holds(code) or seen.record.holds(code)
        if known and (ours or not _DANGEROUS.search(code)):
            # quotation marks within long code would be read as quotes of somebody; short code is looked for by them
            return self._hold(f"`{code.replace(chr(34), chr(39)) if len(bare) >= _TELLING else code}`")
        near = seen.near(code) if not _DANGEROUS.search(code) else ""
        if near and len(near) <= _LONGEST:
            self._note("code put right")
            return self._hold(f"`{near}`")
        if len(code) >= _SHORT and self._section in USER_SECTIONS:
            raise FalseQuote
        return BAD

    def _spoken(self, line: str) -> str:
        """A block quote, or words behind "user:", are quotes without marks."""
        block = _BLOCK.match(line)
        if block:
            line = f'{block[1]}"{block[2].strip(" " + chr(34))}"' if block[2].strip(' "') else block[1]
        voice = _VOICE.match(line)
        if not voice or not voice[4].strip() or voice[4].startswith('"'):
            return line
        role = voice[2].lower()
        if role == "system" or not self._seen.holds(self.restored(voice[4]), _voice(role)):
            raise FalseQuote
        label = voice[2] if role != "human" else "user"
        return f"{voice[1]}{label}{voice[3]}" + self._hold(f'"{self._bare(voice[4])}"')

    def _quoted(self, line: str) -> str:
        result, end = "", 0
        for found in QUOTE.finditer(line):
            result += line[end : found.start()]
            before = _HELD.sub(self._glimpsed, result[-_BEFORE:])
            result += self._checked(found[1], claimed(before, self._section))
            end = found.end()
        return result + line[end:]

    def _glimpsed(self, found: re.Match[str]) -> str:
        """What stands for an earlier quote or code: a short piece counts among the words before a quote."""
        text = self._held[int(found[1])]
        return text.strip("`") if len(text) < _SHORT + 2 else " ` ` " if text.startswith("`") else ' " " '

    def _bare(self, text: str) -> str:
        return self.restored(text).translate(_INNER).strip().rstrip("\\")

    def _checked(self, text: str, role: Role) -> str:
        quote, seen = self._bare(text.replace(BAD, " ")), self._seen
        if not norm(quote):
            return quote
        if len(quote) < _SHORT and (role != "user" or seen.holds(quote, "user")):
            return self._hold(f"'{quote}'")
        if seen.holds(quote, role) and BAD not in text:
            if not role and commands(quote) and not (seen.user.holds(quote) or seen.assistant.holds(quote)):
                raise FalseQuote  # an order that only an output gives, as if it were anybody's
            return self._hold(f'"{quote}"')
        near = seen.near(quote, role)
        if near and len(near) <= _LONGEST:
            self._note("quotes put right")
            return self._hold(f'"{near}"')
        if role == "user" or self._section in USER_SECTIONS:
            raise FalseQuote
        self._note("quotes called a paraphrase")
        return f"{quote} {PARAPHRASE}"


def _voice(role: str) -> Role:
    return "user" if role in ("user", "human") else "tool" if role == "tool" else "assistant"
