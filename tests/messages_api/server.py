"""The server on its socket: reads requests, waits as long as a model would, sends answers whole, streamed or broken."""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.messages_api.answers import Answers, Reworded
from tests.messages_api.clock import Clock
from tests.messages_api.house import ANTHROPIC, House
from tests.messages_api.log import Log
from tests.messages_api.service import LARGEST, Outcome, Service
from tests.messages_api.stream import events, wire

if TYPE_CHECKING:
    from pathlib import Path

_AFTER_TEXT = 4  # events: the last piece of a text, the end of its block, two of the message
_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


class ServerBroken(AssertionError):
    """The server itself failed while it answered."""


class Server:
    """Listens on a free port of 127.0.0.1 from the start of a `with` block to its end.

    `delay`: seconds before the first byte of each answer of a model. `log_path`: where to write the log, too. A bug of
    our own is raised when the block ends: what was tested against it is worth nothing.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        house: House = ANTHROPIC,
        *,
        port: int = 0,
        delay: float = 0.0,
        clock: Clock | None = None,
        log_path: Path | None = None,
    ) -> None:
        self.delay = delay
        self.clock = clock or Clock()
        self.log = Log(log_path)
        self.service = Service(answers or Reworded(), house, self.clock, self.log)
        self.closing = threading.Event()
        self.broken: list[str] = []
        self._listener = _Listener(("127.0.0.1", port), _Handler)
        self._listener.owner = self
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), name="messages-api", daemon=True
        )

    @property
    def url(self) -> str:
        """The base URL a client is given."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def script(self, *words: str) -> None:
        """What the next valid requests meet: `fault.py`."""
        self.service.script(words)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._listener.shutdown()
        self._listener.close_connections()
        self._listener.server_close()
        self._thread.join()
        if self.broken:
            raise ServerBroken("".join(self.broken))


class _Listener(ThreadingHTTPServer):
    """Joins its threads at the end: no connection outlives the server."""

    daemon_threads = False
    request_queue_size = 128
    owner: Server

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake those that wait for a next request."""
        with self._guard:
            for connection in self._connections:
                _end(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], OSError):
            self.owner.broken.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def do_GET(self) -> None:
        if self.path == "/log":
            self._send(200, b"".join(line + b"\n" for line in self._owner.log.lines()), "application/jsonl", {})
        else:
            self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST:
            self._refuse_length(length)
            return
        raw = self.rfile.read(length)
        if self.path == "/control":
            self._control(json.loads(raw))
        else:
            self._answer(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: the log has it all."""

    @property
    def _owner(self) -> Server:
        return self.server.owner

    def _control(self, wish: dict[str, Any]) -> None:
        """{"faults": [words], "advance": seconds}: the way of another process to `script` and to the clock."""
        self._owner.script(*wish.get("faults", []))
        self._owner.clock.advance(wish.get("advance", 0))
        self._send(200, b"{}", "application/json", {})

    def _refuse_length(self, length: int) -> None:
        """As a gateway does; the rest is read, so that the caller hears the answer."""
        while length > 0 and (part := self.rfile.read(min(length, 1 << 20))):
            length -= len(part)
        error = {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}
        self._send(413, json.dumps(error).encode(), "application/json", {})

    def _answer(self, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            outcome = self._owner.service.respond(self.command, self.path, headers, raw)
        except Exception:
            self._send(500, b'{"type":"error","error":{"type":"api_error","message":"bug"}}', "application/json", {})
            raise
        if self._wait(outcome):
            if outcome.visit is not None:
                self._owner.service.cache.begin(outcome.visit)
            if outcome.stream:
                self._send_events(outcome)
            else:
                self._send_whole(outcome)

    def _wait(self, outcome: Outcome) -> bool:
        """As long as a model takes; False if there is to be no answer."""
        name = outcome.fault.name if outcome.fault else ""
        if name == "hang":
            self._until_gone()
        seconds = self._owner.delay * outcome.waits + (outcome.fault.seconds if outcome.fault and name == "slow" else 0)
        if name in {"hang", "drop"} or (seconds and self._owner.closing.wait(seconds)):
            self.close_connection = True
            _end(self.connection)
            return False
        return True

    def _until_gone(self) -> None:
        while not self._owner.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _send_whole(self, outcome: Outcome) -> None:
        name = outcome.fault.name if outcome.fault else ""
        if isinstance(outcome.payload, str):
            self._send(outcome.status, outcome.payload.encode(), "text/html", outcome.headers)
            return
        if name == "mid-stream":
            self._send(529, json.dumps(_OVERLOADED).encode(), "application/json", outcome.headers)
            return
        data = json.dumps(outcome.payload, ensure_ascii=False).encode()
        if name == "half-body":
            data = data[: len(data) // 2]
        self._send(outcome.status, data, "application/json", outcome.headers, cut=name == "cut")

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.wfile.flush()
        if cut:
            self.close_connection = True
            _end(self.connection)

    def _send_events(self, outcome: Outcome) -> None:
        self.send_response(200)
        for name, value in {
            "content-type": "text/event-stream",
            "transfer-encoding": "chunked",
            **outcome.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        said = [wire(event) for event in events(outcome.payload)]
        name = outcome.fault.name if outcome.fault else ""
        if name in {"cut", "mid-stream", "half-body"}:
            said = said[: len(said) // 2]
        if name == "stall":
            said = said[:-_AFTER_TEXT]
        if name == "mid-stream":
            said.append(wire(("error", _OVERLOADED)))
        pause = outcome.fault.seconds / len(said) if outcome.fault and name == "drip" else 0.0
        for event in said:
            self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            if pause:
                self.wfile.flush()
                self._owner.closing.wait(pause)
        if name == "stall":
            self.wfile.flush()
            self._until_gone()
        if name in {"cut", "stall"}:
            self.wfile.flush()
            self.close_connection = True
            _end(self.connection)
        else:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()


def _end(connection: socket.socket) -> None:
    """Both ways, at once; it may be over already."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
