"""The child's loop: jobs from stdin, one result a job on stdout, until stdin ends."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from memcli.memory.fitting import rendered
from memcli.memory.jobs import VERSION, Job, Result, parse_job

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> int:
    """Serve the daemon that started us. Ends with it: when it dies, our stdin ends."""
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, KeyboardInterrupt):
        # Nobody reads our answers any more. Python would complain about the unflushed pipe at exit: leave without.
        os._exit(0)
    return 0


def serve(jobs: Iterable[bytes], results: BinaryIO) -> None:
    """Answer every job line with exactly one result line. A line that is no job is answered with an error."""
    for line in jobs:
        if line.strip():
            results.write(msgspec.json.encode(answer(line)) + b"\n")
            results.flush()


def answer(line: bytes) -> Result:
    """The result of one job line."""
    started = time.monotonic()
    try:
        job = parse_job(line)
    except msgspec.MsgspecError as error:
        return Result("", error=f"not a job: {error}", permanent=True)
    if job.v != VERSION:
        return Result(job.job, error=f"protocol version {job.v} is not {VERSION}", permanent=True)
    result = _attempt(job)
    return msgspec.structs.replace(result, milliseconds=round((time.monotonic() - started) * 1000))


def _attempt(job: Job) -> Result:
    try:
        return rendered(job)
    except Exception as error:  # noqa: BLE001  # one bad job must not take the child and the other jobs down
        return Result(job.job, error=f"{type(error).__name__}: {error}")
