"""When an update of the memory is due."""

from __future__ import annotations

import msgspec

from memcli.memory.jobs import Strategy

QUIET_SECONDS = 0.2
"""A file that has not grown for so long has been flushed by its client (seen: 30 to 170 ms after the event)."""

PATIENCE = 1.5
"""A threshold crossed inside a turn waits for the turn's end until it is exceeded this many times."""

NEARLY = 0.8
"""Of a threshold: when a summarizer is started speculatively (importing the SDK takes more than a second)."""


class Triggers(msgspec.Struct, frozen=True):
    """When an update is due. Tokens are those of the context as the meter reads it."""

    init_tokens: int = 10_000
    update_tokens: int = 5_000
    update_tool_calls: int = 3
    min_update_tokens: int = 0
    every_turn: bool = False
    context_limit: int = 0
    budget: int = 4_000
    write: bool = False
    """A model is to write prose."""
    strategy: Strategy = "incremental"
    instructions: str = ""
    """The user's own words to the model, for this project."""
    sections: dict[str, str] = {}
    """The user's part of the table of sections (`memory.sections.Sections`)."""
