"""What a list of messages must be: who begins, who ends, and that every tool call is followed by its result.

Messages of one role in a row are one turn, as the service reads them; the numbers in its sentences are of the list as
it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.messages_api.block import check_block
from tests.messages_api.piece import blocks_of
from tests.messages_api.refused import Refused

if TYPE_CHECKING:
    from tests.messages_api.house import House
    from tests.messages_api.model import Model

MOST_MESSAGES = 100_000


class _Placed(NamedTuple):
    message: int
    place: int
    block: dict[str, Any]

    @property
    def at(self) -> str:
        return f"messages.{self.message}.content.{self.place}"


class _Turn(NamedTuple):
    role: str
    blocks: list[_Placed]
    first: int
    """Number of its first message."""

    def of(self, kind: str) -> list[_Placed]:
        return [placed for placed in self.blocks if placed.block.get("type") == kind]


def check_messages(messages: Any, model: Model, house: House) -> None:
    """Raises Refused with the service's own sentence for the first rule that is broken."""
    if not isinstance(messages, list):
        raise Refused("messages: Input should be a valid list")
    if not messages:
        raise Refused("messages: at least one message is required")
    if len(messages) > MOST_MESSAGES:
        raise Refused(f"messages: List should have at most {MOST_MESSAGES} items")
    for number, message in enumerate(messages):
        _check_message(number, message)
    _check_ends(messages, model, house)
    _check_system_turns(messages, model)
    turns = _turns(messages)
    _check_calls(turns)
    for before, turn in zip([None, *turns], turns, strict=False):
        _check_results(before, turn)


def _check_message(number: int, message: Any) -> None:
    at = f"messages.{number}"
    if not isinstance(message, dict):
        raise Refused(f"{at}: Input should be a valid dictionary")
    for name in ("role", "content"):
        if name not in message:
            raise Refused(f"{at}.{name}: Field required")
    for name in message.keys() - {"role", "content"}:
        raise Refused(f"{at}.{name}: Extra inputs are not permitted")
    role, content = message["role"], message["content"]
    if role not in {"user", "assistant", "system"}:
        raise Refused(f"{at}.role: Input should be 'user', 'assistant' or 'system'")
    if not isinstance(content, str | list):
        raise Refused(f"{at}.content: Input should be a valid string or list")
    if not content and role != "assistant":
        raise Refused(f"{at}: {role} messages must have non-empty content")
    blocks = blocks_of(content)
    for place, block in enumerate(blocks):
        check_block(block, f"{at}.content.{place}", role)
        if role == "system" and block["type"] != "text":
            raise Refused(f"{at}.content.{place}: system messages hold text only")
    if blocks and all(block["type"] == "text" and not block["text"].strip() for block in blocks):
        raise Refused("messages: text content blocks must contain non-whitespace text")


def _check_ends(messages: list[dict[str, Any]], model: Model, house: House) -> None:
    if house.first_user and messages[0]["role"] != "user":
        raise Refused('messages: first message must use the "user" role')
    last = messages[-1]
    if last["role"] != "assistant":
        return
    if not model.prefill:
        raise Refused(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    end = blocks_of(last["content"])[-1:]
    if end and end[0]["type"] == "text" and end[0]["text"] != end[0]["text"].rstrip():
        raise Refused("messages: final assistant content cannot end with trailing whitespace")


def _check_system_turns(messages: list[dict[str, Any]], model: Model) -> None:
    for number, message in enumerate(messages):
        if message["role"] != "system":
            continue
        if not model.system_role:
            raise Refused(f"messages.{number}.role: this model does not support system messages in the conversation")
        before = messages[number - 1]["role"] if number else ""
        after = messages[number + 1]["role"] if number + 1 < len(messages) else "assistant"
        if before != "user" or after != "assistant":
            raise Refused(
                f"messages.{number}: a system message must follow a user message and be last or before assistant"
            )


def _turns(messages: list[dict[str, Any]]) -> list[_Turn]:
    turns: list[_Turn] = []
    for number, message in enumerate(messages):
        placed = [_Placed(number, place, block) for place, block in enumerate(blocks_of(message["content"]))]
        if turns and turns[-1].role == message["role"]:
            turns[-1].blocks.extend(placed)
        else:
            turns.append(_Turn(message["role"], placed, number))
    return turns


def _check_calls(turns: list[_Turn]) -> None:
    """Every call is answered in the next turn, and no id is used twice."""
    seen: set[str] = set()
    for turn, after in zip(turns, [*turns[1:], None], strict=True):
        calls = turn.of("tool_use")
        for call in calls:
            if call.block["id"] in seen:
                raise Refused(f"{call.at}: `tool_use` ids must be unique")
            seen.add(call.block["id"])
        answered = {result.block["tool_use_id"] for result in after.of("tool_result")} if after else set()
        missing = [call for call in calls if call.block["id"] not in answered]
        if missing and after:
            raise Refused(
                f"messages.{missing[0].message}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(call.block['id'] for call in missing)}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message."
            )


def _check_results(before: _Turn | None, turn: _Turn) -> None:
    """Every result has its call in the turn before, once, and stands before anything else."""
    calls = {call.block["id"] for call in before.of("tool_use")} if before else set()
    results, seen = turn.of("tool_result"), set()
    for result in results:
        name = result.block["tool_use_id"]
        if name not in calls:
            raise Refused(
                f"{result.at}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` block "
                "must have a corresponding `tool_use` block in the previous message."
            )
        if name in seen:
            raise Refused(
                f"{result.at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {name}"
            )
        seen.add(name)
    if any(placed.block["type"] != "tool_result" for placed in turn.blocks[: len(results)]):
        raise Refused(
            f"messages.{turn.first}: Did not find {len(results)} `tool_result` block(s) at the beginning of this message. "
            "Messages following `tool_use` blocks must begin with a matching number of `tool_result` blocks."
        )
