"""A session that is swapped again and again, each time into a new file, as its users do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.commands.compact import Wish, compact
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
