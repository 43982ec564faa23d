"""Whether a request is valid, in the service's order and with its sentences where they are known.

Sources: the API reference, the pages on versions, caching, thinking and structured outputs, and reports of what the
service answered. Sentences nobody has reported are our own; tests look at words of theirs only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.messages_api.conversation import check_messages
from tests.messages_api.house import ANTHROPIC_ONLY, COMMON
from tests.messages_api.model import model_named
from tests.messages_api.piece import blocks_of, pieces
from tests.messages_api.refused import Refused
from tests.messages_api.schema import check_schema
from tests.messages_api.thought import check_thinking

if TYPE_CHECKING:
    from tests.messages_api.house import House
    from tests.messages_api.model import Model

_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_MOST_MARKS = 4
_LEAST_THINKING = 1_024


def validate(body: Any, house: House, *, counting: bool = False) -> Model:
    """The model that is to answer. `counting`: for count_tokens, which asks for no `max_tokens`. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused("The request body is not a valid JSON object")
    _check_names(body, house, counting=counting)
    if not isinstance(body["model"], str) or not body["model"]:
        raise Refused("model: Input should be a valid string")
    model = model_named(body["model"], known_only=house.anthropic)
    _check_unicode(body)
    if not counting:
        _check_max_tokens(body, model)
    _check_sampling(body, model, house)
    _check_system(body.get("system"))
    check_messages(body["messages"], model, house)
    _check_tools(body, model, house)
    _check_marks(body)
    _check_output(body.get("output_config"), model)
    _check_mode(body, model)
    check_thinking(body, model)
    _check_images(body, model)
    _check_length(body, model)
    return model


def _check_names(body: dict[str, Any], house: House, *, counting: bool) -> None:
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        if name not in body:
            raise Refused(f"{name}: Field required")
    known = COMMON | (ANTHROPIC_ONLY if house.anthropic else frozenset())
    for name in body:
        if name not in known or (counting and name in {"max_tokens", "stream", "metadata", "stop_sequences"}):
            raise Refused(f"{name}: Extra inputs are not permitted")


