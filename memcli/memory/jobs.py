"""The summarizer protocol: one JSON object a line, jobs on the child's stdin, results on its stdout.

    daemon ── Job ──►  child        {"v":1,"job":"…","budget":4000,"ledger":"<base64>", …}
    daemon ◄─ Result ─ child        {"v":1,"job":"…","blocks":{"User Intent":"- …", …},"backend":"embedded"}
    daemon ◄─ Result ─ child        {"v":1,"job":"…","error":"a sentence","permanent":false}

A child answers every job exactly once, in any order, and ends when its stdin ends. Fields it does not know are to be
ignored, by both sides. A child that dies loses nothing: its jobs are given to another one, once.
`v` is the version of the protocol; a job of another version is answered with a permanent error.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

VERSION = 1


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One update asked of a summarizer.

    `ledger` is the snapshot of the fold at the boundary (`Ledger.snapshot`); `budget` is that of the memory in tokens,
    without what the user's own lines take (`edits.budget_left`); `pins` are their pinned facts; `opaque` is the text of
    an imported memory whose ledger is gone.
    """

    job: str
    budget: int
    ledger: bytes
    pins: tuple[str, ...] = ()
    opaque: str = ""
    v: int = VERSION


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer: the ledger block of each section, rendered; or an error, `permanent` if trying again is pointless."""

    job: str
    blocks: dict[str, str] = {}
    backend: str = "embedded"
    milliseconds: int = 0
    error: str = ""
    permanent: bool = False
    v: int = VERSION


_Kind = TypeVar("_Kind", Job, Result)


def parse_job(line: bytes) -> Job:
    """A job from its line. Raises msgspec.MsgspecError for what is none."""
    return _parse(line, Job)


def parse_result(line: bytes) -> Result:
    """A result from its line. Raises msgspec.MsgspecError for what is none."""
    return _parse(line, Result)


def _parse(line: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(line, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets these two pass as they are
        raise msgspec.DecodeError(str(error)) from error
