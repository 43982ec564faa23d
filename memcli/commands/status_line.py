"""`memcli status --line`: one short line for tmux and status bars.

    ~43k/150k 29% | memory 2m old, 5k behind | watched

Context size (`~`: estimated), the limit and how much of it is taken if a limit is known; then the memory: how old, and
how many tokens it does not cover yet. Only the end of the transcript is read, whatever its length. Whatever is wrong,
the line is empty and the exit code 0: a status bar has no place for errors (`memcli status` has).

With `-` the transcript is the one that the JSON on stdin names, as Claude Code gives it to its status line command.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memcli import settings
from memcli.commands.target import target, transcripts_in
from memcli.edge import printable
from memcli.errors import Usage
from memcli.sidecar import publisher
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.transcript.formats import open_reader
from memcli.transcript.lines import LineBuffer
from memcli.transcript.meter import Meter
from memcli.transcript.recognise import recognise

if TYPE_CHECKING:
    from typing import BinaryIO

    from memcli.head import Head

LOOKED_AT = (256 * 1024, 4 * 1024 * 1024)
"""Bytes at the end of a transcript that are read: more where the format tells usages and the first look found none."""

TELLING = ("claude-code", "codex", "pi")
"""Formats in which the service's own counts stand."""


class Asked(NamedTuple):
    """Which transcript, and the limit of its context in tokens (0: not known)."""

    transcript: Path
    limit: int


class Size(NamedTuple):
    """The context in tokens, how many of them the memory does not cover, and whether the transcript told the former."""

    tokens: int
    behind: int
    counted: bool


def status_line(path: str | Path | None = None) -> int:
    """Print the line, if there is anything to tell; exit code 0, always."""
    try:
        asked = _of_client() if str(path) == "-" else Asked(_named(path), 0)
        text = _line(asked)
    except Exception:  # noqa: BLE001 - a bar that shows an error every second helps nobody
        return 0
    print(printable(text))
    return 0


def _named(path: str | Path | None) -> Path:
    """As for other verbs; but where several could be meant, the one that was written to last: a bar cannot ask back."""
    try:
        return target(Path(path) if path else None, "status", quiet=True)
    except Usage:
        return max(transcripts_in(Path.cwd()), key=lambda one: one.stat().st_mtime_ns)


def _of_client() -> Asked:
    """What Claude Code tells its status line command: `transcript_path`, and newer clients `context_window`."""
    given = json.load(sys.stdin)
    limit = (given.get("context_window") or {}).get("context_window_size")
    return Asked(target(Path(given["transcript_path"]), "status", quiet=True), int(limit or 0))


def _line(asked: Asked) -> str:
    place = Place.of(asked.transcript)
    # Not by `setup`, which loads what makes memories.
    chosen = settings.load({}, os.environ, settings.project_directory()).settings
    limit = asked.limit or chosen.context_limit or 0
    head = Store(place).head()
    with place.transcript.open("rb") as file:
        foreign = head is not None and publisher.fingerprint(file, head.covered, head.end) != head.fingerprint
        size = _size(file, None if foreign else head, str(place.transcript))
    memory = "memory of another transcript" if foreign else _memory(head, size)
    watched = "watched" if holder(place.lock) else ""
    return " | ".join(part for part in (_context(size, limit), memory, watched) if part)


def _size(file: BinaryIO, head: Head | None, name: str) -> Size:
    """Measured over the end of the transcript."""
    format = head.format if head else _format(file, name)
    found = _measured(file, format, head, LOOKED_AT[0])
    return found if found.counted or format not in TELLING else _measured(file, format, head, LOOKED_AT[1])


def _measured(file: BinaryIO, format: str, head: Head | None, span: int) -> Size:
    """Of the last `span` bytes. Without a usage in them the whole is estimated from its bytes."""
    length = file.seek(0, 2)
    begin = max(0, length - span)
    reader, meter, lines = open_reader(format), Meter(), LineBuffer(begin)
    file.seek(begin)
    end, new, seen = head.end if head else 0, 0, 0
    for line in lines.feed(file.read(length - begin))[1 if begin else 0 :]:
        for entry in reader.read(line):
            meter.add(entry)
            seen += entry.chars
            new += entry.chars if entry.offset >= end else 0
    share = (length - begin) / length if length else 1.0
    if begin > end:  # more is new than was looked at
        new = round(new * (length - end) / (length - begin))
    told = meter.reading
    whole = told.tokens if told.exact else max(meter.estimate(round(seen / share)), head.tokens if head else 0)
    behind = meter.estimate(new) + (head.tail_tokens if head else 0)
    return Size(whole, behind, counted=bool(told.exact))


def _format(file: BinaryIO, name: str) -> str:
    file.seek(0)
    return recognise(file.read(LOOKED_AT[0]), name, ended=False)


def _context(size: Size, limit: int) -> str:
    tokens = f"{'' if size.counted else '~'}{_short(size.tokens)}"
    return f"{tokens}/{_short(limit)} {round(100 * size.tokens / limit)}%" if limit else tokens


def _memory(head: Head | None, size: Size) -> str:
    if head is None:
        return "no memory"
    behind = f", {_short(size.behind)} behind" if size.behind >= 1000 else ""
    return f"memory {_ago(time.time() - head.made)} old{behind}"


def _short(tokens: int) -> str:
    """4,321 as 4k: nobody reads more in a bar."""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.0f}k" if tokens < 999_500 else f"{tokens / 1_000_000:.1f}M"


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
