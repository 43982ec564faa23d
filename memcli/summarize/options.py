"""What the child is told when it is started: who writes, where, and how. Keys come from the environment alone."""

from __future__ import annotations

from typing import Literal

import msgspec

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
