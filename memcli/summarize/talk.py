"""`python -m memcli.summarize.talk OPTIONS`: the child of `memcli chat`, which alone has the SDK. JSON lines both ways.

    chat ── Ask ────►  child     {"ask":1,"messages":[…],"max_tokens":8192}
    chat ◄─ Said ───── child     {"ask":1,"text":"a piece"}                             (as they come)
    chat ◄─ Said ───── child     {"ask":1,"end":{"stop":"end_turn","model":"…","usage":{…}}}
    chat ◄─ Said ───── child     {"ask":1,"failed":"a sentence","permanent":false}
    chat ── Ask ────►  child     {"ask":1,"stop":true}                                  (no more of this answer)

Every question ends with one `end` or `failed`, unless it was stopped. One is asked at a time; the SDK is imported while
the person still types. When our stdin ends we end at once: nobody reads what would come.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Any

import msgspec

from memcli import edge
from memcli.memory.jobs import Usage
from memcli.summarize import faults
from memcli.summarize.backends.anthropic import Anthropic
from memcli.summarize.early import import_early
from memcli.summarize.options import Options
from memcli.summarize.request import Failed, Request

HALVES = ("\ud800", "\udbff")
"""First halves of a character beyond U+FFFF, from the first to the last."""


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question, or with `stop` the wish to hear no more of its answer."""

    ask: int
    messages: list[dict[str, Any]] = []
    max_tokens: int = 0
    stop: bool = False


class End(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an answer ended: the API's stop reason, who answered, and what was billed."""

    stop: str = ""
    model: str = ""
    usage: Usage = Usage()


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of an answer, its end, or why there is none."""

    ask: int
    text: str = ""
    end: End | None = None
    failed: str = ""
    permanent: bool = False


class _Stopped(Exception):
    """Nobody wants the rest of this answer."""


class _Talk:
    """Questions in, answers out, one thread a question."""

    def __init__(self, backend: Anthropic, ttl: str) -> None:
        self._backend = backend
        self._ttl = ttl
        self._wanted = 0
        self._printing = threading.Lock()

    def hear(self, line: bytes) -> None:
        """A line of our stdin."""
        ask = msgspec.json.decode(line, type=Ask)
        self._wanted = 0 if ask.stop else ask.ask
        if not ask.stop:
            threading.Thread(target=self._answer, args=(ask,), daemon=True).start()

    def _answer(self, ask: Ask) -> None:
        half = ""

        def heard(text: str) -> None:
            nonlocal half
            if self._wanted != ask.ask:
                raise _Stopped
            text, half = half + text, ""
            if text and HALVES[0] <= text[-1] <= HALVES[1]:
                text, half = text[:-1], text[-1]
            if text:
                self._say(Said(ask.ask, text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")))

        messages = _marked(ask.messages, self._ttl) if self._backend.caches else ask.messages
        try:
            answer = self._backend.converse(Request("", tuple(messages), ask.max_tokens), heard)
        except _Stopped:
            return
        except Failed as error:
            self._say(Said(ask.ask, failed=error.failure.sentence, permanent=error.failure.permanent))
        except Exception as error:  # noqa: BLE001  # whatever it is, who waits must hear of it
            self._say(Said(ask.ask, failed=faults.one_line(f"{type(error).__name__}: {error}"), permanent=True))
        else:
            self._say(Said(ask.ask, end=End(answer.stop, answer.model, answer.usage(self._ttl))))

    def _say(self, said: Said) -> None:
        if said.ask == self._wanted:
            with self._printing, suppress(BrokenPipeError):
                sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
                sys.stdout.buffer.flush()


def _marked(messages: list[dict[str, Any]], ttl: str) -> list[dict[str, Any]]:
    """The same, with a mark for the prompt cache at the end: the next question reads what this one wrote."""
    *before, last = messages
    content = last["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    mark = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    return [*before, {**last, "content": [*blocks[:-1], {**blocks[-1], "cache_control": mark}]}]


def main() -> int:
    """Never returns: threads that wait for a model would trouble the interpreter's own end."""
    options = msgspec.json.decode(sys.argv[1], type=Options)
    talk = _Talk(Anthropic(options), options.cache_ttl)
    import_early()
    for line in sys.stdin.buffer:
        talk.hear(line)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(edge.run(main))
