"""A program of the user's own that speaks the protocol (`memcli.memory.jobs`), one level down.

One process serves all jobs, many at a time; lines carry names of ours, as two transcripts may use the same. It is
started at the first job. If it dies, what it owed is asked of a new one, once. A job that takes too long ends it, too:
a program that hangs is not to be told from one that thinks.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from memcli.memory.jobs import VERSION, Failure, Job, Progress, Result, parse_answer
from memcli.summarize import faults
from memcli.summarize.backends.processes import STDERR_BYTES, Group, called, last_line, words
from memcli.summarize.backends.stream import estimated
from memcli.summarize.progress import say
from memcli.summarize.request import Failed

if TYPE_CHECKING:
    from memcli.summarize.options import Options

LINE_BYTES = 4 * 1024 * 1024
"""An answer longer than this is a fault of the program."""
ATTEMPTS = 2
LAST_WORDS_SECONDS = 5.0
"""How long the end of stderr may come after that of stdout. It does not if something was left behind that holds it."""


class _Ended(NamedTuple):
    """The process has ended, or was ended; why, as a sentence about it."""

    why: str


class Program:
    """A `Writer`. Raises ValueError if `summarizer` is no command line."""

    name = "program"

    def __init__(self, options: Options) -> None:
        self._options = options
        self._words = words(options.summarizer)
        self._called = called(options.summarizer)
        self.model = options.model or self._called
        self._changing = threading.Lock()
        self._process: _Process | None = None

    def write(self, job: Job) -> Result:
        """The answer of the program, in `timeout` seconds or not at all. Raises Failed."""
        deadline = time.monotonic() + self._options.timeout
        ended = _Ended("")
        for _ in range(ATTEMPTS):
            process = self._running()
            answer = process.ask(msgspec.structs.replace(job, ledger=b""), deadline)
            if isinstance(answer, Result):
                return self._checked(job, answer)
            self._end(process)
            if answer is None:
                raise self._failed(f"did not answer within {self._options.timeout:g} s")
            ended = answer
        raise self._failed(ended.why)

    def close(self) -> None:
        """End the program with its process group."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _running(self) -> _Process:
        with self._changing:
            if self._process is None:
                try:
                    self._process = _Process(self._words)
                except OSError as error:
                    raise self._failed(f"cannot be started: {error.strerror}", permanent=True) from error
            return self._process

    def _end(self, process: _Process) -> None:
        with self._changing:
            if self._process is process:
                self._process = None
        process.end()

    def _checked(self, job: Job, answer: Result) -> Result:
        if answer.v != VERSION:
            raise self._failed(f"speaks version {answer.v} of the protocol, not {VERSION}", permanent=True)
        if answer.failure is not None:
            failure = msgspec.structs.replace(answer.failure, sentence=faults.one_line(answer.failure.sentence))
            raise Failed(failure, answer.usage, answer.model or self.model)
        if answer.error:
            raise self._failed(f"says: {answer.error}", permanent=answer.permanent)
        if not answer.edits and not answer.text.strip():
            raise self._failed("answered neither edits nor text")
        written = answer.text or "".join(edit.text for edit in answer.edits)
        return msgspec.structs.replace(
            answer,
            job=job.job,
            model=answer.model or self.model,
            usage=answer.usage or estimated(len(job.prompt), written),
        )

    def _failed(self, how: str, *, permanent: bool = False) -> Failed:
        return Failed(Failure(faults.one_line(f"{self._called} {how}"), permanent=permanent), model=self.model)


class _Process:
    """One run of the program, and the threads at its pipes."""

    def __init__(self, argv: list[str]) -> None:
        self._group = Group(argv)
        self._serial = count()
        self._changing = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: dict[str, SimpleQueue[Result | Progress | _Ended]] = {}
        self._ended: _Ended | None = None
        self._complaints = bytearray()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._note)]
        for thread in self._threads:
            thread.start()

    def ask(self, job: Job, deadline: float) -> Result | _Ended | None:
        """The answer, or why there will be none; None if it does not come in time."""
        inbox: SimpleQueue[Result | Progress | _Ended] = SimpleQueue()
        name = f"{next(self._serial)}:{job.job}"
        with self._changing:
            if self._ended is not None:
                return self._ended
            self._waiting[name] = inbox
        # A program that does not read would hold us up at a full pipe, so that the clock must run beside it.
        threading.Thread(target=self._give, args=(msgspec.structs.replace(job, job=name),), daemon=True).start()
        try:
            while True:
                answer = inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                if not isinstance(answer, Progress):
                    return answer
                say(answer.progress)
        except Empty:
            return None
        finally:
            self._waiting.pop(name, None)

    def end(self) -> None:
        """Kill the group, reap it, and tell everybody who waits. May be called again."""
        self._over("was ended")
        self._group.end()

    def _give(self, job: Job) -> None:
        pipe = self._group.process.stdin
        assert pipe is not None
        # Who does not read any more has ended, or will be ended: the reading thread says so.
        with contextlib.suppress(OSError, ValueError), self._writing:
            pipe.write(msgspec.json.encode(job) + b"\n")
            pipe.flush()

    def _read(self) -> None:
        pipe = self._group.process.stdout
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError):
            while line := pipe.readline(LINE_BYTES):
                try:
                    answer = parse_answer(line)
                except msgspec.MsgspecError:
                    too_long = len(line) == LINE_BYTES
                    said = (
                        f"a line of more than {LINE_BYTES:,} bytes"
                        if too_long
                        else repr(line[:60].decode("utf-8", "replace"))
                    )
                    self._over(f"printed {said}, which is not the protocol")
                    return
                inbox = self._waiting.get(answer.job)
                if inbox is not None:
                    inbox.put(answer)
            self._threads[1].join(LAST_WORDS_SECONDS)  # the last words come on the other pipe
        why = last_line(bytes(self._complaints))
        self._over(f"ended: {why}" if why else "ended")

    def _note(self) -> None:
        pipe = self._group.process.stderr
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(pipe.fileno(), STDERR_BYTES):
                self._complaints += chunk
                del self._complaints[:-STDERR_BYTES]

    def _over(self, why: str) -> None:
        with self._changing:
            if self._ended is None:
                self._ended = _Ended(why)
            waiting, self._waiting = self._waiting, {}
        for inbox in waiting.values():
            inbox.put(self._ended)
