"""Requests: everything the person said, in order, and which of it corrected running work.

All words are kept, long ones by head and tail: a reader who needs more has the transcript. What a correction was
about (the refused call, the question asked) is remembered beside it. Nothing here ever comes from a tool or the agent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from memcli.ledger.clean import clean, one_line

if TYPE_CHECKING:
    from memcli.transcript.entries import UserText

MAX_REQUESTS = 600  # the first and the corrections are never dropped for others
MAX_COMMANDS = 30
FRESH = 80  # requests younger than this keep their full clip
OLD_LIMIT = 400  # characters of older ones


_COMMAND = re.compile(r"\s*<command-(?:name|message)>.*?<command-name>(/[\w:.-]{1,60})</command-name>", re.DOTALL)
_COMMAND_FIRST = re.compile(r"\s*<command-name>(/[\w:.-]{1,60})</command-name>")
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


class Request(msgspec.Struct, array_like=True):
    """One text of the person. `about`: the question it answers or the call it refuses, "" for a plain prompt;
    `answers`: what the agent had offered or asked just before, if the text needs that to be understood.
    """

    index: int
    text: str
    via: str
    steering: bool
    about: str = ""
    answers: list[str] = []


class Requests(msgspec.Struct, array_like=True):
    """What the person asked for, first to last."""

    said: list[Request] = []
    ran: list[tuple[int, str]] = []

    def command(self, text: str, index: int) -> None:
        """Keep a slash command that the person ran without any words, if it asked the agent for something."""
        found = _COMMAND_FIRST.match(text[:400]) or _COMMAND.match(text[:400])
        if found and found.group(1) not in _OF_THE_CLIENT:
            self.ran = [*(one for one in self.ran if one[1] != found.group(1)), (index, found.group(1))][-MAX_COMMANDS:]

    def heard(self, part: UserText, index: int, about: str = "", answers: list[str] | None = None) -> str:
        """Keep a text of the person; the cleaned text is returned."""
        text = clean(part.text, head=3000, tail=800)
        line = one_line(text)
        if line:
            steering = part.steering or part.via in ("rejection", "queued", "answer")
            self.said.append(Request(index, line, part.via, steering, about, answers or []))
            self._age()
        return text

    def _age(self) -> None:
        """Shorten what has become old, forget the oldest plain prompt beyond the cap. Only the count decides."""
        if len(self.said) > FRESH + 1:
            old = self.said[-FRESH - 1]
            old.text = one_line(old.text, OLD_LIMIT)
        if len(self.said) > MAX_REQUESTS:
            plain = (place for place, one in enumerate(self.said) if place and not one.steering)
            del self.said[next(plain, 1)]

    @property
    def first(self) -> Request | None:
        """The original request: the first prompt that says something."""
        prompts = (one for one in self.said if one.via in ("prompt", "command") and len(one.text) >= 8)
        return next(prompts, self.said[0] if self.said else None)

    @property
    def corrections(self) -> list[Request]:
        """What corrected, refused or answered, oldest first."""
        return [one for one in self.said if one.steering]
