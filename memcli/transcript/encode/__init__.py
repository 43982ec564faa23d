"""The tail and the memory message in the bytes of each format; `common` says what an encoder is and promises."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    from memcli.transcript.encode.common import Out, Pieces, Plan, Record

    class Encoder(Protocol):
        """What each module of this package offers."""

        NAME: str
        COPIES: bool  # False if the format's tail must always be rewritten

        def context(self, first: Iterable[bytes], last: Iterable[bytes], known: Record | None = None) -> Record:
            """What must be known of records outside the tail: `first` and `last` lines before it. With what was `known`
            before, `last` are the lines since then, and `first` is not asked."""

        def message(
            self, before: str, state: str, after: str, envelope: Record, tokens: int = 0, memory_tokens: int = 0
        ) -> Pieces:
            """The format's prologue and the memory message with the text `before + state + after`."""

        def tail(self, lines: Iterable[tuple[int, bytes]], plan: Plan) -> Iterator[Out]:
            """The lines to emit behind the memory message. Raises Doubt."""

        def said(self, record: Record) -> tuple[str, str, list[Record]] | None:
            """Role, message id and Anthropic blocks of a conversation record."""


def module(name: str) -> Encoder:
    """The encoder of a format by its name. Raises ValueError for an unknown one; loads only the one asked for."""
    if name == "claude-code":
        from memcli.transcript.encode import claude_code

        return claude_code
    if name == "codex":
        from memcli.transcript.encode import codex

        return codex
    if name == "pi":
        from memcli.transcript.encode import pi

        return pi
    if name == "openai":
        from memcli.transcript.encode import openai

        return openai
    if name == "anthropic":
        from memcli.transcript.encode import anthropic

        return anthropic
    raise ValueError(f"no encoder for {name}")
