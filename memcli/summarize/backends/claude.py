"""`claude -p` as a writer: one request, and no trace of it.

Left to itself the client runs the user's hooks (ours may be among them: it would go round in circles), reads their
instructions, offers tools, thinks at length, and leaves a session behind that looks like one of the user's. What is
missing on the command line to prevent this is added; what the user wrote there stays.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from memcli.memory.jobs import Failure, Usage
from memcli.summarize import faults
from memcli.summarize.backends.processes import last_line
from memcli.summarize.backends.stream import Answer, dollars
from memcli.summarize.request import Failed, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memcli.summarize.backends.processes import Output
    from memcli.summarize.request import Request

NAMES = ("claude", "@anthropic-ai/claude-code")
PRINT = ("-p", "--print")
SYSTEM = "You are given a task as text. Answer it with text alone."
SYSTEM_BYTES = 100_000
"""One argument may have 128 KiB on Linux; a longer system prompt goes before the prompt."""
STDIN_BYTES = 10_000_000
"""The client refuses more."""

_CLEAN = (
    ("--tools", ""),
    ("--setting-sources", ""),
    ("--strict-mcp-config", None),
    ("--no-session-persistence", None),
    ("--output-format", "json"),
)


class Call(NamedTuple):
    """How the client is to be called; `json`: it will answer its JSON object, not text."""

    argv: list[str]
    environment: dict[str, str]
    stdin: str
    json: bool


def is_one_shot(words: Sequence[str]) -> bool:
    """Whether these words call the client to print one answer."""
    place = next((place for place, word in enumerate(words) if _is_client(word)), None)
    return place is not None and any(word in PRINT for word in words[place:])


def call(words: Sequence[str], request: Request, model: str) -> Call:
    """The clean one-shot call of these words with this request. Raises Failed for a prompt that the client refuses."""
    system, stdin = request.system or SYSTEM, request.without_system
    if len(system.encode("utf-8", "replace")) > SYSTEM_BYTES or _has(words, "--system-prompt"):
        system, stdin = SYSTEM, request.text
    if len(stdin.encode("utf-8", "replace")) > STDIN_BYTES:
        raise Failed(Failure(f"claude takes at most {STDIN_BYTES:,} bytes of prompt", own=True), model=model)
    wanted = [*_CLEAN, ("--system-prompt", system), *([("--model", model)] if model else [])]
    added = [part for flag, value in wanted if not _has(words, flag) for part in (flag, value) if part is not None]
    environment = {
        "MAX_THINKING_TOKENS": "0",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(request.max_tokens),
        "CLAUDE_CODE_MAX_RETRIES": os.environ.get("CLAUDE_CODE_MAX_RETRIES", "2"),
    }
    return Call([*words, *added], environment, stdin, json=_format(words) == "json")


def reply(output: Output, model: str, started: float) -> Reply:
    """What the client's JSON object says. Raises Failed for an error, and for what is no such object."""
    said = _result(output.out)
    if said is None:
        why = last_line(output.err) or last_line(output.out) or "no reason"
        raise Failed(Failure(faults.one_line(f"claude ended with exit code {output.code}: {why}")), model=model)
    used = _model(said) or model
    usage, text = _usage(said), str(said.get("result") or "")
    billed = usage if usage.prompt_tokens or usage.output_tokens else None
    if said.get("is_error") or output.code:
        raise Failed(_failure(said, text), billed, used)
    trouble = _trouble(said, text)
    if trouble:
        raise Failed(Failure(faults.one_line(f"claude {trouble}"), own=True), billed, used)
    took = round((time.monotonic() - started) * 1000)
    return Reply(text, used, usage, took, str(said.get("stop_reason") or ""))


def _is_client(word: str) -> bool:
    return os.path.basename(word) == NAMES[0] or word == NAMES[1] or word.startswith(f"{NAMES[1]}@")


def _has(words: Sequence[str], flag: str) -> bool:
    return any(word == flag or word.startswith(f"{flag}=") for word in words)


def _format(words: Sequence[str]) -> str:
    """The output format these words ask for; ours is JSON."""
    flag = "--output-format"
    for place, word in enumerate(words):
        if word == flag:
            return next(iter(words[place + 1 :]), "")
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return "json"


def _result(out: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(out)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.get("type") == "result" else None


def _failure(said: dict[str, Any], text: str) -> Failure:
    status = said.get("api_error_status")
    why = text or str(said.get("subtype") or "no reason")
    over = str(said.get("subtype", "")).startswith("error_max_budget")
    told = f"claude failed ({status}): {why}" if status else f"claude failed: {why}"
    return Failure(faults.one_line(told), permanent=over or status in faults.PERMANENT)


def _trouble(said: dict[str, Any], text: str) -> str:
    stop = said.get("stop_reason")
    if stop in ("max_tokens", "model_context_window_exceeded"):
        return f"cut the answer off ({stop})"
    if stop == "refusal":
        return "refused to answer"
    return "" if text.strip() else "gave an empty answer"


def _model(said: dict[str, Any]) -> str:
    """The model that wrote most: the client may ask a smaller one for small things."""
    models = said.get("modelUsage")
    if not isinstance(models, dict) or not models:
        return ""
    return str(max(models, key=lambda name: _output(models[name])))


def _output(use: object) -> int:
    count = use.get("outputTokens") if isinstance(use, dict) else 0
    return count if isinstance(count, int) else 0


def _usage(said: dict[str, Any]) -> Usage:
    answer = Answer()
    answer.take({"type": "message_delta", "usage": said.get("usage")})
    # The client reckons 0 dollars for a model whose price it does not know.
    return msgspec.structs.replace(answer.usage("5m"), cost=dollars(said.get("total_cost_usd")) or None)
