"""What models were paid: `spending.jsonl` in the sidecar, one line a request, and the health file of each summarizer.

The log only grows, a line at a time: dying in the middle leaves half a line, which is passed by when it is read. What
an hour may cost is counted over all transcripts and daemons of a user, so the health of a summarizer lies in the
user's state directory, changed under a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, TypeVar

import msgspec

from memcli.memory.jobs import Call
from memcli.sidecar import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FILE = "spending.jsonl"
NOTE = "summarizer.json"

_Value = TypeVar("_Value")


class Spent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request to a model: when (Unix seconds), for which job, and what it took."""

    made: float
    job: str
    call: Call


class Noted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of the last update that a model was wanted for: when (Unix seconds), who was to write, the name of its
    health file, and why it did not ("" if it did).

    `failures` in a row were this transcript's own, the last for this `reason`; for those it is not asked again before
    a moment (Unix seconds).
    """

    made: float
    name: str
    health: str
    failure: str = ""
    failures: int = 0
    reason: str = ""
    not_before: float = 0.0


def note(sidecar: Path, noted: Noted) -> None:
    """Put down what came of an update. Raises OSError."""
    files.write_atomic(sidecar / NOTE, msgspec.json.encode(noted), durable=False)


def noted(sidecar: Path) -> Noted | None:
    """What came of the last update that a model was wanted for; None if none ever was."""
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(files.read(sidecar / NOTE) or b"", type=Noted)
    return None


def record(sidecar: Path, made: float, job: str, calls: Iterable[Call]) -> None:
    """Add the requests of a job to the log. Raises OSError."""
    lines = b"".join(msgspec.json.encode(Spent(made, job, call)) + b"\n" for call in calls)
    if not lines:
        return
    descriptor = os.open(sidecar / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        half = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # somebody died in the middle of a line
        files.write_all(descriptor, b"\n" + lines if half else lines)
    finally:
        os.close(descriptor)


def spent(sidecar: Path) -> list[Spent]:
    """All requests of a transcript, oldest first. A line that cannot be read is passed by."""
    found = []
    for line in (files.read(sidecar / FILE) or b"").splitlines():
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found.append(msgspec.json.decode(line, type=Spent))
    return found


def changed(path: Path, kind: type[_Value], change: Callable[[_Value], _Value]) -> _Value:
    """Read a small shared value, change it, write it; nobody else does so meanwhile. A damaged one begins anew.

    Raises OSError where the user's state directory cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, however we end
        value = change(value_of(path, kind))
        files.write_atomic(path, msgspec.json.encode(value), durable=False)
        return value


def value_of(path: Path, kind: type[_Value]) -> _Value:
    """The value as it stands; a new one if there is none."""
    try:
        return msgspec.json.decode(files.read(path) or b"", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return kind()
