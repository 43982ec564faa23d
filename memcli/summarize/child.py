"""The child's loop: jobs from stdin, one result a job on stdout as they come, until stdin ends.

Many jobs are done at a time, one a thread: they mostly wait for a model. A job that overruns its deadline is answered
with an error, and its thread is replaced; the thread cannot be stopped, but what it may still say is dropped.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import msgspec

from memcli.edge import INTERRUPTED, TERMINATED, Terminated
from memcli.memory.jobs import VERSION, Job, Progress, Result, parse_job
from memcli.summarize.early import import_early
from memcli.summarize.progress import heard
from memcli.summarize.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from memcli.summarize.options import Options

LINE_BYTES = 64 * 1024 * 1024
"""A job line longer than this is no job."""
QUESTIONS = 2.5
"""A job may be silent as long as so many questions may take: an answer, a corrected one, and some room. Less than the
daemon's patience, which takes the whole child for dead, with all other jobs."""
LARGE_BYTES = 64 * 1024
_MMAP_THRESHOLD = -3  # of glibc's mallopt(3)
MEMORY_BYTES = 4 * 1024**3
"""Of address space. With the SDK and 16 requests at a time 1.1 GiB were measured, of which 91 MiB were really used."""


def main(options: Options) -> NoReturn:
    """Serve the daemon that started us. Ends with it: when it dies, our stdin ends.

    A stdin that is a file ends at once and means nothing; then every job is answered.
    """
    _limit_memory(options)
    _lay_large_pieces_apart()
    if options.backend == "anthropic":
        import_early()
    piped = stat.S_ISFIFO(mode := os.fstat(0).st_mode) or stat.S_ISSOCK(mode)
    code = 0
    try:
        serve(
            lines(sys.stdin.buffer),
            sys.stdout.buffer,
            Writing(options).answer,
            options.jobs,
            options.timeout * QUESTIONS,
            patient=not piped or options.backend == "embedded",
        )
    except BrokenPipeError:
        pass  # nobody reads our answers any more
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    _leave(options, code)


