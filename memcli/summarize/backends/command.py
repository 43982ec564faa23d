"""Any command that reads a prompt on stdin and prints an answer: `llm`, `ollama run …`, a script; and `claude -p`,
which is known and made to behave (`claude.py`)."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from memcli.memory.jobs import Failure
from memcli.summarize import faults
from memcli.summarize.backends import claude
from memcli.summarize.backends.processes import Group, SaidTooMuch, TookTooLong, called, last_line, words
from memcli.summarize.backends.stream import estimated, tokens
from memcli.summarize.request import Failed, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memcli.summarize.backends.processes import Output
    from memcli.summarize.options import Options
    from memcli.summarize.request import Request

OUTPUT_BYTES = 4 * 1024 * 1024
NOT_FOUND = (126, 127)
"""What a shell answers for a program that is not there, or is none."""


class Command:
    """A `Backend`: one process for each question. It inherits our environment, no more.

    Raises ValueError if `command` is no command line.
    """

    name = "command"
    structured = caches = False

    def __init__(self, options: Options) -> None:
        self._options = options
        self._words = words(options.command)
        self._program = called(options.command)
        self._claude = claude.is_one_shot(self._words)
        self.model = options.model or ("" if self._claude else self._program)

    def complete(self, request: Request) -> Reply:
        """The answer, whole; in `timeout` seconds or not at all. Raises Failed."""
        started = time.monotonic()
        if not self._claude:
            output = self._run(self._words, None, request.text)
            return self._plain(request, output, started)
        call = claude.call(self._words, request, self._options.model)
        output = self._run(call.argv, os.environ | call.environment, call.stdin)
        if call.json:
            return claude.reply(output, self._options.model, started)
        return self._plain(request, output, started)

    def count(self, request: Request) -> int:
        """Tokens of the prompt, estimated."""
        return tokens(request.characters)

    def close(self) -> None:
        """Nothing outlives its question."""

    def _run(self, argv: Sequence[str], environment: Mapping[str, str] | None, prompt: str) -> Output:
        try:
            group = Group(argv, environment)
        except OSError as error:
            reason = f"cannot start {self._program}: {error.strerror}"
            raise Failed(Failure(faults.one_line(reason), permanent=True), model=self.model) from error
        try:
            return group.exchange(prompt.encode("utf-8", "replace"), self._options.timeout, OUTPUT_BYTES)
        except TookTooLong:
            raise self._failed(f"did not answer within {self._options.timeout:g} s") from None
        except SaidTooMuch:
            raise self._failed(f"printed more than {OUTPUT_BYTES:,} bytes") from None
        finally:
            group.end()

    def _plain(self, request: Request, output: Output, started: float) -> Reply:
        text = output.out.decode("utf-8", "replace").strip()
        if output.code:
            why = last_line(output.err)
            how = f"was killed by signal {-output.code}" if output.code < 0 else f"ended with exit code {output.code}"
            raise self._failed(f"{how}: {why}" if why else how, permanent=output.code in NOT_FOUND)
        if not text:
            raise self._failed("printed nothing")
        took = round((time.monotonic() - started) * 1000)
        return Reply(text, self.model, estimated(request.characters, text), took)

    def _failed(self, how: str, *, permanent: bool = False) -> Failed:
        return Failed(Failure(faults.one_line(f"{self._program} {how}"), permanent=permanent), model=self.model)
