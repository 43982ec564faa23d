"""Misbehaviour on command. A script is a list of faults; each valid request to `/v1/messages` takes the next one, and
when the list is empty the server behaves.

Written as words: "ok" behaves once, "529*3" is three times the same, "slow=2.5" gives seconds. By name:

  refused        429 (with retry-after; "429=7" names the seconds), 429-bare (the spend cap as a tier has it: no
                 retry-after), 429-spend (with its error code), 400, 401, 402, 403, 404, 404-page (a page of HTML), 408, 409,
                 413, 500, 504, 529, no-retry (529 with `x-should-retry: false`)
  on the wire    slow=SECONDS (late first byte), drip=SECONDS (the same time over the whole answer, when streamed), hang
                 (until the caller goes), stall (the same before the last piece of the text, when streamed), cut (the connection ends inside the answer), drop (before it), mid-stream (an
                 `error` event after half of the answer; 529 when not streamed), half-body (JSON that ends inside, with a
                 whole transport)
  in the answer  refusal, max_tokens, pause_turn, context (stop reasons of that name), unknown-stop, no-stop, empty (no
                 block), whitespace, half-json (half of the text, as if it were whole), huge (10 MB), thinking (a thinking
                 block first), unknown-block, no-usage, partial-usage (tokens in and out alone)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.messages_api.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

ON_THE_WIRE = frozenset({"slow", "drip", "hang", "stall", "cut", "drop", "mid-stream", "half-body"})
IN_THE_ANSWER = frozenset(
    {"refusal", "max_tokens", "pause_turn", "context", "unknown-stop", "no-stop", "empty", "whitespace", "half-json"}
    | {"huge", "thinking", "unknown-block", "no-usage", "partial-usage"}
)
_SENTENCES = {
    "400": "invalid request",
    "401": "invalid bearer token",
    "402": "Your credit balance is too low to access the API.",
    "403": "Your API key does not have permission to use the specified resource.",
    "404": "model: not found",
    "408": "Request timed out",
    "409": "The request conflicts with another one.",
    "413": "Request exceeds the maximum size",
    "429": "This request would exceed your organization's rate limit.",
    "429-bare": "You have reached your specified API usage limits.",
    "429-spend": "You have reached your specified API usage limits.",
    "500": "Internal server error",
    "504": "The request timed out.",
    "529": "Overloaded",
    "no-retry": "Overloaded",
}
REFUSALS = frozenset(_SENTENCES) | {"404-page"}


class Fault(NamedTuple):
    """`seconds` is for those that take any."""

    name: str
    seconds: float = 0.0

    def refusal(self) -> Refused | None:
        """The error this fault answers with, if that is what it does."""
        if self.name == "404-page":
            return Refused("page", 404)
        if self.name not in _SENTENCES:
            return None
        headers = {}
        if self.name == "429":
            headers["retry-after"] = f"{self.seconds:g}"
        if self.name == "no-retry":
            headers["x-should-retry"] = "false"
        status = 529 if self.name == "no-retry" else int(self.name.split("-")[0])
        code = "enforced_spend_limit_reached" if self.name == "429-spend" else ""
        return Refused(_SENTENCES[self.name], status, code=code, headers=headers)


def script(words: Iterable[str]) -> list[Fault | None]:
    """The faults that the words name, None for "ok". Raises ValueError for a name there is none of."""
    found: list[Fault | None] = []
    for word in words:
        named, _, times = word.partition("*")
        name, _, seconds = named.partition("=")
        if name not in ON_THE_WIRE | IN_THE_ANSWER | REFUSALS | {"ok"}:
            raise ValueError(f"no fault is called {name!r}")
        found += [None if name == "ok" else Fault(name, float(seconds or 0))] * int(times or 1)
    return found