def _check_unicode(value: Any) -> None:
    """Half of a surrogate pair is valid in JSON's grammar and nowhere else."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Refused("The request body is not valid JSON: no low surrogate in string") from None
        case dict():
            for inner in value.values():
                _check_unicode(inner)
        case list():
            for inner in value:
                _check_unicode(inner)


def _check_max_tokens(body: dict[str, Any], model: Model) -> None:
    wanted = body["max_tokens"]
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
        raise Refused("max_tokens: Input should be greater than or equal to 0")
    if wanted > model.max_output:
        raise Refused(
            f"max_tokens: {wanted} > {model.max_output}, which is the maximum allowed number of output tokens for {model.name}"
        )


def _check_sampling(body: dict[str, Any], model: Model, house: House) -> None:
    for name in _SAMPLING:
        if name in body and ("2026-10-21" in house.versions or not model.sampling):
            raise Refused(f"{name}: sampling parameters are not supported")


def _check_system(system: Any) -> None:
    if system is None or system == "":
        return
    if not isinstance(system, str | list):
        raise Refused("system: Input should be a valid string or list")
    for place, block in enumerate(blocks_of(system)):
        if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise Refused(f"system.{place}: Input should be a text block")
        if not block["text"]:
            raise Refused("system: text content blocks must be non-empty")
        if not block["text"].strip():
            raise Refused("system: text content blocks must contain non-whitespace text")


def _check_tools(body: dict[str, Any], model: Model, house: House) -> None:
    tools = body.get("tools") or []
    for number, tool in enumerate(tools):
        if not isinstance(tool, dict) or not tool.get("name"):
            raise Refused(f"tools.{number}.custom.name: Field required")
        if tool.get("type", "custom") == "custom" and not isinstance(tool.get("input_schema"), dict):
            raise Refused(f"tools.{number}.custom.input_schema: Field required")
    if len({tool["name"] for tool in tools}) < len(tools):
        raise Refused("tools: Tool names must be unique.")
    used = any(
        block["type"] in {"tool_use", "tool_result"}
        for message in body["messages"]
        for block in blocks_of(message["content"])
    )
    if used and not tools and house.needs_tools:
        raise Refused("Requests which include tool_use or tool_result blocks must define tools.")
    choice = (body.get("tool_choice") or {}).get("type")
    if choice in {"any", "tool"} and not model.forced_tools:
        raise Refused(f"tool_choice: forced tool use is not supported for {model.name}")


def _check_marks(body: dict[str, Any]) -> None:
    """Cache marks: their form, how many, and the longer-lived first."""
    found = [
        block["cache_control"]
        for block in _marked_blocks(body)
        if isinstance(block, dict) and block.get("cache_control") is not None
    ]
    whole = body.get("cache_control")
    for mark in [*found, *([whole] if whole else [])]:
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            raise Refused("cache_control.type: Input should be 'ephemeral'")
        if mark.get("ttl", "5m") not in {"5m", "1h"} or mark.keys() - {"type", "ttl"}:
            raise Refused("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    ttls = [mark.get("ttl", "5m") for mark in found]
    if whole:
        ttls += _automatic_ttl(body, whole)
    if len(ttls) > _MOST_MARKS:
        raise Refused(f"A maximum of 4 blocks with cache_control may be provided. Found {len(ttls)}.")
    if "1h" in ttls and "5m" in ttls[: len(ttls) - ttls[::-1].index("1h")]:
        raise Refused(
            "cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."
        )


def _marked_blocks(body: dict[str, Any]) -> list[Any]:
    """All blocks that may carry a mark, in the order of the prompt."""
    blocks: list[Any] = [*(body.get("tools") or []), *blocks_of(body.get("system"))]
    for message in body["messages"]:
        for block in blocks_of(message["content"]):
            inner = block.get("content")
            blocks += [*(inner if isinstance(inner, list) else []), block]
    return blocks


def _automatic_ttl(body: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """The mark for the whole request falls on the last block; one that stands there already must agree with it."""
    own = _marked_blocks(body)[-1].get("cache_control")
    if own is None:
        return [whole.get("ttl", "5m")]
    if own.get("ttl", "5m") != whole.get("ttl", "5m"):
        raise Refused("cache_control: automatic caching and the mark of the last block differ in ttl")
    return []


def _check_output(output: Any, model: Model) -> None:
    if output is None:
        return
    if not isinstance(output, dict):
        raise Refused("output_config: Input should be a valid dictionary")
    for name in output:
        if name not in {"effort", "format"}:
            raise Refused(f"output_config.{name}: Extra inputs are not permitted")
    effort, form = output.get("effort"), output.get("format")
    if effort is not None and effort not in _EFFORTS:
        raise Refused("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if effort is not None and not model.effort:
        raise Refused("This model does not support the effort parameter.")
    if form is not None:
        if not isinstance(form, dict) or form.get("type") != "json_schema" or form.keys() - {"type", "schema"}:
            raise Refused("output_config.format: Input should be of type 'json_schema'")
        check_schema(form.get("schema"))


def _check_mode(body: dict[str, Any], model: Model) -> None:
    """The thinking that is asked for."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    mode = thinking.get("type") if isinstance(thinking, dict) else None
    if mode not in {"adaptive", "enabled", "disabled", "between_tools"}:
        raise Refused("thinking.type: Input should be 'adaptive', 'between_tools', 'disabled' or 'enabled'")
    if mode not in model.thinking:
        raise Refused(f"thinking.type: '{mode}' is not supported for {model.name}")
    if mode == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < _LEAST_THINKING:
            raise Refused(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_THINKING}")
        if budget >= body.get("max_tokens", budget + 1):
            raise Refused("max_tokens must be greater than thinking.budget_tokens")


def _check_images(body: dict[str, Any], model: Model) -> None:
    count = sum(
        (block["type"] == "image")
        + sum(
            inner.get("type") == "image"
            for inner in (block.get("content") if isinstance(block.get("content"), list) else [])
        )
        for message in body["messages"]
        for block in blocks_of(message["content"])
    )
    most = 100 if model.context <= 200_000 else 600
    if count > most:
        raise Refused(f"messages: too many images: {count} > {most} maximum")


def _check_length(body: dict[str, Any], model: Model) -> None:
    prompt = pieces(body, model)
    if prompt and prompt[-1].end > model.context:
        raise Refused(f"prompt is too long: {prompt[-1].end} tokens > {model.context} maximum")
