"""What one line of a transcript says, whatever its format.

Every format decodes its lines into `Entry` values; everything downstream (thread, boundary, meter, ledger) knows
only these. Values are equal when their content is equal; they hold no path and no clock.

    Entry ── role, id, parent, message_id, offsets
      └── parts: UserText | AssistantText | Thinking | ToolUse | ToolResult | Interrupt | MachineText
                 | Usage | Compacted | RolledBack | TurnEnd | Place | Link

Roles decide what may be done with a text: words inside a text never change who said it.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Role = Literal["user", "assistant", "tool", "system", ""]
Via = Literal["prompt", "command", "queued", "rejection", "answer"]


class Part(msgspec.Struct, frozen=True, tag=True):
    """Base of everything an entry can say."""


class UserText(Part, frozen=True):
    """Words of the person, verbatim, without what a harness put around them.

    `via` tells how they came: typed as a `prompt`, as arguments of a slash `command`, `queued` while the agent
    worked, in the `rejection` of a tool call, as the `answer` to a question the agent asked.
    `steering` is True when the record itself shows that they correct running work.
    """

    text: str
    via: Via = "prompt"
    steering: bool = False


class AssistantText(Part, frozen=True):
    """Words of the agent. `final` is True where the format itself marks the answer of a turn, `commentary` where it
    says that the agent goes on.
    """

    text: str
    final: bool = False
    commentary: bool = False


class Thinking(Part, frozen=True):
    """A thinking or reasoning block; only its size in characters is of interest."""

    size: int


class ToolUse(Part, frozen=True):
    """A call. `input` is decoded; where a format holds unparsable arguments it is `{"input": text}`."""

    id: str
    name: str
    input: dict[str, Any]


class ToolResult(Part, frozen=True):
    """The answer to a call. `rejected`: the person refused the call (their words are a UserText of their own).

    `detail` holds the few structured facts a record gives besides its text: `type` ("create" | "update"),
    `success`, `exit_code`, `task_id`, `files` (path -> "add" | "update" | "delete").
    """

    id: str
    text: str
    is_error: bool = False
    rejected: bool = False
    detail: dict[str, Any] = {}


class Interrupt(Part, frozen=True):
    """The person stopped the agent."""


class MachineText(Part, frozen=True):
    """Text that is in the model's context but is nobody's words: reminders, hook output, system prompts, skills."""

    text: str


class Usage(Part, frozen=True):
    """What the service counted for one call. `context` = input + cache read + cache write, in tokens."""

    context: int
    model: str = ""


class Compacted(Part, frozen=True):
    """The client's own compaction. `kept`: ids of earlier entries that stay live; `post_tokens` is 0 if unknown."""

    summary: str = ""
    kept: tuple[str, ...] = ()
    post_tokens: int = 0


class RolledBack(Part, frozen=True):
    """The person took back the last `turns` turns (1 or more) that live."""

    turns: int


class TurnEnd(Part, frozen=True):
    """The record itself says that the agent's turn is over."""


class Place(Part, frozen=True):
    """Where the agent works, when it changes: working directory and git branch."""

    cwd: str = ""
    branch: str = ""


class Link(Part, frozen=True):
    """A pull request or issue the harness itself recorded."""

    url: str
    label: str = ""


AnyPart: TypeAlias = (
    UserText
    | AssistantText
    | Thinking
    | ToolUse
    | ToolResult
    | Interrupt
    | MachineText
    | Usage
    | Compacted
    | RolledBack
    | TurnEnd
    | Place
    | Link
)


class Entry(msgspec.Struct, frozen=True):
    """One record of a transcript: bytes `offset`..`end` (half-open, the newline included) and what it says.

    `role` is that of the conversation message the record carries, "" for bookkeeping. `id` and `parent` are empty
    where a format has none; `message_id` groups records that are parts of one API message.
    `stop` is the recorded stop reason ("" when absent). Sidechain records carry no parts.
    """

    offset: int
    end: int
    role: Role = ""
    parts: tuple[AnyPart, ...] = ()
    id: str = ""
    parent: str = ""
    message_id: str = ""
    stop: str = ""
    timestamp: str = ""

    @property
    def prompts(self) -> bool:
        """True if a turn begins here: a human prompt, not words taken into a running turn."""
        return any(isinstance(part, UserText) and part.via in ("prompt", "command") for part in self.parts)

    @property
    def calls(self) -> tuple[str, ...]:
        """Ids of the tool calls made here."""
        return tuple(part.id for part in self.parts if isinstance(part, ToolUse))

    @property
    def results(self) -> tuple[str, ...]:
        """Ids of the tool calls answered here."""
        return tuple(part.id for part in self.parts if isinstance(part, ToolResult))
