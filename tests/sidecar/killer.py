"""Kill a writer before each of its steps: `python -m tests.sidecar.killer SCENARIO DIRECTORY`.

For n = 1, 2, ... a forked child makes the scenario's beginning in DIRECTORY/n, then runs its act and kills itself
before the n-th call that touches the disk. It ends with the first child that survives, and prints how many did not.
Nothing in the product knows of this; a step that somebody adds is covered the day it is added.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memcli.sidecar import backups
from memcli.sidecar.generations import LEDGERS_KEPT, RECENT
from memcli.sidecar.kept_edits import KEPT
from tests.sidecar.builders import Unsynced, a_commit, a_long_life, a_store, a_transcript

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("replace", "link", "fsync", "write", "unlink", "ftruncate", "mkdir", "open")
EDIT = "the user's own words\n"


def commit(directory: Path, arm: Callable[[], None]) -> None:
    """A second generation after a first."""
    store = a_store(a_transcript(directory))
    a_commit(store, "first\n")
    arm()
    a_commit(store, "second\n")


def commit_over_edit(directory: Path, arm: Callable[[], None]) -> None:
    """A second generation, while the user has just edited the first and nobody has looked at it."""
    store = a_store(a_transcript(directory))
    a_commit(store, "first\n")
    store.place.memory.write_text(EDIT)
    arm()
    a_commit(store, "second\n")


def commit_after_many(directory: Path, arm: Callable[[], None]) -> None:
    """One more generation after so many, and so many edits, that some have to go."""
    store = a_store(a_transcript(directory), Unsynced())
    a_long_life(store.place.sidecar, 3)
    a_long_life(store.place.sidecar, RECENT + 2, RECENT - LEDGERS_KEPT)
    edits = store.place.sidecar / "edits"
    edits.mkdir()
    for n in range(2 * KEPT + 1):
        (edits / f"{n:016x}.md").write_text(f"edit {n}\n")
        os.utime(edits / f"{n:016x}.md", (n, n))
    arm()
    a_commit(store, "one more\n")


def first_commit(directory: Path, arm: Callable[[], None]) -> None:
    """Everything from nothing."""
    transcript = a_transcript(directory)
    arm()
    a_commit(a_store(transcript), "first\n")


def in_place(directory: Path, arm: Callable[[], None]) -> None:
    """A transcript replaced by its compaction."""
    store = a_store(a_transcript(directory, text="the long original\n"))
    arm()
    backups.replace(store.place, b"short\n", len("the long original\n"))


def undo(directory: Path, arm: Callable[[], None]) -> None:
    """The way back from there."""
    store = a_store(a_transcript(directory, text="the long original\n"))
    backups.replace(store.place, b"short\n", len("the long original\n"))
    arm()
    backups.restore(store.place)


SCENARIOS = {act.__name__: act for act in (commit, commit_over_edit, commit_after_many, first_commit, in_place, undo)}


def _arm(n: int) -> None:
    left = n

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **rest: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **rest)

        return step

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def _run(scenario: str, directory: Path, n: int) -> bool:
    pid = os.fork()
    if not pid:
        SCENARIOS[scenario](directory / str(n), lambda: _arm(n))
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"{scenario} failed by itself")
    return os.WIFSIGNALED(status)


def main(scenario: str, directory: str) -> None:
    killed = 0
    while _run(scenario, Path(directory), killed + 1):
        killed += 1
    print(killed)  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main(*sys.argv[1:])
