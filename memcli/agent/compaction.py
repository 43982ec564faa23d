"""`memcli.compact`: a list of messages, or a transcript, compacted; and what a compaction came to."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memcli.agent.conversation import valid
from memcli.agent.rules import Strategy, checked, known
from memcli.edge import near
from memcli.errors import NoMessages, NoTranscript, Usage
from memcli.making.maker import maker
from memcli.sidecar import spending
from memcli.sidecar.place import Place
from memcli.summarize import prices
from memcli.watch.taking import taken, taken_from

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from memcli.watch.taking import Keep, Maker, Taken


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction came to.

    `messages` are those of a valid request: the memory, then what it does not cover. An open round of tools cannot
    stand in one: it is left out, and the names of its calls are in `left_out`. `lines` are the same as JSON lines, in
    the transcript's own format and with the open round.

    `wait` is what the caller waited, in seconds. Tokens are estimates. `cost` is what models were paid for this memory
    since the last compaction, in US dollars; None where a price is not known. `problem` is why no model wrote where
    one was to; the memory is complete all the same.
    """

    messages: list[dict[str, Any]]
    lines: tuple[bytes, ...]
    strategy: Strategy
    how: str
    wait: float
    messages_before: int
    messages_after: int
    tokens_before: int
    tokens_after: int
    requests: int = 0
    cost: float | None = 0.0
    left_out: tuple[str, ...] = ()
    problem: str = ""

    @property
    def reduction(self) -> float:
        """Part of the tokens that went, 0 to 1."""
        return 1 - self.tokens_after / self.tokens_before if self.tokens_before else 0.0

    def __str__(self) -> str:
        paid = "" if not self.requests else ", price unknown" if self.cost is None else f", ${self.cost:.4f}"
        return (
            f"{self.strategy}: {self.messages_before:,} -> {self.messages_after:,} messages, "
            f"~{self.tokens_before:,} -> ~{self.tokens_after:,} tokens ({-self.reduction:+.0%}), "
            f"{self.how}, waited {seconds(self.wait)}{paid}"
        )


def compact(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    strategy: str = "instant",
    keep_turns: int | None = None,
    keep_tokens: int | None = None,
    **settings: Any,
) -> Compaction:
    """Compact a transcript (a path, any format that memcli reads) or a list of messages (Anthropic's or OpenAI's).

    "instant" takes the memory that is ready, else folds one now, without a model; "traditional" asks the model of the
    settings and waits for it. (The "cached" way is one of keeping a memory in the background: see `Session`.) How much
    of the end is kept verbatim is chosen by `keep_turns` or `keep_tokens`, as on the command line. Nothing is written
    but the memory beside a transcript; for a list not even that.

    Raises MemcliError: NoTranscript, NotATranscript, NoMessages, Usage.
    """
    fresh = checked(strategy) == "traditional"
    began = time.monotonic()
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source), kept(keep_turns, keep_tokens), settings, began, fresh=fresh)
    return _of_messages(source, kept(keep_turns, keep_tokens), settings, began, fresh=fresh)


def kept(turns: int | None, tokens: int | None) -> Keep | None:
    """The tail that is asked for. Raises Usage for two different ones, or one of a negative size."""
    if turns is not None and tokens is not None:
        raise Usage("keep_turns and keep_tokens ask for two different tails", "memcli.compact(messages, keep_turns=2)")
    number = tokens if turns is None else turns
    if number is None:
        return None
    if number < 0:
        raise Usage("a tail has no negative size", "memcli.compact(messages, keep_turns=0)")
    return ("tokens" if turns is None else "turns"), number


def making(
    settings: Mapping[str, object], sidecar: Path | None, *, fresh: bool, given_up: threading.Event | None = None
) -> Maker:
    """Who makes the memory: the ledger at once, or with `fresh` the model of the settings, waited for until `given_up`
    is set. Raises Usage."""
    return maker(known(settings), sidecar, fresh=fresh, quiet=True, given_up=given_up)


def made(found: Taken, strategy: Strategy, began: float, paid: Paid, problem: str = "") -> Compaction:
    """The compaction that came of what was taken; it began at `began` of the steady clock."""
    messages, left_out = valid(found.lines, found.head.format)
    report = found.report
    return Compaction(
        messages=messages,
        lines=tuple(found.lines),
        strategy=strategy,
        how=found.how,
        wait=time.monotonic() - began,
        messages_before=report.messages,
        messages_after=report.messages_after,
        tokens_before=report.tokens,
        tokens_after=report.tokens_after,
        requests=paid.requests,
        cost=paid.cost,
        left_out=left_out,
        problem=problem,
    )


@dataclass(frozen=True, slots=True)
class Paid:
    """Requests to models, and dollars (None where a price is not known)."""

    requests: int = 0
    cost: float | None = 0.0


def paid_since(sidecar: Path, wall: float) -> Paid:
    """What was paid for a memory since a time of day, in Unix seconds."""
    calls = [one.call for one in spending.spent(sidecar) if one.made >= wall]
    return Paid(len(calls), prices.total(call.cost for call in calls))


def trouble_since(sidecar: Path, wall: float) -> str:
    """Why the last model that was wanted since then did not write; "" if it did, or none was."""
    noted = spending.noted(sidecar)
    return noted.failure if noted is not None and noted.made >= wall else ""


def seconds(value: float) -> str:
    """A wait, for people: milliseconds below one second."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _of_file(path: Path, keep: Keep | None, settings: Mapping[str, object], began: float, *, fresh: bool) -> Compaction:
    if not path.is_file():
        raise NoTranscript(f"no such file: {path}", f"ls -l {near(str(path))}")
    sidecar, wall = Place.of(path).sidecar, time.time()
    found = taken(path, making(settings, sidecar, fresh=fresh), keep, fresh=fresh, anew="budget" in settings)
    paid = paid_since(sidecar, wall)
    return made(found, "traditional" if fresh else "instant", began, paid, trouble_since(sidecar, wall))


def _of_messages(
    messages: Iterable[Mapping[str, Any]],
    keep: Keep | None,
    settings: Mapping[str, object],
    began: float,
    *,
    fresh: bool,
) -> Compaction:
    try:
        text = "".join(json.dumps(dict(message), ensure_ascii=False) + "\n" for message in messages)
    except (TypeError, ValueError) as error:
        raise Usage(
            f"these are no messages: {error}", "memcli.compact([{'role': 'user', 'content': '...'}])"
        ) from error
    if not text:
        raise NoMessages("there is no message to compact", "memcli.compact([{'role': 'user', 'content': '...'}])")
    with tempfile.TemporaryDirectory(prefix="memcli-") as room:
        spool = Path(room, "messages.jsonl")
        spool.write_bytes(text.encode("utf-8", "replace"))
        maker, place = making(settings, Path(room), fresh=fresh), Place.of(spool.with_name("messages"))
        found = taken_from(spool, place, "the list of messages", maker, keep)
        paid, trouble = paid_since(Path(room), 0.0), trouble_since(Path(room), 0.0)
    return made(found, "traditional" if fresh else "instant", began, paid, trouble)
