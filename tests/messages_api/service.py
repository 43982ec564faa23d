"""What is answered to a request, without sockets: validation, faults, the cache, the log."""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.messages_api.cache import PromptCache, Visit
from tests.messages_api.fault import Fault, script
from tests.messages_api.house import greet
from tests.messages_api.log import Exchange, Log
from tests.messages_api.model import MODELS
from tests.messages_api.piece import pieces
from tests.messages_api.refused import Refused
from tests.messages_api.reply import message
from tests.messages_api.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.messages_api.answers import Answers
    from tests.messages_api.clock import Clock
    from tests.messages_api.house import House

LARGEST = 32_000_000  # bytes of a request


class Outcome(NamedTuple):
    """What to send: JSON, or a page where `payload` is a string. `visit` is to be begun with the response. `waits`: a
    model was at work, so the server's delay applies."""

    status: int
    payload: Any
    headers: dict[str, str]
    stream: bool = False
    fault: Fault | None = None
    visit: Visit | None = None
    waits: bool = False


class Service:
    """One server's state. Called from many threads."""

    def __init__(self, answers: Answers, house: House, clock: Clock, log: Log) -> None:
        self.answers = answers
        self.house = house
        self.clock = clock
        self.log = log
        self.cache = PromptCache()
        self._numbers = itertools.count(1)
        self._faults: deque[Fault | None] = deque()
        self._lock = threading.Lock()

    def script(self, words: Iterable[str]) -> None:
        """What the next valid requests meet, in the words of `fault.py`; after that nothing."""
        found = script(words)
        with self._lock:
            self._faults = deque(found)

    def respond(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Outcome:
        """The outcome of one request; it is in the log already."""
        number, now = next(self._numbers), self.clock.now()
        names = {"request-id": f"req_{number:06d}"}
        body = _decoded(raw)
        try:
            outcome = self._route(method, path.partition("?")[0], headers, body, number, now)
        except Refused as error:
            outcome = Outcome(error.status, error.body(names["request-id"]), error.headers)
        outcome = outcome._replace(headers=names | outcome.headers)
        note = outcome.visit.note if outcome.visit else ""
        fault = outcome.fault.name if outcome.fault else ""
        said = None if fault in {"hang", "drop"} else outcome.payload
        kept = body if body is not None else raw[:10_000].decode("utf-8", "replace")
        self.log.add(Exchange(number, now, method, path, dict(headers), kept, outcome.status, said, note, fault))
        return outcome

    def _route(self, method: str, path: str, headers: Mapping[str, str], body: Any, number: int, now: float) -> Outcome:
        key = greet(headers, self.house)
        if method == "POST" and path.endswith("/v1/messages"):
            return self._messages(body, key, number, now)
        if method == "POST" and path.endswith("/v1/messages/count_tokens") and self.house.counts:
            model = validate(body, self.house, counting=True)
            return Outcome(200, {"input_tokens": pieces(body, model)[-1].end}, {})
        if method == "GET" and "/v1/models" in path and self.house.anthropic:
            return Outcome(200, _models(path.partition("/v1/models")[2].strip("/")), {})
        raise Refused("Not Found", 404)

    def _messages(self, body: Any, key: str, number: int, now: float) -> Outcome:
        model = validate(body, self.house)
        fault = self._next_fault()
        if fault is not None and fault.name == "404-page":
            return Outcome(404, "<!DOCTYPE html><html><body>404</body></html>", {}, fault=fault)
        refusal = fault.refusal() if fault else None
        if fault is not None and refusal is not None:
            return Outcome(refusal.status, refusal.body(f"req_{number:06d}"), refusal.headers, fault=fault)
        visit = self.cache.visit(pieces(body, model, key), model.cache_minimum, now)
        said = message(body, model, visit, self.answers(body), number, fault)
        return Outcome(200, said, {}, bool(body.get("stream")), fault, visit, waits=True)

    def _next_fault(self) -> Fault | None:
        with self._lock:
            return self._faults.popleft() if self._faults else None


def _decoded(raw: bytes) -> Any:
    """None for what is no JSON, or is too deep to be read."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _models(name: str) -> dict[str, Any]:
    listed = [
        {
            "type": "model",
            "id": model.name,
            "display_name": model.name,
            "created_at": "2026-01-01T00:00:00Z",
            "max_input_tokens": model.context,
            "max_tokens": model.max_output,
        }
        for model in MODELS
    ]
    if not name:
        return {"data": listed, "has_more": False, "first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
    for model in listed:
        if model["id"] == name:
            return model
    raise Refused(f"model: {name}", 404)
