"""Conversations of an agent, in few words, and how a test has a session's daemon and model at hand."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.messages_api.house import ANTHROPIC
from tests.messages_api.validate import validate

if TYPE_CHECKING:
    from memcli import Session

WORDS = "the wheel turns", "the miller counts sacks", "rain comes down", "carts leave the town", "grain is dry"

Message = dict[str, Any]


def prompt(number: int, length: int = 900) -> Message:
    """A user's message which names its number, of about so many characters."""
    said = f"please do step {number} of the plan"
    place = 0
    while len(said) < length:
        place += 1
        said += f". Mind that on day {number}-{place} {WORDS[(number + place) % len(WORDS)]}"
    return {"role": "user", "content": said}


def answer(number: int) -> Message:
    """The agent's answer to it, as the API gives one."""
    text = f"I opened `wheel_{number}.py` and repaired axle {number}. The tests of part {number} pass."
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def call(name: str = "call_1") -> Message:
    return {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": "ls"}}],
    }


def result(name: str = "call_1") -> Message:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": "ok"}]}


def talk(turns: int) -> list[Message]:
    """So many prompts with their answers."""
    return [message for number in range(turns) for message in (prompt(number), answer(number))]


def grow(session: Session, first: int, *, until: int = 10_000) -> int:
    """Turn after turn until the session is full, ending in a prompt; the number of that one."""
    for number in range(first, until):
        session.add(prompt(number))
        if session.full:
            return number
        session.add(answer(number))
    raise AssertionError("it was never full")


def is_valid(messages: list[Message]) -> bool:
    """True if the real service would take them: the rules of the suite's server. Roles alternate, too."""
    tools = [{"name": "Bash", "input_schema": {"type": "object"}}]
    validate({"model": "claude-haiku-5-5", "max_tokens": 10, "messages": messages, "tools": tools}, ANTHROPIC)
    roles = [message["role"] for message in messages]
    return all(role != before for before, role in pairwise(roles))
