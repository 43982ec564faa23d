"""Requests: everything the person said, in order, and which of it corrected the work.

All words are kept, long ones by head and tail, and of pasted logs some lines: a reader who needs more has the
transcript. Code between fences is kept with its lines. What a correction was about (the refused call, the question
asked) is remembered beside it. Nothing here ever comes from a tool; of the agent only what a correction was answered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import ELISION, clean, one_line
from memcli.ledger.diagnosis import diagnosis_in
from memcli.ledger.objections import objects
from memcli.ledger.pasted import without_logs
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from memcli.transcript.entries import UserText

MAX_REQUESTS = 600  # the first and the corrections are never dropped for others
MAX_COMMANDS = 30
MAX_SNIPPETS = 12
MAX_REFUSALS = 12  # without a word
SNIPPET_LIMIT = 1_500  # characters; what is longer is a paste, no snippet
FRESH = 80  # requests younger than this keep their full clip
OLD_LIMIT = 400  # characters of older ones


_COMMAND = pattern(r"\s*<command-(?:name|message)>.*?<command-name>(/[\w:.-]{1,60})</command-name>", re.DOTALL)
_COMMAND_FIRST = pattern(r"\s*<command-name>(/[\w:.-]{1,60})</command-name>")
_WHY = pattern(r"(?i)\b(?:why|how come|what happened)\b")
_FENCED = pattern(
    r"^ {0,3}(```+|~~~+)[ \t]*([\w+#.-]{0,20})[^\n]*\n(.*?)\n {0,3}\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE
)
# What a client does for itself; all other commands ask the agent for something.
_OF_THE_CLIENT = frozenset(
    [
        "/add-dir",
        "/agents",
        "/bashes",
        "/bug",
        "/clear",
        "/compact",
        "/config",
        "/context",
        "/copy",
        "/cost",
        "/doctor",
        "/effort",
        "/exit",
        "/export",
        "/fast",
        "/help",
        "/hooks",
        "/ide",
        "/init",
        "/keybindings",
        "/login",
        "/logout",
        "/mcp",
        "/memory",
        "/model",
        "/output-style",
        "/permissions",
        "/plugin",
        "/quit",
        "/release-notes",
        "/resume",
        "/rewind",
        "/status",
        "/statusline",
        "/tasks",
        "/terminal-setup",
        "/theme",
        "/todos",
        "/usage",
        "/vim",
    ]
)


def command_in(text: str) -> str:
    """The slash command a note of the harness names, if it asks the agent for something; else ""."""
    found = _COMMAND_FIRST.match(text[:400]) or _COMMAND.match(text[:400])
    return found.group(1) if found and found.group(1) not in _OF_THE_CLIENT else ""


class Request(msgspec.Struct, array_like=True):
    """One text of the person. `about`: the question it answers, the call it refuses or the command it was given with,
    "" for a plain prompt (one typed right after a refusal is about the refused call); `answers`: what the agent had
    offered or asked just before, if one must know that; `reply`: what the agent answered to a correction that asks why
    something happened; `objects` if a plain prompt puts the agent right by its own words.
    """

    index: int
    text: str
    via: str
    steering: bool
    about: str = ""
    answers: list[str] = []
    reply: str = ""
    objects: bool = False


class Snippet(msgspec.Struct, array_like=True):
    """Code that the person wrote between fences, line for line; `language` as they named it, or ""."""

    index: int
    language: str
    code: str


class Requests(msgspec.Struct, array_like=True):
    """What the person asked for, first to last."""

    said: list[Request] = []
    ran: list[tuple[int, str]] = []
    snippets: list[Snippet] = []
    refusals: list[tuple[int, str]] = []  # calls that were refused without a word

    def command(self, text: str, index: int) -> str:
        """The slash command a note of the harness names, if it asked the agent for something; else "".

        With words it was heard just before and stands with them; without any it is a request of its own, which stands
        at the next event.
        """
        name = command_in(text)
        if name and self.said and self.said[-1].via == "command" and self.said[-1].index == index:
            self.said[-1].about = name
        elif name:
            self.ran = [*(one for one in self.ran if one[1] != name), (index + 1, name)][-MAX_COMMANDS:]
        return name

    def heard(self, part: UserText, index: int, about: str = "", answers: list[str] | None = None) -> str:
        """Keep a text of the person; what of it says something, cleaned, is returned."""
        text = clean(part.text, head=3000, tail=800)
        shown = without_logs(text)
        line = one_line(shown)
        if line:
            steering = part.steering or part.via in ("rejection", "queued", "answer")
            against = bool(self.said) and not steering and objects(line)
            self.said.append(Request(index, line, part.via, steering, about, answers or [], objects=against))
            if about and part.via != "answer":
                self.refusals = self.refusals[:-1]  # now it has words
            self._age()
            self._shown(text, index)
        return shown

    def refused(self, call: str, index: int) -> None:
        """The person refused a call; what they say of it, if anything, comes next."""
        self.refusals = [*self.refusals, (index, call)][-MAX_REFUSALS:]

    def replied(self, text: str) -> None:
        """The agent said something (cleaned): the first that states anything answers a correction that asks why."""
        last = self.said[-1] if self.said else None
        if last and last.steering and not last.reply and _WHY.search(last.text):
            last.reply = diagnosis_in(text)

    def _shown(self, text: str, index: int) -> None:
        """Keep code of several lines as it is: in a line of text it cannot be read."""
        for _, language, code in _FENCED.findall(text):
            if "\n" in code.strip() and len(code) <= SNIPPET_LIMIT and ELISION not in code:
                self.snippets = [one for one in self.snippets if one.code != code]
                self.snippets.append(Snippet(index, language, code))
        del self.snippets[:-MAX_SNIPPETS]

    def _age(self) -> None:
        """Shorten what has become old, forget the oldest plain prompt beyond the cap. Only the count decides."""
        if len(self.said) > FRESH + 1:
            old = self.said[-FRESH - 1]
            old.text = one_line(old.text, OLD_LIMIT)
        if len(self.said) > MAX_REQUESTS:
            plain = (place for place, one in enumerate(self.said) if place and not (one.steering or one.objects))
            del self.said[next(plain, 1)]

    @property
    def first(self) -> Request | None:
        """The original request: the first prompt that says something."""
        prompts = (one for one in self.said if one.via in ("prompt", "command") and len(one.text) >= 8)
        return next(prompts, self.said[0] if self.said else None)

    @property
    def corrections(self) -> list[Request]:
        """What corrected, refused or answered by the record's own showing, oldest first."""
        return [one for one in self.said if one.steering]

    @property
    def objections(self) -> list[Request]:
        """Plain prompts that put the agent right, oldest first."""
        return [one for one in self.said if one.objects]
