"""A session that is swapped again and again, each time into a new file, as its users do it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from memcli.commands.compact import Wish, compact
from memcli.errors import NoMessages
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch import spot
from memcli.watch.keeper import Keeper
from tests.builders import Script

if TYPE_CHECKING:
    from pathlib import Path


def memory_of(path: Path) -> str:
    """The memory beside a transcript, brought up to date."""
    keeper = Keeper(Place.of(path), Triggers())
    keeper.open("test", 0.0)
    try:
        spot.publish_now(keeper)
        return keeper.place.memory.read_text()
    finally:
        keeper.close()


def compacted(path: Path, **wish: object) -> bytes:
    """What `memcli compact` prints."""
    out = path.with_name(f"{path.name}.out")
    compact(str(path), Wish(output=out, quiet=True, **wish))
    data = out.read_bytes()
    out.unlink()
    return data


def parent_of(path: Path) -> str:
    """The generation that the newest one of a transcript inherited from."""
    newest = Keeper(Place.of(path), Triggers()).store.generations.newest()
    return newest.parent if newest else ""


def swapped(directory: Path, format: str, swaps: int, **wish: object) -> Path:
    """A session of `swaps` + 1 parts of two turns each, swapped after each part; the last file."""
    path = directory / "part0.jsonl"
    script = Script(format).turn(0).turn(1)
    path.write_bytes(script.data)
    for number in range(1, swaps + 1):
        memory_of(path)
        before = compacted(path, **wish)
        script = Script(format, after=before, serial=number * 1000)
        script.turn(2 * number).turn(2 * number + 1)
        path = directory / f"part{number}.jsonl"
        path.write_bytes(before + script.data)
    return path


def uncut(directory: Path, format: str, swaps: int) -> Path:
    """The same session, never swapped."""
    script = Script(format)
    for number in range(swaps + 1):
        script.serial = number * 1000 if number else script.serial
        script.turn(2 * number).turn(2 * number + 1)
    path = directory / "uncut.jsonl"
    path.write_bytes(script.data)
    return path


def swapped_at(directory: Path, format: str, data: bytes, cuts: list[int], way: str) -> Path:
    """A session of these bytes, swapped after each of `cuts` lines into a new file where it goes on; the last file.

    `way`: the memory is made at the swap ("now"), or half the way before it ("behind"); "bare" keeps no covered turn.
    """
    lines = data.splitlines(keepends=True)
    before, path = b"", directory / "cut0.jsonl"
    for number, (start, stop) in enumerate(pairwise([0, *cuts, len(lines)])):
        path = directory / f"cut{number}.jsonl"
        grown = continued(format, before, lines[start:stop])
        half = len(grown) // 2 if way == "behind" else len(grown)
        _rested(path, before + b"".join(grown[:half]))
        if way == "behind":
            with suppress(NoMessages, FileNotFoundError):  # there is nothing to remember yet
                memory_of(path)
        _rested(path, before + b"".join(grown))
        if stop < len(lines):
            before = compacted(path, **({"keep_turns": 0} if way == "bare" else {}))
    return path


def continued(format: str, before: bytes, lines: list[bytes]) -> list[bytes]:
    """Lines as a client writes them that goes on in a swapped file: what hung on a record that is gone hangs on the
    last one. (Nor does it know old records that it could copy.)
    """
    id, parent = {"claude-code": ("uuid", "parentUuid"), "pi": ("id", "parentId")}.get(format, ("", ""))
    if not before or not id:
        return lines
    records = [json.loads(line) for line in before.splitlines()]
    known = [record[id] for record in records if id in record and record.get("type") != "session"]
    out = []
    for line in lines:
        record = json.loads(line)
        if record.get(parent) not in known and record.get("subtype") != "compact_boundary" and parent in record:
            record[parent] = known[-1] if known else None
        known += [record[id]] if id in record else []
        out.append(json.dumps(record).encode() + b"\n")
    return out


def _rested(path: Path, data: bytes) -> None:
    """A file that has not been written to for long: its end is a place to cut."""
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))
