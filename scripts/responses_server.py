"""A Responses API on loopback that plays an agent for a real client, by rule. It keeps what it was sent.

A prompt "step N ..." is worked on in one tool round and then answered; everything else is answered at once.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_STEP = re.compile(r"\bstep (\d+)\b")
_CHARS_PER_TOKEN = 4


class Server:
    """Listens on a free port of 127.0.0.1 within a `with` block; `requests` holds the bodies that asked a model, and
    `others` the paths of everything else that was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.others: list[str] = []
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


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
        return {"id": _id("fc"), "call_id": _id("call"), **_call([tool.get("name") for tool in body["tools"]], command)}
    text = "Noted." if last.get("role") == "user" else "The step is done; its notes hold what it gave."
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": _id("msg"), "role": "assistant", "content": content}


def _call(tools: list[str], command: str) -> dict[str, Any]:
    """A call of the tool that runs commands, as this version has it."""
    if "exec_command" in tools:
        return {"type": "function_call", "name": "exec_command", "arguments": json.dumps({"cmd": command})}
    if "shell_command" in tools:
        return {"type": "function_call", "name": "shell_command", "arguments": json.dumps({"command": command})}
    script = f"const r = await tools.exec_command({{cmd: {json.dumps(command)}}}); text(r);"
    return {"type": "custom_tool_call", "name": "exec", "input": script}


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:24]}"


def _events(body: dict[str, Any]) -> bytes:
    """The answer as the events of a stream."""
    item, size = _answer(body), len(json.dumps(body["input"])) // _CHARS_PER_TOKEN
    usage = {"input_tokens": size, "output_tokens": 10, "total_tokens": size + 10}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    response = {"id": _id("resp")}
    events = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**response, "usage": {**usage, **details}}},
    ]
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.others.append(self.path)
            upgrade = self.path.endswith("/responses")  # a web socket is asked for: there is none
            self._reply(426 if upgrade else 200, b'{"object":"list","data":[],"models":[]}', "application/json")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if self.path.endswith("/responses"):
                server.requests.append(body)
                self._reply(200, _events(body), "text/event-stream")
            else:
                server.others.append(self.path)
                self._reply(404, b'{"error":{"message":"not here"}}', "application/json")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

        def _reply(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler
