"""A server on loopback that answers what it is told to, and remembers what it was asked; and answers to tell it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = {"input_tokens": 900, "output_tokens": 40, "service_tier": "standard"}


class Asked(NamedTuple):
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Answer(NamedTuple):
    """What the server does. `hold`: it sends this much, and then nothing until it is closed; `cut`: then it hangs up."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),)
    hold: bool = False
    cut: bool = False


class Wire:
    """Answers in order; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[Asked] = []
        self.answers = list(answers)
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.url = ""

    def next(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(*answers: Answer) -> Iterator[Wire]:
    """A server for the time of a block."""
    wire = Wire(*answers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(wire))
    wire.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield wire
    finally:
        wire.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = wire.next(Asked(self.path, headers, body))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            more = 1_000 if answer.hold or answer.cut else 0
            self.send_header("content-length", str(len(answer.body) + more))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()
            if answer.hold:
                wire.closing.wait()
            self.close_connection = bool(more)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


def start(**usage: object) -> bytes:
    message = {"type": "message", "model": "claude-haiku-5-5", "usage": USAGE | {"output_tokens": 1} | usage}
    return event("message_start", message=message)


def text(*parts: str, index: int = 0) -> bytes:
    deltas = (event("content_block_delta", index=index, delta={"type": "text_delta", "text": part}) for part in parts)
    return event("content_block_start", index=index, content_block={"type": "text", "text": ""}) + b"".join(deltas)


def stop(reason: str | None = "end_turn", **usage: object) -> bytes:
    delta = {"stop_reason": reason}
    return event("message_delta", delta=delta, usage={"output_tokens": 40} | usage) + event("message_stop")


def streamed(*parts: bytes) -> Answer:
    return Answer(b"".join(parts))


def good(said: str = "It is mended.") -> Answer:
    return streamed(start(), event("ping"), text(said), stop())


def document(value: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(json.dumps(value).encode(), status, (("content-type", "application/json"), *headers))


def error(status: int, kind: str = "api_error", *headers: tuple[str, str], **details: object) -> Answer:
    said = {"type": kind, "message": "no"} | ({"details": details} if details else {})
    return document({"type": "error", "error": said}, status, *headers)
