"""The Messages API, of Anthropic and of servers that speak it, through the official SDK. Nothing else imports the SDK:
it costs a second and 75 MB, so here it is imported when it is first needed.

Of the SDK we take the wire: headers, connections, the types of errors. Retrying we do ourselves, because the SDK's
retries sleep through any Retry-After, begin anew after a timeout, and cannot be woken; here `timeout` is for all
attempts together. What is retried, how often and how soon are as in the SDK, but for timeouts.

Servers that are not api.anthropic.com are asked in the part of the protocol they share ("compatible"): no
`output_config`, no cache marks; keys of theirs may be expected in `x-api-key`, or none at all.
"""

from __future__ import annotations

import os
import random
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from memcli.memory.jobs import Failure
from memcli.summarize import faults
from memcli.summarize.backends.stream import Answer, Garbled, document, estimated, events, text_of, tokens
from memcli.summarize.options import DEFAULT_MODEL
from memcli.summarize.request import Failed, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import anthropic
    import httpx2

    from memcli.summarize.options import Options
    from memcli.summarize.request import Request

OFFICIAL = "api.anthropic.com"
ATTEMPTS = 3
PATIENCE_SECONDS = 20.0
"""A longer Retry-After is reported instead of waited for."""
CONNECT_SECONDS = 5.0
COUNT_SECONDS = 10.0

# A streamed token costs about 150 bytes on the wire; an answer far beyond `max_tokens` is not worth its memory.
STREAM_BYTES = 1024 * 1024
STREAM_BYTES_A_TOKEN = 1024

