"""Whose words a text in the user role is.

Harnesses put many texts into the user role: reminders, notes about commands, outputs of a local shell. Which are not
the person's is told by how they *begin*, by the harness's own fixed marks; a mark in the middle of a text changes
nothing, because people quote such texts and tools print them.
"""

from __future__ import annotations

import re

import msgspec

from memcli.transcript.entries import AnyPart, Interrupt, MachineText, ToolResult, UserText, Via
from memcli.transcript.patterns import pattern

INTERRUPT_HEAD = "[Request interrupted by user"
REJECTION_MARK = "the user said:"
_INTERRUPT_LIMIT = 80  # characters; a longer text that begins so is somebody's quotation

_MACHINE_TAGS = (
    "task-notification",
    "local-command-",
    "command-name",
    "command-message",
    "command-args",
    "command-contents",
    "bash-",
    "system-reminder",
    "user-prompt-submit-hook",
    "environment_context",
    "turn_aborted",
    "user_instructions",
    "INSTRUCTIONS",
    "permissions",
    "skill",
    "app-context",
    "collaboration_mode",
    "subagent_notification",
    "user_shell_command",
    "teammate-message",
)
_MACHINE_HEADS = ("Caveat: The messages below", "# AGENTS.md instructions", "Base directory for this skill:")
_MACHINE = pattern(
    r"\s*(?:<(?:" + "|".join(tag + (r"[\w-]+" if tag.endswith("-") else r"\b") for tag in _MACHINE_TAGS) + ")"
    "|" + "|".join(re.escape(head) for head in _MACHINE_HEADS) + ")"
)
_EMBEDDED = pattern(r"<(system-reminder|ide_[a-z_]{1,40})>")
_UNCLOSED_LIMIT = 32  # different tag names; keeps a text full of opening tags from costing a search each
_IDE_HEAD = "# Context from my IDE setup:"
_IDE_REQUEST = "## My request for Codex:"


class Voice(msgspec.Struct):
    """Reads user-role texts in order. It is all that a reader must know of what was said before its first line.

    `armed`: the person has interrupted and not spoken since. `running`: the file says that a turn is under way, and
    `prompted` that the person has spoken in it. `refused`: what the person said while refusing a call; a swap says it
    again in a message of its own, because no request shows it to the model as theirs.
    """

    armed: bool = False
    running: bool = False
    prompted: bool = False
    refused: str = ""

    def hear(self, text: str, machine: bool = False) -> list[AnyPart]:
        """Parts of one text. `machine` is True if the record itself says that no person wrote it."""
        if not text.strip():
            return []
        refused, self.refused = self.refused, ""
        if text.strip() == refused:
            return [MachineText(text)]
        if text.startswith(INTERRUPT_HEAD) and len(text) < _INTERRUPT_LIMIT:
            return self.interrupt()
        if not machine and text.lstrip().startswith("<command-"):
            return self._command(text)
        words, around = ("", text) if machine else typed(text)
        parts: list[AnyPart] = [self.say(words)] if words else []
        return [*parts, MachineText(around)] if around else parts

    def refusal(self, result: ToolResult) -> list[AnyPart]:
        """What the person said while refusing a call; empty if they only refused."""
        self.refused = result.text.partition(REJECTION_MARK)[2].strip() if result.rejected else ""
        return [UserText(self.refused, "rejection", steering=True)] if self.refused else []

    def interrupt(self) -> list[AnyPart]:
        """The person stopped the agent: what they say next corrects it."""
        self.armed = True
        return [Interrupt()]

    def say(self, words: str, via: Via = "prompt") -> UserText:
        """Words of the person that begin a turn; steering if they follow an interrupt."""
        steering, self.armed = self.armed, False
        return UserText(words, via, steering)

    def _command(self, text: str) -> list[AnyPart]:
        inside, closing, _ = text.partition("<command-args>")[2].partition("</command-args>")
        words = inside.strip() if closing else ""
        note = text.replace(f"<command-args>{inside}</command-args>", "") if words else text
        notes: list[AnyPart] = [MachineText(note)] if note.strip() else []
        return [self.say(words, "command"), *notes] if words else notes


def queued(text: str) -> list[AnyPart]:
    """Parts of a text that was typed while the agent worked; none if no person's words are in it."""
    words, around = typed(text)
    if not words:
        return []
    parts: list[AnyPart] = [UserText(words, "queued", steering=True)]
    return [*parts, MachineText(around)] if around else parts


def is_machine(text: str) -> bool:
    """True if a text in the user role begins as only a harness begins one."""
    return _MACHINE.match(text) is not None


def typed(text: str) -> tuple[str, str]:
    """The person's words and, apart from them, what a harness put inside or around them; either may be empty."""
    context, _, request = text.partition(_IDE_REQUEST)
    if request and context.startswith(_IDE_HEAD):
        return request.strip(), context
    kept, taken = _without_embedded(text) if "<" in text else ([text], [])
    words = " ".join(kept).strip()
    return ("", text) if is_machine(words) else (words, "\n".join(taken))


def _without_embedded(text: str) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    taken: list[str] = []
    unclosed: set[str] = set()
    position = 0
    for match in _EMBEDDED.finditer(text):
        name = match.group(1)
        if match.start() < position or name in unclosed or len(unclosed) >= _UNCLOSED_LIMIT:
            continue
        closing = f"</{name}>"
        end = text.find(closing, match.end())
        if end < 0:
            unclosed.add(name)
            continue
        kept.append(text[position : match.start()])
        position = end + len(closing)
        taken.append(text[match.start() : position])
    return [*kept, text[position:]], taken
