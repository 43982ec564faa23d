"""What Linux tells of a process that runs: its CPU, its memory, its children. Elsewhere the rows say why they are not
there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from scripts.benchmarks.rounds import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Running: TypeAlias = AbstractContextManager[int]
"""A program while its block lasts; the value is its process id."""

_PROC = Path("/proc")
_NANOSECOND = 1e-9
_KIB_A_MIB = 1024
_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.002


def cpu(pid: int) -> float:
    """Seconds of CPU of all threads so far. Raises Failed where there is no /proc, as the others here."""
    _linux()
    total = 0
    for task in (_PROC / str(pid) / "task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            total += int((task / "schedstat").read_text().split()[0])
    return total * _NANOSECOND


def private(pid: int) -> float:
    """MiB that would be free if the process ended."""
    kinds = _memory(pid)
    return (kinds["Private_Clean"] + kinds["Private_Dirty"]) / _KIB_A_MIB


def proportional(pid: int) -> float:
    """MiB of it alone, and its part of what it shares."""
    return _memory(pid)["Pss"] / _KIB_A_MIB


def children(pid: int) -> list[int]:
    """Its children, as they are now."""
    _linux()
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def connections(port: int) -> int:
    """Open connections that processes of this machine have to a port on loopback."""
    _linux()
    wanted, established = f"{port:04X}", "01"
    rows = [line.split() for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{wanted}") and row[3] == established for row in rows)


def _linux() -> None:
    if sys.platform != "linux":
        raise Failed("it needs the /proc of Linux")


def _memory(pid: int) -> dict[str, int]:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError as error:
        raise Failed(f"the memory of process {pid} is not told: {error.strerror}") from error
    return {name.rstrip(":"): int(size) for name, size, *_ in (line.split() for line in lines)}


@contextmanager
def running(argv: Sequence[str], environment: Mapping[str, str], said: Path) -> Iterator[int]:
    """A program without a terminal, ended at the end of the block; its process id. What it says is in `said`."""
    with said.open("wb") as file:
        process = subprocess.Popen(
            argv, env=dict(environment), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def eventually(condition: Callable[[], bool], seconds: float, look: float = _LOOK_SECONDS) -> bool:
    """Wait until the condition holds; False if it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(look)
    return True


def is_alive(pid: int) -> bool:
    """True while it runs."""
    _linux()
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
