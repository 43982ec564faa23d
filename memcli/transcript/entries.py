"""What one line of a transcript says, whatever its format.

Every format decodes its lines into `Entry` values; everything downstream (thread, boundary, meter, ledger) knows
only these. Values are equal when their content is equal; they hold no path and no clock.

    Entry ── role, id, parent, message_id, offsets
      └── parts: UserText | AssistantText | Thinking | ToolUse | ToolResult | Interrupt | MachineText
                 | Usage | Compacted | RolledBack | TurnEnd | Place | Link

Roles decide what may be done with a text: words inside a text never change who said it.

Reading is the hot loop, so an entry works out once what thread, boundary and meter ask of it, and the input of a call
stays the JSON it was until somebody asks.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from memcli.transcript.given import Given, arguments, text_in, value_in

Role = Literal["user", "assistant", "tool", "system", ""]
Via = Literal["prompt", "command", "queued", "rejection", "answer"]


class Part(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Base of everything an entry can say."""


class UserText(Part, frozen=True, gc=False):
    """Words of the person, verbatim, without what a harness put around them.

    `via` tells how they came: typed as a `prompt`, as arguments of a slash `command`, `queued` while the agent
    worked, in the `rejection` of a tool call, as the `answer` to a question the agent asked.
    `steering` is True when the record itself shows that they correct running work.
    """

    text: str
    via: Via = "prompt"
    steering: bool = False


class AssistantText(Part, frozen=True, gc=False):
    """Words of the agent. `final` is True where the format itself marks the answer of a turn, `commentary` where it
    says that the agent goes on.
    """

    text: str
    final: bool = False
    commentary: bool = False


class Thinking(Part, frozen=True, gc=False):
    """A thinking or reasoning block; only its size in characters is of interest."""

    size: int


class ToolUse(Part, frozen=True, eq=False, gc=False):
    """A call. `given` is its input, decoded or a string that may hold an object; or `json` is the object's JSON."""

    id: str
    name: str
    given: Given = ""
    json: bytes = b""

    @property
    def input(self) -> dict[str, Any]:
        """The input, decoded at each use; where a format holds unparsable arguments it is `{"input": text}`."""
        if self.json:
            return arguments(value_in(self.json))
        return self.given if isinstance(self.given, dict) else arguments(self.given)

    @property
    def size(self) -> int:
        """Characters of the call: its name, and its input as JSON."""
        given = msgspec.json.encode(self.given) if isinstance(self.given, dict) else self.json or self.given
        return len(self.name) + len(given)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ToolUse):
            return NotImplemented
        return (self.id, self.name, self.input) == (other.id, other.name, other.input)

    def __hash__(self) -> int:
        return hash((self.id, self.name))


class ToolResult(Part, frozen=True, gc=False, eq=False):
    """The answer to a call. `rejected`: the person refused the call (their words are a UserText of their own).

    `detail` holds the few structured facts a record gives besides its text: `type` ("create" | "update"),
    `success`, `exit_code`, `task_id`, `files` (path -> "add" | "update" | "delete").
    `json` is the content as the transcript has it, a JSON string or a list of blocks without pictures; then `words` are
    empty until somebody asks for the text.
    """

    id: str
    words: str = ""
    is_error: bool = False
    rejected: bool = False
    detail: dict[str, Any] = {}
    json: bytes = b""

    @property
    def text(self) -> str:
        """What the tool gave; decoded at the first use."""
        if self.json:
            msgspec.structs.force_setattr(self, "words", text_in(self.json))
            msgspec.structs.force_setattr(self, "json", b"")
        return self.words

    @property
    def size(self) -> int:
        """Characters of the text; where it is not decoded yet, of its JSON, which is a few in a hundred more."""
        return len(self.json) - 2 if self.json else len(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ToolResult):
            return NotImplemented
        return self._content == other._content

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def _content(self) -> tuple[str, str, bool, bool, dict[str, Any]]:
        return self.id, self.text, self.is_error, self.rejected, self.detail


