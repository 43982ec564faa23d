"""Asking a live daemon for an update: a file in the sidecar, a signal, and the file's disappearance.

`memcli update` beside a daemon never folds a second time. It leaves `ask` in the sidecar and sends SIGUSR1 to the
holder of the lock; the daemon answers by replacing `ask` with `answer` once the memory is current. Whoever dies in
between leaves a file that the next question overwrites.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from typing import TYPE_CHECKING

from memcli.errors import TryAgain
from memcli.sidecar import files

if TYPE_CHECKING:
    from pathlib import Path

POLL_SECONDS = 0.02


def ask(sidecar: Path, pid: int, patience: float, transcript: Path) -> str:
    """Ask the daemon `pid` and wait for its answer, a sentence. Raises TryAgain after `patience` seconds."""
    again = f"memcli update {shlex.quote(str(transcript))}"
    (sidecar / "answer").unlink(missing_ok=True)
    files.write_atomic(sidecar / "ask", b"update\n", durable=False)
    try:
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError as error:
        raise TryAgain(f"the daemon {pid} has just ended", again) from error
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = files.read(sidecar / "answer")
        if answer is not None:
            return answer.decode("utf-8", "replace").strip()
        time.sleep(POLL_SECONDS)
    raise TryAgain(f"the daemon {pid} did not answer within {patience:g} s", f"{again} --wait 120")


def asked(sidecar: Path | str) -> bool:
    """True if somebody waits for an update of this transcript. Costs one look at the disk."""
    return os.path.exists(os.path.join(sidecar, "ask"))


def answer(sidecar: Path, sentence: str) -> None:
    """Tell whoever waits."""
    files.write_atomic(sidecar / "answer", f"{sentence}\n".encode(), durable=False)
    (sidecar / "ask").unlink(missing_ok=True)
