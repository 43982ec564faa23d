"""What models were paid: `spending.jsonl` in the sidecar, one line a request, and the health file of each summarizer.

The log grows a line at a time, under a lock on itself: dying in the middle leaves half a line, which is passed by when
it is read. Whenever it has grown by `FOLD_BYTES`, lines older than `KEPT_SECONDS` are folded into one for each model,
kind of outcome and table of prices, which says of how many requests it is the sum. The folded log takes the place of
the old one by a rename: dying before it leaves the old one, whole, to be folded when it has grown by as much again.
Whoever reads meanwhile has one or the other; whoever waits to write looks whether the file still has its name.

What an hour may cost is counted over all transcripts and daemons of a user, so the health of a summarizer lies in the
user's state directory, changed under a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, TypeVar

import msgspec

from memcli.memory.jobs import Call, Usage
from memcli.sidecar import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FILE = "spending.jsonl"
NOTE = "summarizer.json"

FOLD_BYTES = 256 * 1024
"""About a thousand requests."""

KEPT_SECONDS = 24 * 3600.0
"""So long each request has a line of its own: an hour's are counted apart (`status --cost`)."""

_TOKENS = [
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "thinking_tokens",
]

_Value = TypeVar("_Value")


class Spent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request to a model: when (Unix seconds), for which job, and what it took.

    Or the sum of many `requests`, up to that time and for no one job; of their `outcome` the first word is left.
    """

    made: float
    job: str
    call: Call
    requests: int = 1


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


def record(sidecar: Path, made: float, job: str, calls: Iterable[Call], disk: files.Disk = files.DISK) -> None:
    """Add the requests of a job to the log. Raises OSError."""
    lines = _lines(Spent(made, job, call) for call in calls)
    if not lines:
        return
    with _locked(sidecar / FILE) as descriptor:
        end = os.fstat(descriptor).st_size
        half = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # somebody died in the middle of a line
        files.write_all(descriptor, b"\n" + lines if half else lines)
        if end // FOLD_BYTES < (end + len(lines)) // FOLD_BYTES:
            with contextlib.suppress(OSError):  # they are noted; the next time tries again
                _fold(sidecar, made - KEPT_SECONDS, disk)


def spent(sidecar: Path) -> list[Spent]:
    """All requests of a transcript, the sums of old ones first. A line that cannot be read is passed by."""
    found = []
    for line in (files.read(sidecar / FILE) or b"").splitlines():
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found.append(msgspec.json.decode(line, type=Spent))
    return found


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The log, to be added to by us alone."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):  # else it was folded while we waited
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _fold(sidecar: Path, before: float, disk: files.Disk) -> None:
    """Make sums of the requests made `before` then (Unix seconds)."""
    found = spent(sidecar)
    alike: dict[tuple[object, ...], list[Spent]] = {}
    for one in found:
        if one.made < before:
            call = one.call
            key = (call.backend, call.model, _kind(call), call.priced, call.cost is None)
            alike.setdefault(key, []).append(one)
    recent = [one for one in found if one.made >= before]
    files.write_atomic(sidecar / FILE, _lines([*map(_sum, alike.values()), *recent]), disk=disk)


def _sum(alike: list[Spent]) -> Spent:
    calls = [one.call for one in alike]
    usage = Usage(**{name: sum(getattr(call.usage, name) for call in calls) for name in _TOKENS})
    call = msgspec.structs.replace(
        calls[0],
        usage=usage,
        milliseconds=sum(call.milliseconds for call in calls),
        cost=None if calls[0].cost is None else sum(call.cost or 0.0 for call in calls),
        outcome=_kind(calls[0]),
        cache="",
    )
    return Spent(max(one.made for one in alike), "", call, sum(one.requests for one in alike))


def _kind(call: Call) -> str:
    """The first word of its outcome: reasons differ without end."""
    return call.outcome.partition(":")[0]


def _lines(rows: Iterable[Spent]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


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
