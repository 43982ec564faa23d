"""What a backend is asked and what it answers, whoever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from memcli.memory.jobs import Usage

if TYPE_CHECKING:
    from memcli.memory.jobs import Failure, Job, Result


class Request(msgspec.Struct, frozen=True):
    """One question to a model, in the shape of the Messages API.

    `messages` begin and end with the user's; a block may carry `cache_control`. `schema` is the JSON schema of the
    answer; a backend that cannot hold a model to a schema is asked in words and answers text. `max_tokens` bounds the
    answer, thinking included.
    """

    system: str
    messages: tuple[dict[str, Any], ...]
    max_tokens: int
    schema: dict[str, Any] | None = None

    @property
    def characters(self) -> int:
        """Characters of everything that is sent."""
        return len(self.system) + sum(len(_text(message["content"])) for message in self.messages)

    @property
    def text(self) -> str:
        """The question as plain text, for a program that reads a prompt."""
        return f"{self.system}\n\n{self.without_system}".strip()

    @property
    def without_system(self) -> str:
        """The same for a program that is told the system prompt in another way."""
        return "\n\n".join(_text(message["content"]) for message in self.messages).strip()


class Reply(msgspec.Struct, frozen=True):
    """A whole answer. One that was cut off, refused or empty is no reply but `Failed`."""

    text: str
    model: str
    usage: Usage
    milliseconds: int
    stop: str = ""


class Failed(Exception):
    """No answer. `usage` holds what was billed all the same (a refusal, an answer that was cut off)."""

    def __init__(self, failure: Failure, usage: Usage | None = None, model: str = "") -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.usage = usage
        self.model = model


class Backend(Protocol):
    """Something that writes. `structured`: it holds a model to `Request.schema`. `caches`: it knows prompt caching."""

    name: str
    model: str
    structured: bool
    caches: bool

    def complete(self, request: Request) -> Reply:
        """The answer, whole. Raises Failed. Called from several threads at a time."""

    def count(self, request: Request) -> int:
        """Tokens of the prompt: counted by the service if it can, else estimated."""

    def close(self) -> None:
        """End what was started."""


class Writer(Protocol):
    """Something that writes a whole update on its own: a program of the user's that speaks the protocol."""

    name: str
    model: str

    def write(self, job: Job) -> Result:
        """The answer to a job whose `prompt` is filled in: a Result with `edits` or `text`, and `model` and `usage`
        (estimated if the program told none). Raises Failed. Called from several threads at a time."""

    def close(self) -> None:
        """End what was started."""


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text") or block.get("content") or block.get("input") or "") for block in content)