_WITHOUT_EFFORT = ("claude-3", "claude-haiku-4-", "claude-sonnet-4-2", "claude-sonnet-4-5", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2")  # fmt: skip  # noqa: E501
_WHOLE = ("end_turn", "stop_sequence")
_CUT_OFF = ("max_tokens", "model_context_window_exceeded")
_KNOWN = (*_WHOLE, *_CUT_OFF, "refusal", "tool_use", "pause_turn", "compaction")


class _Again(Failed):
    """Nothing of an answer has come, and it may come if asked again: nothing is paid twice."""


class Anthropic:
    """A `Backend`. Threads share one client, which is made at the first question."""

    name = "anthropic"

    def __init__(self, options: Options) -> None:
        self.model = options.model or DEFAULT_MODEL
        self.base_url = base_url(options)
        self.host = urlsplit(self.base_url).netloc
        self.official = options.dialect == "anthropic" or (not options.dialect and self.host == OFFICIAL)
        self.structured = self.caches = self.official
        self._options = options
        self._making = threading.Lock()
        self._made: anthropic.Anthropic | None = None
        self._closed = threading.Event()
        self._counts = True

    def complete(self, request: Request) -> Reply:
        """The answer, whole; in `timeout` seconds or not at all (of a server that falls silent in the middle of its
        answer, in twice that). Raises Failed."""
        started = self._begun()
        return self._reply(request, self._persist(request, started), started)

    def converse(self, request: Request, heard: Callable[[str], object]) -> Answer:
        """The answer of a conversation: `heard` is told its text as it comes ("" with every other sign of life), and
        may raise what it likes to end it.

        An answer that was cut off or refused is one, too: its `stop` says so. Raises Failed.
        """
        answer = self._persist(request, self._begun(), heard)
        trouble = "" if answer.stop in (*_CUT_OFF, "refusal") else self._trouble(answer, request)
        if trouble:
            raise self._broken(answer, trouble)
        return answer

    def _begun(self) -> float:
        """When a question begins: once there is a client, as to import the SDK may take a slow machine longer than the
        server has."""
        self._client()
        return time.monotonic()

    def _persist(self, request: Request, started: float, heard: Callable[[str], object] = lambda _: None) -> Answer:
        """Ask until there is an answer; again only while nothing of one has come."""
        for attempt in count(1):
            try:
                return self._ask(request, started + self._options.timeout, heard)
            except _Again as again:
                wait = again.failure.retry_after or _pause(attempt)
                in_time = time.monotonic() + wait < started + self._options.timeout
                if attempt == ATTEMPTS or wait > PATIENCE_SECONDS or not in_time or self._closed.wait(wait):
                    raise
        raise AssertionError("count() ends never")

    def count(self, request: Request) -> int:
        """Tokens of the prompt: counted by the service, estimated where it does not count. Never fails."""
        if self._counts:
            try:
                counted = self._client().messages.count_tokens(**self._prompt(request), timeout=COUNT_SECONDS)
                return int(counted.input_tokens)
            except Exception as error:  # noqa: BLE001  # whatever it is, an estimate will do
                self._counts = getattr(error, "status_code", 0) not in (404, 405, 501)
        return tokens(request.characters)

    def close(self) -> None:
        """Wake who waits for a retry, and end the connections."""
        self._closed.set()
        if self._made is not None:
            self._made.close()

    def body(self, request: Request) -> dict[str, Any]:
        """The request as this server understands it."""
        body = self._prompt(request) | {"max_tokens": request.max_tokens, "stream": True}
        config: dict[str, Any] = {}
        if self._options.effort and not self.model.startswith(_WITHOUT_EFFORT):
            config["effort"] = self._options.effort
        if request.schema is not None:
            config["format"] = {"type": "json_schema", "schema": request.schema}
        return body | {"output_config": config} if config and self.official else body

    def _prompt(self, request: Request) -> dict[str, Any]:
        prompt = {"model": self.model, "messages": list(request.messages)}
        return prompt | {"system": request.system} if request.system else prompt

    # ------------------------------------------------------------------ the wire

    def _client(self) -> anthropic.Anthropic:
        with self._making:  # two threads importing at once would only wait for each other
            if self._made is None:
                self._made = _client(self._options, self.base_url, required=self.host == OFFICIAL)
            return self._made

    def _ask(self, request: Request, deadline: float, heard: Callable[[str], object]) -> Answer:
        client = self._client()
        import anthropic
        import httpx2  # the SDK's transport, whose errors come as they are where the body of an error is read

        left = max(1.0, deadline - time.monotonic())
        try:
            timeout = anthropic.Timeout(left, connect=min(left, CONNECT_SECONDS))
            stream = client.messages.create(**self.body(request), timeout=timeout)
        except anthropic.APIStatusError as error:
            raise self._refused(error) from error
        except (anthropic.APITimeoutError, httpx2.TimeoutException) as error:
            raise Failed(Failure(f"{self.host} did not answer within {left:.0f} s")) from error
        except anthropic.APIConnectionError as error:
            reason = faults.one_line(str(error.__cause__ or error))
            raise _Again(Failure(f"{self.host} cannot be reached: {reason}")) from error
        except httpx2.HTTPError as error:
            raise _Again(Failure(f"{self.host} broke off: {faults.one_line(str(error))}")) from error
        with stream:
            return self._read(stream.response, deadline, request.max_tokens, heard)

    def _refused(self, error: anthropic.APIStatusError) -> Failed:
        """An error status; one that may be gone in a moment as `_Again`."""
        headers = error.response.headers
        body = error.body if isinstance(error.body, dict) else {}
        said = body.get("error")
        failure = faults.refused(
            self.host,
            error.status_code,
            said if isinstance(said, dict) else {"message": error.response.reason_phrase},
            after=faults.retry_after(headers, time.time()),
            official=self.official,
        )
        final = failure.permanent or headers.get("x-should-retry") == "false"
        return Failed(failure) if final else _Again(failure)

    def _read(
        self, response: httpx2.Response, deadline: float, max_tokens: int, heard: Callable[[str], object]
    ) -> Answer:
        import httpx2  # the SDK's transport: while a stream is read, its errors come through as they are

        answer = Answer()
        chunks = _bounded(response, deadline, STREAM_BYTES + STREAM_BYTES_A_TOKEN * max_tokens)
        try:
            if "json" in response.headers.get("content-type", ""):
                answer.whole(document(chunks))
                heard(answer.text)
            else:
                for event in events(chunks):
                    answer.take(event)
                    heard(text_of(event))
                    if answer.ended or answer.error is not None:
                        break
        except (httpx2.TimeoutException, TimeoutError) as error:
            raise self._broken(answer, "took longer than it had") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise self._broken(answer, f"broke off: {faults.one_line(str(error))}") from error
        except (Garbled, OverflowError) as error:
            raise self._broken(answer, f"gave no usable answer: {error}") from error
        if answer.error is not None:
            failure = faults.broken_off(self.host, answer.error)
            raise self._failed(answer, failure) if answer.began or failure.permanent else _Again(failure)
        return answer

    # ------------------------------------------------------------------ what came

    def _reply(self, request: Request, answer: Answer, started: float) -> Reply:
        usage = answer.usage(self._options.cache_ttl)
        if not usage.prompt_tokens and not usage.output_tokens:
            usage = msgspec.structs.replace(estimated(request.characters, answer.text), cost=usage.cost)
        trouble = self._trouble(answer, request)
        if trouble:
            ended = bool(answer.stop)  # else it is the connection's fault, or the server's
            raise Failed(Failure(f"{self.host} {trouble}", own=ended), usage, answer.model or self.model)
        took = round((time.monotonic() - started) * 1000)
        return Reply(answer.text, answer.model or self.model, usage, took, answer.stop)

    def _trouble(self, answer: Answer, request: Request) -> str:
        """Why an answer that came to its end is none; "" if it is one."""
        stop = answer.stop
        if stop in _CUT_OFF:
            return f"cut the answer off ({stop}, at most {request.max_tokens:,} tokens)"
        if stop == "refusal":
            return "refused to answer"
        # Other servers leave the stop reason out, or have their own.
        lenient = not self.official and stop not in _KNOWN and (stop or answer.ended)
        if stop not in _WHOLE and not lenient:
            return f"stopped for another reason: {faults.one_line(stop)}" if stop else "ended before the answer did"
        return "" if answer.text.strip() else "gave an empty answer"

    def _broken(self, answer: Answer, how: str) -> Failed:
        return self._failed(answer, Failure(f"{self.host} {how}"))

    def _failed(self, answer: Answer, failure: Failure) -> Failed:
        usage = answer.usage(self._options.cache_ttl) if answer.began else None
        return Failed(failure, usage, answer.model or self.model)


def base_url(options: Options) -> str:
    """Where the API is: the option, else ANTHROPIC_BASE_URL, else Anthropic's own. The SDK adds `/v1/messages`; who
    gives the address with `/v1` means the same."""
    url = options.base_url or os.environ.get("ANTHROPIC_BASE_URL") or f"https://{OFFICIAL}"
    return url.rstrip("/").removesuffix("/v1")


def key() -> str:
    """The key of the environment, ANTHROPIC_API_KEY before ANTHROPIC_AUTH_TOKEN; "" if there is none."""
    return (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN") or "").strip()


def _client(options: Options, url: str, *, required: bool) -> anthropic.Anthropic:
    """A client that takes nothing from profiles on disk: the key is given, and `omit` where there is none."""
    if required and not key():
        raise Failed(Failure("no key is set (ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN)", permanent=True))
    import anthropic

    headers: dict[str, Any] = {}
    if not key() or options.auth_header == "x-api-key":
        headers["Authorization"] = anthropic.omit
    if key() and options.auth_header == "x-api-key":
        headers["x-api-key"] = key()
    if options.api_version:
        headers["anthropic-version"] = options.api_version
    return anthropic.Anthropic(
        api_key=key() or "none", base_url=url, max_retries=0, default_headers=headers, open_telemetry=False
    )


def _bounded(response: httpx2.Response, deadline: float, most: int) -> Iterator[bytes]:
    """The bytes of an answer, as long as there is time and room. Raises TimeoutError, OverflowError."""
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError
        if size > most:
            raise OverflowError(f"it is longer than {most:,} bytes")
        yield chunk


def _pause(attempt: int) -> float:
    """Seconds before the next attempt where the server tells none, as in the SDK: 0.5 · 2ⁿ up to 8, less up to 25 %."""
    return min(0.5 * 2.0 ** (attempt - 1), 8.0) * (1 - 0.25 * random.random())  # noqa: S311  # no secret
