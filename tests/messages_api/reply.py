"""The message the server answers with: blocks, stop reason, usage; spoilt where a fault says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.messages_api.thought import signature
from tests.messages_api.tokens import text_tokens

if TYPE_CHECKING:
    from tests.messages_api.cache import Visit
    from tests.messages_api.fault import Fault
    from tests.messages_api.model import Model

HUGE = 10_000_000
_THOUGHT = "The messages were compared with what stands."
_STOPS = {
    "refusal": "refusal",
    "max_tokens": "max_tokens",
    "pause_turn": "pause_turn",
    "context": "model_context_window_exceeded",
    "unknown-stop": "something_new",
    "no-stop": None,
}


def message(
    body: dict[str, Any], model: Model, visit: Visit, text: str, number: int, fault: Fault | None
) -> dict[str, Any]:
    """The whole message. A text longer than `max_tokens` allows is cut there; a limit of 0 only warms the cache."""
    name = fault.name if fault else ""
    text, stop = _cut(_spoilt(text, name), body["max_tokens"], model)
    thought = _thought(body, model, always=name == "thinking") if body["max_tokens"] else []
    content = [*thought, *([{"type": "text", "text": text}] if text else [])]
    if name == "unknown-block":
        content.insert(0, {"type": "something_new", "data": "?"})
    thinking = text_tokens(_THOUGHT, model.weight) if thought else 0
    said: dict[str, Any] = {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": _STOPS.get(name, stop),
        "stop_sequence": None,
        "usage": _usage(visit, text_tokens(text, model.weight) + thinking, thinking),
    }
    if name == "refusal":
        said["stop_details"] = {"type": "refusal", "category": "cyber", "explanation": None}
    if name == "partial-usage":
        said["usage"] = {key: said["usage"][key] for key in ("input_tokens", "output_tokens")}
    if name == "no-usage":
        del said["usage"]
    return said


def _spoilt(text: str, name: str) -> str:
    match name:
        case "empty" | "refusal":
            return ""
        case "whitespace":
            return " \n\n"
        case "half-json" | "max_tokens" | "pause_turn" | "context":
            return text[: len(text) // 2]
        case "huge":
            return _huge(text)
    return text


def _huge(text: str) -> str:
    """The same form, grown: a string in the JSON of the answer, or the text again and again."""
    try:
        value = json.loads(text)
    except ValueError:
        return (text + "\n") * (HUGE // (len(text) + 1) + 1)
    edits = value.get("edits") if isinstance(value, dict) else None
    if edits:
        value["edits"] = edits * (HUGE // len(json.dumps(edits)) + 1)
        return json.dumps(value)
    return json.dumps(value) + " " * HUGE


def _cut(text: str, limit: int, model: Model) -> tuple[str, str]:
    """A huge answer is one of a server that keeps no limit."""
    if len(text) < HUGE and text_tokens(text, model.weight) > limit:
        return text[: int(limit * 4 / model.weight)], "max_tokens"
    return text, "end_turn"


def _thought(body: dict[str, Any], model: Model, *, always: bool) -> list[dict[str, Any]]:
    """Models that think by themselves do so unless they are told not to, or to spare the effort."""
    mode = (body.get("thinking") or {}).get("type") or model.thinking[0]
    effort = (body.get("output_config") or {}).get("effort")
    if not always and (mode not in {"adaptive", "enabled"} or effort == "low"):
        return []
    shown = (body.get("thinking") or {}).get("display") == "summarized" or mode == "enabled"
    text = _THOUGHT if shown else ""
    return [{"type": "thinking", "thinking": text, "signature": signature(body, text)}]


def _usage(visit: Visit, output: int, thinking: int) -> dict[str, Any]:
    return {
        "input_tokens": visit.rest,
        "cache_creation_input_tokens": visit.write_5m + visit.write_1h,
        "cache_read_input_tokens": visit.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": visit.write_5m,
            "ephemeral_1h_input_tokens": visit.write_1h,
        },
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking},
        "service_tier": "standard",
    }
