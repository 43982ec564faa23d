"""States of a transcript that verbs meet: remembered, grown, watched. No process is started."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from memcli.memory.fitting import rendered
from memcli.memory.sections import USER_INTENT
from memcli.session import Triggers
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import spot
from memcli.watch.keeper import Keeper
from tests.builders import Script

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.head import Head
    from memcli.memory.jobs import Job, Result


def remembered(path: Path, prose: str = "") -> Path:
    """The same transcript, with a memory of all of it, and this `prose` of a model about what its user wants. Its file
    has rested, so that nothing has to be waited for."""

    def wrote(job: Job) -> Result:
        said = {USER_INTENT: prose}
        return msgspec.structs.replace(rendered(msgspec.structs.replace(job, prose=said)), prose=said, wrote=True)

    rested(path)
    keeper = Keeper(Place.of(path), Triggers(write=bool(prose)))
    keeper.open("update", time.time())
    try:
        spot.publish_now(keeper, wrote if prose else rendered)
    finally:
        keeper.close()
    return path


def rested(path: Path) -> Path:
    """The same transcript, last written to a minute ago."""
    os.utime(path, (time.time() - 60,) * 2)
    return path


def grown(path: Path, format: str = "claude-code", number: int = 7, rounds: int = 1) -> bytes:
    """Append one more turn to the transcript; its bytes."""
    more = Script(format, after=path.read_bytes(), serial=1000 * number).turn(number, rounds).data
    with path.open("ab") as file:
        file.write(more)
    return more


def watched(path: Path) -> Lock:
    """The lock of a transcript, as a daemon holds it; to be released."""
    return Lock.acquire(Place.of(path).claim().lock, "watch", time.time())


def committed(path: Path) -> Head:
    head = Store(Place.of(path)).head()
    assert head is not None
    return head


def edit(path: Path, section: str, line: str) -> None:
    """Add a line to a section of the Markdown, as a person would."""
    memory = Place.of(path).memory
    memory.write_text(memory.read_text().replace(f"## {section}\n", f"## {section}\n{line}\n"))
