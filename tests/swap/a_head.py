"""Heads made by hand from transcripts in memory, so that swaps are tested without a session or a daemon."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from memcli import head as heads
from memcli import swap
from memcli.transcript import encode, formats
from memcli.transcript.encode import common
from memcli.transcript.entries import UserText
from memcli.transcript.lines import Line
from memcli.transcript.thread import Thread

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = (
    "# Session memory\n\n",
    '## Current State\n- doing "it"\n\n',
    "## User Intent\n- naïve \\ ünïcode \U0001f600\n",
)


def lines_of(data: bytes, begin: int = 0, end: int | None = None) -> list[tuple[int, bytes]]:
    """(offset, bytes) of the physical lines between two offsets."""
    return list(swap._lines(data[begin:end], begin))


def facts(format: str, data: bytes) -> tuple[list, tuple, tuple, Thread]:
    """Entries of a transcript, ranges to skip and hidden words, as the session finds them."""
    reader, thread = formats.open_reader(format), Thread(tree=format == "pi")
    entries, copies, words = [], [], []
    for offset, raw in lines_of(data):
        for entry in reader.read(Line(offset, offset + len(raw), raw)):
            if not thread.place(entry).live:
                copies.append((entry.offset, entry.end))
                continue
            entries.append(entry)
            hidden = [part.text for part in entry.parts if isinstance(part, UserText)]
            vias = [part.via for part in entry.parts if isinstance(part, UserText)]
            words += [(offset, text) for text, via in zip(hidden, vias, strict=True) if via in ("queued", "rejection")]
    if format == "codex":  # there, queued words stand in messages of their own
        words = []
    return entries, tuple(sorted({*thread.dead, *copies})), tuple(words), thread


def a_head(
    format: str, data: bytes, covered: int, tail: int | None = None, end: int | None = None, **fields
) -> heads.Head:
    """A head over `data` with an invented memory; `fields` replace what is made."""
    stop = len(data) if end is None else end
    start = covered if tail is None else tail
    encoder = encode.module(format)
    raw = [line for _, line in lines_of(data, 0, stop)]
    envelope = encoder.context(raw[:50], raw)
    _, skip, words, thread = facts(format, data[:stop])
    mark = common.mark("0123456789abcdef0123", "feed" * 16)
    pieces = encoder.message(f"{mark}\n{MEMORY[0]}", MEMORY[1], MEMORY[2], envelope, 1000, 100)
    plan = common.Plan(session="session", generation="generation", end=stop, skip=skip, words=words, envelope=envelope)
    before = b"".join(line for _, line in lines_of(data, start, stop))
    after = b"".join(line.data for line in encoder.tail(lines_of(data, start, stop), plan))
    values = {
        "before": pieces.before,
        "state": pieces.state,
        "after": pieces.after,
        "session": "session",
        "generation": "generation",
        "made": 1.0,
        "route": "copy" if encoder.COPIES and before == after else "rewrite",
        "fingerprint": heads.fingerprint(tuple(data[a:b] for a, b in heads.spans(covered, stop))),
        "open_calls": len(thread.open_calls),
        "envelope": json.dumps(envelope),
        "skip": skip,
        "words": words,
        "fills": pieces.fills,
    }
    return heads.Head(format=format, covered=covered, tail=start, end=stop, **(values | fields))


def swapped(head: heads.Head, data: bytes, directory: Path, **options) -> tuple[bytes, swap.Report]:
    """The output of a swap for a transcript with the content `data`."""
    (directory / "transcript").write_bytes(data)
    source = os.open(directory / "transcript", os.O_RDONLY)
    out = os.open(directory / "out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        ready = swap.prepare(head, source, options.pop("end", len(data)), **options)
        ready.write(source, out)
    finally:
        os.close(source)
        os.close(out)
    return (directory / "out").read_bytes(), ready.report
