"""The summarizer protocol: one JSON object a line, jobs on the child's stdin, results on its stdout.

    daemon ── Job ────►  child      {"v":1,"job":"…","budget":4000,"write":true,"prose":{…},
                                     "source":{"path":"…","start":0,"end":9000},"ledger":"<base64>", …}
    daemon ◄─ Progress ─ child      {"v":1,"job":"…","progress":"a sentence"}          (as many as it likes)
    daemon ◄─ Result ── child       {"v":1,"job":"…","blocks":{"User Intent":"- …", …},"prose":{…},"backend":"…"}
    daemon ◄─ Result ── child       {"v":1,"job":"…","error":"a sentence","permanent":false}

A child answers every job exactly once, in any order, and ends when its stdin ends. Fields it does not know are to be
ignored, by both sides. A child that dies loses nothing: its jobs are given to another one, once.
`v` is the version of the protocol; a job of another version is answered with a permanent error.

A program of the user's own (`--summarizer CMD`) speaks the same lines, one level down: our child starts it, hands it
the jobs without `ledger` but with a ready `prompt`, and takes `edits` or a plain `text` back; guard and rendering stay
with us. So a program need not know what a ledger is, and cannot talk a fact out of the memory.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

VERSION = 1

Strategy = Literal["incremental", "cached", "traditional"]
Operation = Literal["replace", "append", "change", "drop"]


def _version() -> int:
    """As a factory, since a plain default would be left out of the line, and the version has to be told."""
    return VERSION


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a summarizer is shown of the conversation: `role` is who said it; tool output is elided to a reference.

    `offset` is the byte in the transcript where the entry begins.
    """

    role: Literal["user", "assistant", "tool"]
    text: str
    offset: int = 0


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the conversation stands: bytes 0..`end` of a transcript, less the `dead` ranges (rewound).

    From `start` on it is news to the prose; both are places where a cut is legal.
    """

    path: str
    format: str
    start: int
    end: int
    dead: tuple[tuple[int, int], ...] = ()


class ProseEdit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of one prose block.

    replace   the whole block becomes `text`
    append    `text` is added below
    change    the item (a paragraph or a list item) that begins with `item` becomes `text`
    drop      the item that begins with `item` goes
    """

    section: str
    op: Operation
    text: str = ""
    item: str = ""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one call as the service billed them; the whole prompt is the sum of the first four.

    `thinking_tokens` is the part of `output_tokens` that was thought. `estimated`: the service reported nothing.
    `cost` in US dollars is what the service itself says the call cost; most say nothing (None).
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    service_tier: str = ""
    estimated: bool = False
    cost: float | None = None

    @property
    def prompt_tokens(self) -> int:
        """All of the prompt, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request to a model: what it cost and what came of it.

    `cost` in US dollars, None where no price is known (never 0 for unknown); `priced` is the date of the price table.
    `outcome` is "accepted", or "rejected: …" (by the guard), or "failed: …".
    """

    backend: str
    model: str = ""
    usage: Usage = Usage()
    milliseconds: int = 0
    cost: float | None = None
    priced: str = ""
    outcome: str = "accepted"
    cache: str = ""
    """For the cached strategy: "hit", "write", "miss: …", "below minimum" (`summarize.cached.Hits`)."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why no model wrote: a sentence; `permanent` if trying again is pointless; `retry_after` in seconds if told.

    `own`: the fault lies in this job or in what was said to it; others may be asked all the same.
    """

    sentence: str
    permanent: bool = False
    retry_after: float | None = None
    own: bool = False


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One update asked of a summarizer.

    `ledger` is the snapshot of the fold at the boundary (`Ledger.snapshot`); `budget` is that of the memory in tokens,
    without what the user's own lines take (`edits.budget_left`); `pins` are their pinned facts; `opaque` is the text of
    an imported memory whose ledger is gone.

    `write` asks for a model, to read `source`, at a price of at most `max_cost` US dollars if that is said; without it
    the answer is rendered from the ledger and the `prose` that stands. `instructions` are the user's own, of the
    project; `sections` is their part of the table of sections (see `sections.Sections`). For a program of the user's
    own, `prompt` and `messages` (those since the prose was written) are filled in by our child.
    """

    job: str
    budget: int
    ledger: bytes = b""
    pins: tuple[str, ...] = ()
    opaque: str = ""
    v: int = msgspec.field(default_factory=_version)
    write: bool = False
    strategy: Strategy = "incremental"
    prose: dict[str, str] = {}
    source: Source | None = None
    instructions: str = ""
    sections: dict[str, str] = {}
    max_cost: float | None = None
    messages: tuple[Message, ...] = ()
    prompt: str = ""


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer: the ledger block and the prose block of each section; or an error, `permanent` if trying again is
    pointless.

    `wrote`: a model's answer passed the guard. `written` is all of its prose, `prose` what this memory has room for. If
    a model was asked and none wrote, `failure` says why, and the memory is complete all the same: fresh facts, the
    prose as it was. `notes` say what the guard did.

    A program of the user's own answers `edits`, or a whole memory as Markdown in `text`; and `usage`, if it knows.
    """

    job: str
    blocks: dict[str, str] = {}
    backend: str = "embedded"
    milliseconds: int = 0
    error: str = ""
    permanent: bool = False
    v: int = msgspec.field(default_factory=_version)
    prose: dict[str, str] = {}
    wrote: bool = False
    written: dict[str, str] = {}
    failure: Failure | None = None
    calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
    edits: tuple[ProseEdit, ...] = ()
    text: str = ""
    model: str = ""
    usage: Usage | None = None


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sentence on the way. `most`: what the job's requests may cost at most, in US dollars, those that will follow
    this line at once included; told where a job has a `max_cost`."""

    job: str
    progress: str
    v: int = msgspec.field(default_factory=_version)
    most: float | None = None


_Kind = TypeVar("_Kind")


def parse_job(line: bytes) -> Job:
    """A job from its line. Raises msgspec.MsgspecError for what is none."""
    return _parse(line, Job)


def parse_answer(line: bytes) -> Result | Progress:
    """What a child said. Raises msgspec.MsgspecError for what is neither a result nor a sentence on the way."""
    try:
        return _parse(line, Progress)
    except msgspec.ValidationError:
        return _parse(line, Result)


def _parse(line: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(line, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets these two pass as they are
        raise msgspec.DecodeError(str(error)) from error
