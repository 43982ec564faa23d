"""A Responses API on loopback that plays an agent for a real client, by rule. It keeps what it was sent.

A prompt "step N ..." is worked on in one tool round and then answered; everything else is answered at once.
"""

from __future__ import annotations

import json
import re
from typing import Any

import loopback
from loopback import CHARS_PER_TOKEN, new_id

_STEP = re.compile(r"\bstep (\d+)\b")


class Server(loopback.Server):
    """The server; a context manager."""

    def __init__(self) -> None:
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"{super().url}/v1"


def texts(item: dict[str, Any]) -> list[str]:
    """The texts of a message."""
    content = item.get("content")
    return [content] if isinstance(content, str) else [part["text"] for part in content or [] if part.get("text")]


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    """The one item of the answer to a request."""
    last = body["input"][-1]
    step = _STEP.findall(" ".join(texts(last))) if last.get("type", "message") == "message" else []
    if step and last.get("role") == "user":
        number = int(step[-1])
        command = f"mkdir -p notes && echo 'result of {number}' > notes/{number}.txt && ls notes | wc -l"
        return {
            "id": new_id("fc"),
            "call_id": new_id("call"),
            **_call([tool.get("name") for tool in body["tools"]], command),
        }
    text = "Noted." if last.get("role") == "user" else "The step is done; its notes hold what it gave."
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": new_id("msg"), "role": "assistant", "content": content}


def _call(tools: list[str], command: str) -> dict[str, Any]:
    """A call of the tool that runs commands, as this version has it."""
    if "exec_command" in tools:
        return {"type": "function_call", "name": "exec_command", "arguments": json.dumps({"cmd": command})}
    if "shell_command" in tools:
        return {"type": "function_call", "name": "shell_command", "arguments": json.dumps({"command": command})}
    script = f"const r = await tools.exec_command({{cmd: {json.dumps(command)}}}); text(r);"
    return {"type": "custom_tool_call", "name": "exec", "input": script}


def _events(body: dict[str, Any]) -> bytes:
    """The answer as the events of a stream."""
    item, size = _answer(body), len(json.dumps(body["input"])) // CHARS_PER_TOKEN
    usage = {"input_tokens": size, "output_tokens": 10, "total_tokens": size + 10}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    response = {"id": new_id("resp")}
    events = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**response, "usage": {**usage, **details}}},
    ]
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


class _Handler(loopback.Handler):
    def got(self) -> None:
        self.server.others.append(self.path)
        upgrade = self.path.endswith("/responses")  # a web socket is asked for: there is none
        self.reply(426 if upgrade else 200, b'{"object":"list","data":[],"models":[]}')

    def posted(self, body: dict[str, Any]) -> None:
        if self.path.endswith("/responses"):
            self.server.requests.append(body)
            self.reply(200, _events(body), "text/event-stream")
        else:
            self.server.others.append(self.path)
            self.reply(404, b'{"error":{"message":"not here"}}')
