"""`memcli chat`: a conversation with a model in the terminal, which is compacted before its context is full.

The smallest complete host of a session memory: a `Session` keeps transcript and memory, an `Endpoint` asks the model.
Without a terminal each line of stdin is a prompt, and the first failure ends it.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from memcli.agent.endpoint import Endpoint
from memcli.agent.place import check_place, quoted
from memcli.agent.rules import checked, way_of
from memcli.agent.session import Session
from memcli.errors import IsDirectory, MemcliError, NoAnswer, TryAgain, Usage
from memcli.making import setup, writer
from memcli.summarize import prices
from memcli.ui.chat import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memcli.making.writer import Writer
    from memcli.memory import jobs

ANSWER_TOKENS = 8_192
ANSWER_SECONDS = 600.0
LIMIT_TOKENS = 100_000
"""Where no limit is set. Beyond it some models cost more a token, and all of them forget more."""

COMMANDS = "/compact [strategy], /memory, /quit"
_COMMAND = re.compile(r"/([a-z]+)(?:\s+(\S+))?")


def chat(
    path: Path | None,
    overrides: Mapping[str, object],
    *,
    strategy: str | None = None,
    memory_model: str | None = None,
    quiet: bool = False,
) -> int:
    """The exit code: 0 when the person leaves. Raises Usage for settings that cannot work, NotATranscript for a file
    of another format, and without a terminal NoAnswer and TryAgain.
    """
    path = path or Path(time.strftime("chat-%Y%m%d-%H%M%S.jsonl"))
    _check(path)
    asked = {name: value for name, value in overrides.items() if name != "strategy"}
    loaded = setup.load({**asked, "backend": "anthropic"}, quiet=quiet)
    way = checked(strategy) if strategy else way_of(loaded)
    who = writer.chosen(loaded.settings, "chat")
    memory = _of_the_memory(asked, memory_model)
    limit = loaded.settings.context_limit or LIMIT_TOKENS
    options = msgspec.structs.replace(who.options, effort="", timeout=max(ANSWER_SECONDS, who.options.timeout))
    given = {**asked, "strategy": strategy, "memory_model": memory_model}
    with (
        closing(Endpoint(options)) as endpoint,
        Session(path, strategy=way, context_limit=limit, **memory) as session,
    ):
        return _Chat(session, endpoint, Screen(quiet=quiet), who, given).run()


def _check(path: Path) -> None:
    if path.is_dir():
        raise IsDirectory(f"{path} is a directory", f"memcli chat {quoted(path / 'chat.jsonl')}")
    if str(path) == "-":
        raise Usage("a conversation is kept in a file; stdin is what is said", "memcli chat chat.jsonl")
    check_place(path)


def _of_the_memory(asked: Mapping[str, object], model: str | None) -> dict[str, Any]:
    """The settings of who writes the memory: the endpoint of the chat, unless the user has named somebody else."""
    given = {name: value for name, value in asked.items() if value is not None and name != "context_limit"}
    chosen = setup.load(given, quiet=True).settings
    if chosen.backend == "auto" and not chosen.command and not chosen.summarizer:
        given["backend"] = "anthropic"
    return {**given, "model": model} if model else given


class _Chat:
    """One conversation, from the first prompt to the end."""

    def __init__(
        self, session: Session, endpoint: Endpoint, screen: Screen, who: Writer, given: Mapping[str, object]
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._screen = screen
        self._model = who.options.model
        self._sends = who.sends
        self._given = given
        self._spent: float | None = 0.0

    def run(self) -> int:
        self._greet()
        while (said := self._screen.ask()) is not None:
            text = said.strip()
            command = _COMMAND.fullmatch(text)
            if command and command[1] == "quit":
                break
            if command:
                self._obey(command[1], command[2])
            elif text or self._session.waits:
                if text:
                    self._session.add({"role": "user", "content": text})
                self._answer()
        self._screen.note(f"kept in {self._session.path}; `{self._again()}` goes on")
        return 0

    def _greet(self) -> None:
        session, count = self._session, len(self._session.messages)
        state = (
            f"{count} messages, {self._size()}" if count else f"a new conversation, at most {session.limit:,} tokens"
        )
        self._screen.note(f"{self._model}, {self._sends}; {session.strategy} memory")
        self._screen.note(f"{session.path}: {state}")
        if self._screen.terminal:
            self._screen.note(f"{COMMANDS}; Ctrl-C stops an answer, Ctrl-D leaves")
        if session.waits:
            self._screen.note("the last prompt has no answer yet: Enter asks again")

    def _size(self) -> str:
        return f"{self._session.tokens:,} of {self._session.limit:,} tokens"

    # ------------------------------------------------------------------ commands

    def _obey(self, command: str, argument: str | None) -> None:
        if command == "memory":
            self._screen.piece(self._session.memory or "There is no memory yet.\n")
            self._screen.end_line()
        elif command == "compact":
            self._compact(argument)
        else:
            self._screen.note(f"there is no /{command}; there are {COMMANDS}")

    def _compact(self, strategy: str | None = None) -> bool:
        """Compact, and say what it took; False if nothing was changed."""
        try:
            with self._screen.waiting(f"compacting, {strategy or self._session.strategy}"):
                done = self._session.compact_now(strategy)
        except MemcliError as error:
            self._screen.problem(error)
            return False
        except KeyboardInterrupt:
            if not self._screen.terminal:
                raise
            self._screen.note("the compaction was stopped; nothing was changed")
            return False
        self._screen.note(str(done))
        if done.problem:
            self._screen.note(f"no model wrote for this memory: {done.problem}")
        return True

    # ------------------------------------------------------------------ answers

    def _answer(self) -> None:
        """Ask the model, with a context that has room; what it says is in the transcript afterwards."""
        session, screen = self._session, self._screen
        if session.full:
            screen.note(f"the context is full: {self._size()}")
            self._compact()
        said: list[str] = []

        def heard(text: str) -> None:
            said.append(text)
            screen.piece(text)

        try:
            with screen.waiting(f"waiting for {self._model}"):
                end = self._endpoint.ask(session.messages, ANSWER_TOKENS, heard)
        except KeyboardInterrupt:
            if not screen.terminal:
                raise
            self._keep(said)
            screen.note("stopped" if "".join(said).strip() else "stopped; Enter asks again")
        except (NoAnswer, TryAgain) as error:
            self._failed(error)
        else:
            self._keep(said, end.model, end.stop, end.usage)
            self._tell(end.stop, end.model, end.usage)

    def _keep(self, said: list[str], model: str = "", stop: str = "", usage: jobs.Usage | None = None) -> None:
        answer: dict[str, object] = {"role": "assistant", "content": [{"type": "text", "text": "".join(said)}]}
        answer |= {"model": model or None, "stop_reason": stop or None}
        if usage is not None and usage.prompt_tokens:
            answer["usage"] = {
                "input_tokens": usage.input_tokens,
                "cache_read_input_tokens": usage.cache_read_tokens,
                "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
                "output_tokens": usage.output_tokens,
            }
        self._screen.end_line()
        self._session.add(answer)

    def _tell(self, stop: str, model: str, usage: jobs.Usage) -> None:
        if stop == "refusal":
            self._screen.note("the model refused to answer")
        elif stop in ("max_tokens", "model_context_window_exceeded"):
            self._screen.note(f"the answer was cut off ({stop})")
        cost = prices.cost(model or self._model, usage, dt.datetime.now(dt.UTC).date())
        self._spent = None if cost is None or self._spent is None else self._spent + cost
        if self._screen.terminal:
            paid = "" if self._spent is None else f", ${self._spent:.4f} so far"
            self._screen.note(self._size() + paid)

    def _failed(self, error: MemcliError) -> None:
        """The conversation is kept with its last prompt; half an answer is not."""
        said = error.sentence
        error.hint = "press Enter to ask again" if self._screen.terminal else self._again()
        if "answered 401" in said or "no key is set" in said:
            error.hint = f"export ANTHROPIC_API_KEY=... && {self._again()}"
        elif "answered 404" in said:
            error.hint = f"{self._again('model', 'base_url')} --model NAME --base-url URL"
        elif "answered 413" in said or "too long" in said:  # then it is compacted before it is sent again
            error.hint = f"{self._again('context_limit')} --context-limit {max(1, self._session.tokens // 2)}"
        if not self._screen.terminal:
            self._screen.end_line()
            raise error
        self._screen.problem(error)

    def _again(self, *without: str) -> str:
        """The command that goes on with this conversation, as it was begun: the same server, the same model."""
        given = {name: value for name, value in self._given.items() if value is not None and name not in without}
        words = [f" --{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in given.items()]
        return f"memcli chat {quoted(self._session.path)}{''.join(words)}"
