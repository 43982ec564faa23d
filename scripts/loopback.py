"""An API on loopback for a real client: what every one that is played here has in common."""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

CHARS_PER_TOKEN = 4


class Server(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1 within a `with` block; `requests` holds the bodies that asked a model, and
    `others` the paths of what else was asked."""

    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.requests: list[dict[str, Any]] = []
        self.others: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    """One request. A server's own handler says what is answered, with `reply`."""

    protocol_version = "HTTP/1.1"
    server: Server

    def got(self) -> None:
        """Something is asked for that is no question to a model."""
        raise NotImplementedError

    def posted(self, body: dict[str, Any]) -> None:
        """This was sent."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Called by the library."""
        self.got()

    def do_HEAD(self) -> None:
        """Called by the library."""
        self.got()

    def do_POST(self) -> None:
        """Called by the library."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.posted(json.loads(data or b"{}"))

    def reply(self, status: int, data: bytes, kind: str = "application/json") -> None:
        """Answer it."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("request-id", new_id("req"))
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


def new_id(kind: str) -> str:
    """An id as services give them."""
    return f"{kind}_{uuid.uuid4().hex[:24]}"