class Interrupt(Part, frozen=True, gc=False):
    """The person stopped the agent."""


class MachineText(Part, frozen=True, gc=False):
    """Text that is in the model's context but is nobody's words: reminders, hook output, system prompts, skills."""

    text: str


class Usage(Part, frozen=True, gc=False):
    """What the service counted for one call. `context` = input + cache read + cache write, in tokens."""

    context: int
    model: str = ""


class Compacted(Part, frozen=True, gc=False):
    """The client's own compaction. `kept`: ids of earlier entries that stay live; `post_tokens` is 0 if unknown."""

    summary: str = ""
    kept: tuple[str, ...] = ()
    post_tokens: int = 0


class RolledBack(Part, frozen=True, gc=False):
    """The person took back the last `turns` turns (1 or more) that live."""

    turns: int


class TurnEnd(Part, frozen=True, gc=False):
    """The record itself says that the agent's turn is over."""


class Place(Part, frozen=True, gc=False):
    """Where the agent works, when it changes: working directory and git branch."""

    cwd: str = ""
    branch: str = ""


class Link(Part, frozen=True, gc=False):
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


METERED, COMPACTED, ROLLED_BACK, TURN_END, PLACED, SPOKEN, HIDDEN, OTHER = (1 << bit for bit in range(8))
"""Signs of what an entry holds: a usage or compaction; a compaction; turns taken back; the end of a turn; a place;
words, thoughts, calls or results; words of the person that came `queued` or in a `rejection`; anything else.
"""

_SIGNS: dict[type[Part], int] = {
    Thinking: SPOKEN,
    Compacted: METERED | COMPACTED,
    RolledBack: ROLLED_BACK,
    TurnEnd: TURN_END,
    Place: PLACED,
}


class Entry(msgspec.Struct, gc=False):
    """One record of a transcript: bytes `offset`..`end` (half-open, the newline included) and what it says.

    `role` is that of the conversation message the record carries, "" for bookkeeping. `id` and `parent` are empty
    where a format has none; `message_id` groups records that are parts of one API message.
    `stop` is the recorded stop reason ("" when absent). Sidechain records carry no parts.

    The fields from `signs` on follow from the parts; they are not to be given. Nobody changes an entry.
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
    signs: int = 0
    prompts: bool = False
    """True if a turn begins here: a human prompt, not words taken into a running turn."""
    calls: tuple[str, ...] = ()
    """Ids of the tool calls made here."""
    results: tuple[str, ...] = ()
    """Ids of the tool calls answered here."""
    chars: int = 0
    """Characters that count in the context. Thinking is left out: it is dropped or billed elsewhere."""

    def __post_init__(self) -> None:
        if not self.parts:
            return
        signs, prompts, chars = 0, False, 0
        calls: tuple[str, ...] = ()
        results: tuple[str, ...] = ()
        for part in self.parts:
            # not isinstance: of a Struct class it costs five times as much where the answer is no
            if type(part) is ToolResult:
                signs |= SPOKEN
                results += (part.id,)
                chars += len(part.json) - 2 if part.json else len(part.words)
            elif type(part) is ToolUse:
                signs |= SPOKEN
                calls += (part.id,)
                chars += len(part.name) + len(part.json) if part.json else part.size
            elif type(part) is Usage:
                signs |= METERED
            elif type(part) is AssistantText:
                signs |= SPOKEN
                chars += len(part.text)
            elif type(part) is UserText:
                signs |= SPOKEN | HIDDEN if part.via in ("queued", "rejection") else SPOKEN
                chars += len(part.text)
                prompts = prompts or part.via in ("prompt", "command")
            else:
                signs |= _SIGNS.get(type(part), OTHER)
                chars += len(part.text) if type(part) is MachineText else 0
        self.signs, self.prompts, self.chars = signs, prompts, chars
        self.calls, self.results = calls, results
