"""A Messages API on loopback that plays an agent for a real client, by rule. It keeps what it was sent.

A prompt "step N ..." is worked on in one tool round and then answered; what is asked of it for a summary, it gives one.
"""

from __future__ import annotations

import json
import re
from typing import Any

import loopback
from loopback import CHARS_PER_TOKEN, new_id

SUMMARY = "The conversation so far went step by step; nothing else is known of it."
_STEP = re.compile(r"\bstep (\d+)\b")
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)


class Server(loopback.Server):
    """The server; a context manager."""

    def __init__(self) -> None:
        super().__init__(_Handler)


def blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of a message as blocks."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def said(block: dict[str, Any]) -> str:
    """The text of a block without what the client puts around it; empty for other blocks."""
    return _REMINDER.sub("", block.get("text", "")).strip() if block["type"] == "text" else ""


def asks_for_summary(body: dict[str, Any]) -> bool:
    """True for the request with which the client compacts."""
    last = "\n".join(block.get("text", "") for block in blocks(body["messages"][-1]))
    return "<analysis>" in last and "<summary>" in last


def _answer(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of the answer to a request."""
    if asks_for_summary(body):
        return [_text(f"<analysis>\nRead it.\n</analysis>\n<summary>\n{SUMMARY}\n</summary>")]
    messages = body["messages"]
    prompts = [n for n, one in enumerate(messages) if one["role"] == "user" and any(map(said, blocks(one)))]
    step = _STEP.findall(" ".join(map(said, blocks(messages[prompts[-1]])))) if prompts else []
    if not step or not body.get("tools"):
        return [_text("Noted.")]
    number = int(step[-1])
    if any(one["role"] == "assistant" for one in messages[prompts[-1] + 1 :]):
        return [_text(f"Step {number} is done; notes/{number}.txt holds what it gave.")]
    return [
        _text(f"I work on step {number}."),
        {"type": "tool_use", "id": new_id("toolu"), **_call(number, body["tools"])},
    ]


def _call(number: int, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """A call of the tool that runs commands, as the client names it."""
    name = next((str(tool["name"]) for tool in tools if str(tool.get("name")).lower() == "bash"), "Bash")
    if number % 7 == 0:  # now and then something fails
        command = f"cat notes/missing-{number}.txt"
    else:
        command = f"mkdir -p notes && echo 'result of {number}' > notes/{number}.txt && seq 1 400"
    return {"name": name, "input": {"command": command, "description": f"Work on step {number}"}}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _message(body: dict[str, Any]) -> dict[str, Any]:
    content = _answer(body)
    size = sum(len(json.dumps(body.get(part, ""))) for part in ("messages", "system", "tools"))
    usage = {"input_tokens": size // CHARS_PER_TOKEN, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "tool_use" if content[-1]["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1 + len(json.dumps(content)) // CHARS_PER_TOKEN},
    }


def _events(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The message as the events of a stream."""
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**message, "content": []}}]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start, delta = (
                {**block, "input": {}},
                {"type": "input_json_delta", "partial_json": json.dumps(block["input"])},
            )
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": message["usage"]})
    return [*events, {"type": "message_stop"}]


class _Handler(loopback.Handler):
    def got(self) -> None:
        self._send(404, {"type": "error", "error": {"type": "not_found_error", "message": "not here"}})

    def posted(self, body: dict[str, Any]) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self._send(200, {"input_tokens": len(json.dumps(body)) // CHARS_PER_TOKEN})
        elif path.endswith("/v1/messages"):
            self.server.requests.append(body)
            message = _message(body)
            self._stream(message) if body.get("stream") else self._send(200, message)
        else:
            self._send(200, {})

    def _stream(self, message: dict[str, Any]) -> None:
        lines = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in _events(message))
        self.reply(200, lines.encode(), "text/event-stream")

    def _send(self, status: int, value: dict[str, Any]) -> None:
        self.reply(status, json.dumps(value).encode())
