"""What the child is told when it is started: who writes, where, and how. Keys come from the environment alone."""

from __future__ import annotations

import shlex
from typing import Literal

import msgspec

from memcli.errors import Usage

DEFAULT_MODEL = "claude-haiku-5-5"


class Options(msgspec.Struct, frozen=True):
    """The summarizer's settings, as `memcli summarize` takes them on its command line.

    `backend` is decided already (never "auto"). `timeout` is in seconds for one question to a model, its retries
    included; `cache_ttl` that of cache marks; `effort` "" leaves it to the service.

    `dialect` says what a Messages API understands: "anthropic" is the whole of it, "compatible" the part that other
    servers share; "" goes by the host (api.anthropic.com speaks the whole).
    """

    backend: Literal["embedded", "anthropic", "command", "program"] = "embedded"
    model: str = ""
    base_url: str = ""
    auth_header: Literal["", "bearer", "x-api-key"] = ""
    api_version: str = ""
    dialect: Literal["", "anthropic", "compatible"] = ""
    command: str = ""
    summarizer: str = ""
    effort: str = "low"
    cache_ttl: Literal["5m", "1h"] = "5m"
    timeout: float = 120.0
    prompt_file: str = ""
    jobs: int = 4


def checked(options: Options, verb: str = "summarize") -> Options:
    """The options, if they can work. Raises Usage; `verb` is for what it says to try."""
    if options.backend == "command":
        _check_words("command", options.command, f"memcli {verb} --command 'claude -p'")
    if options.backend == "program":
        _check_words("summarizer", options.summarizer, f"memcli {verb} --summarizer ./summarizer.py")
    if options.base_url and not options.base_url.startswith(("http://", "https://")):
        server = f"memcli {verb} --backend anthropic --base-url http://localhost:11434"
        raise Usage(f"{options.base_url!r} is no http address", server)
    if options.jobs < 1 or not 0 < options.timeout <= 86_400:
        raise Usage("--jobs must be 1 or more, --timeout above 0 and at most a day", f"memcli {verb} --help")
    return options


def _check_words(name: str, command: str, example: str) -> None:
    """Raises Usage for a command line that no shell would take."""
    if not command.strip():
        raise Usage(f"this backend needs --{name}", example)
    try:
        shlex.split(command)
    except ValueError as error:
        raise Usage(f"--{name} is no command: {error}", example) from error
