"""The roads of `compact`: the lean routes, the verb past the door, and the swap with a prepared tail or without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from memcli import lean, swap
from memcli.commands.compact import Wish, compact
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.watch.keeper import Keeper
from tests.cli.command import environment

Keep = tuple[str, int]

KEEPS = (None, ("turns", 0), ("turns", 1), ("turns", 2), ("tokens", 300))
EDITED = "- the harbour master signs off"
NEVER_DUE = Triggers(update_tokens=10**9, update_tool_calls=10**9)


def instant(path: Path, keep: Keep | None = None) -> bytes | None:
    """What the lean routes write; None if they decline."""
    options = lean.Options()
    options.path, options.out, options.quiet, options.keep = str(path), str(path.with_name("lean.out")), True, keep
    if lean.answer(options) is None:
        return None
    return Path(options.out).read_bytes()


def program(path: Path, keep: Keep | None = None) -> bytes:
    """What the verb itself writes, called past the door."""
    out = path.with_name("program.out")
    kept = {f"keep_{keep[0]}": keep[1]} if keep else {}
    assert compact(str(path), Wish(output=out, quiet=True, **kept)) == 0
    return out.read_bytes()


class Swapped(NamedTuple):
    """Bytes and sentence of a swap."""

    data: bytes
    said: str


def swapped(path: Path, keep: Keep | None = None, *, prepared: bool = True) -> tuple[str, Swapped]:
    """The route of a swap and what comes of it; without `prepared` no prepared tail is looked for. "declined" where
    only the slow route can tell."""
    place = Place.of(path)
    source = os.open(path, os.O_RDONLY)
    try:
        head = swap.committed(str(place.sidecar), str(path.parent), source)
        end = swap.whole_end(source, head.end, path.stat().st_size)
        ready = swap.prepare(head, source, end, keep, str(place.sidecar) if prepared else "")
        with path.with_name("swap.out").open("wb+", buffering=0) as out:
            ready.write(source, out.fileno())
            out.seek(0)
            return ready.report.route, Swapped(out.read(), ready.report.line(0.0, 0.0))
    except (OSError, ValueError):
        return "declined", Swapped(b"", "")
    finally:
        os.close(source)


def followed(path: Path) -> Keeper:
    """A keeper as a watcher has it, for whom no memory is ever due; to be closed."""
    keeper = Keeper(Place.of(path), NEVER_DUE)
    keeper.open("watch", 0.0)
    return keeper


def seen(keeper: Keeper, now: float) -> None:
    """The keeper has read the file, and it has rested since."""
    keeper.look(now)
    keeper.tick(now + 1, 0.0)
    keeper.ready(now + 1)


def tail_of(path: Path) -> Path:
    """Where the prepared tail of a transcript lies."""
    return Place.of(path).sidecar / "tail"


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


SEEN = "print(len(sys.modules), *sorted(sys.modules), file=sys.stderr)"
LOADED = f"""
import os, sys
leave = os._exit
def told(code):
    {SEEN}
    leave(code)
os._exit = told
from memcli.__main__ import door
door()
"""


def loaded(path: Path, *words: str) -> list[str]:
    """The modules at the end of a `compact`, how many first."""
    arguments = [sys.executable, "-S", "-c", LOADED, "compact", "-q", str(path), *words]
    ran = subprocess.run(arguments, capture_output=True, env=environment(), text=True, check=True)
    return ran.stderr.split()
