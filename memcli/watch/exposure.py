"""Where metrics can be read: a file for node_exporter's textfile collector, or a port on which Prometheus asks."""

from __future__ import annotations

import contextlib
import shlex
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import AF_INET, AF_INET6
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Protocol

from memcli.errors import NotWritable, Usage
from memcli.sidecar import files

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "127.0.0.1"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FILE_SECONDS = 15.0
"""The file is written so often; Prometheus asks every 15 seconds to a minute."""


class Exposure(Protocol):
    """A place where the metrics are shown. `period`: seconds between calls of `show`; 0 if it asks by itself."""

    period: float

    @property
    def address(self) -> str:
        """Where they can be read."""

    def show(self) -> None:
        """Show what is counted now. It never fails."""

    def close(self) -> None:
        """Nothing is shown any more."""


def exposed(target: str, text: Callable[[], str], again: str = "memcli watch") -> Exposure:
    """Shows `text()` at PORT or HOST:PORT, else in the file of that name. `again` is the command without metrics, for
    what to try. Raises Usage, NotWritable."""
    if not target:  # a variable that is not set, most likely: nobody types this to have no metrics
        raise Usage("--metrics names neither a file nor a port", f"{again} --metrics 0")
    host, _, port = target.rpartition(":")
    if port.isdecimal() and "/" not in host:
        return Port(host.strip("[]") or HOME, int(port), text, again)
    return File(Path(target), text, again)


class File:
    """A file, replaced as a whole: whoever reads it sees one moment. Other users may read it, as collectors must."""

    period = FILE_SECONDS

    def __init__(self, path: Path, text: Callable[[], str], again: str = "memcli watch") -> None:
        """Writes it once. Raises Usage for a name that no collector takes, NotWritable."""
        if path.suffix != ".prom":
            raise Usage(
                f"--metrics {path}: a collector takes files named *.prom",
                f"{again} --metrics {shlex.quote(f'{path}.prom')}",
            )
        self._path = path.absolute()
        self._text = text
        try:
            self._write()
        except OSError as error:
            raise NotWritable(f"cannot write {path}: {(error.strerror or 'failed').lower()}", again) from None

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self._path)

    def show(self) -> None:
        """Write what is counted now; a full disk costs a moment's numbers."""
        with contextlib.suppress(OSError):
            self._write()

    def close(self) -> None:
        """The file goes: numbers that no longer move would look like a daemon at rest."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _write(self) -> None:
        files.write_atomic(self._path, self._text().encode(), durable=False, mode=0o644)


class Port:
    """An HTTP server in a thread of its own: GET /metrics."""

    period = 0.0

    def __init__(self, host: str, port: int, text: Callable[[], str], again: str = "memcli watch") -> None:
        """Raises Usage for an address that cannot be listened on."""
        try:
            self._server = _Server(host, port, _handler(text))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Usage(f"cannot listen on {host}:{port}: {reason.lower()}", f"{again} --metrics 0") from None
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 3600}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/metrics"

    def show(self) -> None:
        """Nothing: who wants to know asks."""

    def close(self) -> None:
        """Stop listening. The thread goes with the process: it may sleep until then."""
        self._server.socket.close()


class _Server(ThreadingTCPServer):
    """As `http.server` has it, but for its question to DNS for the name of the address."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), handler)


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/metrics"
            body = text().encode() if found else b"the metrics are at /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass  # each answer is no event

    return Handler
