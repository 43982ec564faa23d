"""How often is `memcli compact` instant? Transcripts grow again under a keeper, as `watch` keeps them, and at the end
of every turn the lean routes are asked; with `--more N` also after 1..N further lines that no watcher has seen.

    python -m scripts.turn_ends ~/.claude/projects/*/*.jsonl

Prints for each transcript how often they answered, declined, or found no memory yet (it begins at `init-tokens`).
Works on copies in a temporary directory; time is invented, so that hours pass in seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from memcli import lean
from memcli.effects import StartJob
from memcli.errors import MemcliError
from memcli.memory.fitting import rendered
from memcli.session import QUIET_SECONDS, Triggers
from memcli.sidecar.place import Place
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper


def main() -> int:
    """Measure; exit code 0 if 99 of 100 compactions with a memory were instant."""
    parser = argparse.ArgumentParser(prog="scripts/turn_ends", description="How often is `memcli compact` instant?")
    parser.add_argument("transcripts", nargs="+", type=Path)
    parser.add_argument("--more", type=int, default=0, help="lines that no watcher has seen (default: 0)")
    wish = parser.parse_args()
    total: Counter[str] = Counter()
    for transcript in wish.transcripts:
        try:
            found = measured(transcript, wish.more)
        except MemcliError as error:
            print(f"{transcript.name}: {error.sentence}")
            continue
        total += found
        print(f"{transcript.name}: {shown(found)}", flush=True)
    print(f"all: {shown(total)}")
    return 0 if total["instant"] >= 0.99 * (total["instant"] + total["declined"]) else 1


def shown(found: Counter[str]) -> str:
    """The counts in words."""
    return ", ".join(f"{found[name]} {name}" for name in ("instant", "declined", "without a memory"))


def measured(transcript: Path, more: int) -> Counter[str]:
    """The answers at all turn ends of one transcript. Raises MemcliError for a file that is none."""
    lines = transcript.read_bytes().splitlines(keepends=True)
    with tempfile.TemporaryDirectory(prefix="memcli-turns-") as name:
        room = Path(name)
        os.environ["XDG_STATE_HOME"] = name
        ends = turn_ends(lines, room / "before" / transcript.name)
        copy = _empty(room / "copy" / transcript.name)
        keeper = Keeper(Place.of(copy), Triggers())
        keeper.open("watch", time.time())
        try:
            return _grown(keeper, copy, lines, ends, more)
        finally:
            keeper.close()


def turn_ends(lines: list[bytes], copy: Path) -> set[int]:
    """How many lines stand in the transcript at the end of each turn, the last one included."""
    follower = Follower(str(_empty(copy)), Place.of(copy), Triggers())
    offsets = [0]
    for line in lines:
        _append(copy, line)
        offsets.append(offsets[-1] + len(line))
    numbers = {offset: number for number, offset in enumerate(offsets)}
    follower.catch_up(0.0)
    if follower.session is None:
        raise follower.unrecognised()
    follower.start_over()
    found: set[int] = set()
    _empty(copy)
    for number, line in enumerate(lines):
        _append(copy, line)
        follower.look(float(number))
        session = follower.session
        found |= {numbers[cut.offset] for cut in (session.boundaries.cuts if session else ()) if cut.turn}
    return (found - {0}) | {len(lines)}


def _grown(keeper: Keeper, copy: Path, lines: list[bytes], ends: set[int], more: int) -> Counter[str]:
    answers: Counter[str] = Counter()
    now = 0.0
    for number, line in enumerate(lines, 1):
        _append(copy, line)
        now += 2 * QUIET_SECONDS
        keeper.look(now - QUIET_SECONDS)
        _work(keeper, now)
        if number not in ends:
            continue
        now += 2 * QUIET_SECONDS
        _work(keeper, now)
        keeper.ready(now)
        size = copy.stat().st_size
        for unseen in range(min(more, len(lines) - number) + 1):
            _append(copy, b"".join(lines[number : number + unseen]))
            answers[_asked(copy)] += 1
            os.truncate(copy, size)
    return answers


def _work(keeper: Keeper, now: float) -> None:
    """What a daemon does at a tick; jobs are answered here."""
    for effect in keeper.tick(now, time.time()):
        if isinstance(effect, StartJob):
            keeper.answered(rendered(effect.job), now, time.time())


def _asked(copy: Path) -> str:
    options = lean.Options()
    options.path, options.out, options.quiet = str(copy), f"{copy}.out", True
    if lean.answer(options) == 0:
        return "instant"
    return "declined" if (Place.of(copy).sidecar / "head").exists() else "without a memory"


def _empty(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    return path


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


if __name__ == "__main__":
    sys.exit(main())
