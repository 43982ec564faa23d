"""Thinking blocks: how the server signs its own, and what it finds wrong with one that is sent back.

A signature names the conversation that the block was written in (system, tools and all earlier messages, marks left
out) and the block's own text. So an altered block is told from one that stands behind another history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.messages_api.piece import digest_of, unmarked
from tests.messages_api.refused import Refused

if TYPE_CHECKING:
    from tests.messages_api.model import Model


def signature(body: dict[str, Any], thought: str, before: list[Any] | None = None) -> str:
    """The signature of a block that answers `body`; `before` are the messages if not all of `body`'s."""
    messages = body["messages"] if before is None else before
    history = digest_of(unmarked([body.get("system"), body.get("tools"), _plain(messages)]))
    return f"sig1.{history}.{digest_of(thought)}"


def check_thinking(body: dict[str, Any], model: Model) -> None:
    """Raises Refused for a thinking block without signature, not of this server, altered, or, on models that bind their
    thinking, of another conversation."""
    for number, message in enumerate(body["messages"]):
        for place, block in enumerate(message["content"] if isinstance(message["content"], list) else []):
            if block.get("type") != "thinking":
                continue
            at = f"messages.{number}.content.{place}"
            mark, _, rest = str(block["signature"]).partition(".")
            history, _, text = rest.partition(".")
            if mark != "sig1":
                raise Refused(f"{at}: Invalid `signature` in `thinking` block")
            if text != digest_of(block["thinking"]):
                raise Refused(
                    f"{at}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. "
                    "These blocks must remain as they were in the original response."
                )
            own = signature(body, block["thinking"], body["messages"][:number]).split(".")[1]
            if model.binds and history != own:
                raise Refused(
                    f"{at}: Invalid `signature` in `thinking` block. The block is bound to a different conversation. "
                    'Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
                )


def _plain(messages: list[Any]) -> list[Any]:
    """A string and a list of one text are the same message."""
    return [
        [
            message["role"],
            [{"type": "text", "text": content}] if isinstance(content := message["content"], str) else content,
        ]
        for message in messages
    ]