def serve(
    jobs: Iterable[bytes],
    results: BinaryIO,
    write: Callable[[Job], Result],
    workers: int = 1,
    seconds: float = threading.TIMEOUT_MAX,
    *,
    patient: bool = True,
) -> None:
    """Answer every job line with exactly one result line, as they are done. A line that is no job is answered with an
    error, and so is a job that says nothing for `seconds`: no result, no sentence on the way.

    When `jobs` end, what has begun is finished; unless we are not `patient`: then jobs that ask a model are answered
    with an error. Raises BrokenPipeError if nobody reads the answers.
    """
    desk = _Desk(results, write, workers, seconds)
    for line in jobs:
        if desk.broken is not None:
            break
        if line.strip():
            desk.take(line)
    desk.finish(patient=patient)


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream; the beginning of one that is longer than a job can be."""
    while line := stream.readline(LINE_BYTES):
        yield line
        while len(line) == LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES)


class _Desk:
    """Jobs in, results out, each exactly once; and the threads in between."""

    def __init__(self, results: BinaryIO, write: Callable[[Job], Result], workers: int, seconds: float) -> None:
        self._results = results
        self._write = write
        self._workers = workers
        self._seconds = seconds
        self._serial = count()
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        # Held for every change of what is open and for every line that is said, so that who finds nothing open any
        # more knows that all has been said.
        self._changed = threading.Condition()
        self._open: dict[int, Job] = {}
        self._heard: dict[int, float] = {}
        self._alarms: dict[int, threading.Timer] = {}
        self.broken: OSError | None = None
        for _ in range(workers):
            self._hire()

    def take(self, line: bytes) -> None:
        """Queue the job of this line, or answer that it is none."""
        try:
            job = parse_job(line)
        except msgspec.MsgspecError as error:
            self._say(Result("", error=f"not a job: {error}", permanent=True))
            return
        if job.v != VERSION:
            self._say(Result(job.job, error=f"protocol version {job.v} is not {VERSION}", permanent=True))
            return
        number = next(self._serial)
        with self._changed:
            self._open[number] = job
        self._queue.put(number)

    def finish(self, *, patient: bool) -> None:
        """Wait for what is being done; with little patience only for what no model is asked."""
        with self._changed:
            hopeless = [] if patient else [number for number, job in self._open.items() if job.write]
            for number in hopeless:
                self._answer(number, error="the summarizer was told to end")
            self._changed.wait_for(lambda: not self._open or self.broken is not None)
        for _ in range(self._workers):
            self._queue.put(None)
        if self.broken is not None:
            raise self.broken

    def _hire(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while (number := self._queue.get()) is not None:
            job = self._open.get(number)
            if job is not None and not self._do(number, job):
                return  # too late: another thread has been hired in our place

    def _do(self, number: int, job: Job) -> bool:
        """Do a job and answer it; False if it had been answered meanwhile."""
        started = time.monotonic()
        with self._changed:
            self._heard[number] = started
            self._watch(number, self._seconds)

        def tell(sentence: str, most: float | None) -> None:
            with self._changed:
                if number in self._open:  # else it is too late
                    self._heard[number] = time.monotonic()
                    self._say(Progress(job.job, sentence, most=most))

        with heard(tell):
            try:
                result = self._write(job)
            except Exception as error:  # noqa: BLE001  # one bad job must not take the child and the other jobs down
                return self._answer(number, error=f"{type(error).__name__}: {error}")
        took = round((time.monotonic() - started) * 1000)
        return self._answer(number, msgspec.structs.replace(result, milliseconds=took))

    def _watch(self, number: int, seconds: float) -> None:
        """Look at a job in so many seconds."""
        alarm = threading.Timer(seconds, self._look, (number,))
        alarm.daemon = True
        self._alarms[number] = alarm
        alarm.start()

    def _look(self, number: int) -> None:
        with self._changed:
            if number not in self._open:
                return
            left = self._heard[number] + self._seconds - time.monotonic()
            if left > 0:
                self._watch(number, left)
            else:
                self._answer(number, error=f"nothing was heard of it for {self._seconds:g} s")
                self._hire()

    def _answer(self, number: int, result: Result | None = None, error: str = "") -> bool:
        """Say the result, or the error; False if the job had been answered already."""
        with self._changed:
            if number not in self._open:
                return False
            if number in self._alarms:
                self._alarms.pop(number).cancel()
            self._heard.pop(number, None)
            self._say(result or Result(self._open[number].job, error=error))
            del self._open[number]
            self._changed.notify_all()
        return True

    def _say(self, message: Result | Progress) -> None:
        """One line, whole."""
        with self._changed:
            if self.broken is not None:
                return
            try:
                self._results.write(_encoded(message) + b"\n")
                self._results.flush()
            except OSError as error:
                self.broken = error
                self._changed.notify_all()


def _encoded(message: Result | Progress) -> bytes:
    try:
        return msgspec.json.encode(message)
    except ValueError as error:  # half a character: a fault of the job's own, and it has to be answered
        return msgspec.json.encode(Result(message.job, error=f"the answer is no text: {error}"))


def _limit_memory(options: Options) -> None:
    """A runaway of ours ends in an error of one job instead of a machine out of memory.

    Not where we start programs: they would inherit the limit, and some reserve far more address space than they use.
    """
    if options.backend in ("command", "program"):
        return
    with suppress(ImportError, OSError, ValueError):  # not on this platform, or a lower limit stands
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


def _lay_large_pieces_apart() -> None:
    """What is as large as a prompt goes back to the system when it is freed. By itself glibc keeps such pieces from the
    first one on that was freed: measured with 32 prompts of 200 KB at a time, 126 instead of 144 MiB.
    """
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE_BYTES)


def _leave(options: Options, code: int) -> NoReturn:
    """End at once: threads that wait for a model would trouble the interpreter's own end, and answers that nobody will
    read must not be paid for any longer."""
    if options.backend in ("command", "program"):
        from memcli.summarize.backends.processes import end_all

        end_all()
    os._exit(code)
