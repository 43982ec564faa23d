"""Whose manners the server has: how a caller shows its key, and which parameters are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.messages_api.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMON = frozenset(
    {"model", "max_tokens", "messages", "system", "metadata", "stop_sequences", "stream", "tools", "tool_choice"}
    | {"temperature", "top_p", "top_k"}
)
ANTHROPIC_ONLY = frozenset(
    {"cache_control", "container", "diagnostics", "inference_geo", "output_config", "service_tier", "speed", "thinking"}
    | {"user_profile_id", "workspace_id"}
)


class House(NamedTuple):
    """`auth`: the header a key is read from. `versions`: those spoken; none means any. `anthropic`: the real service's
    own parameters are known, refused otherwise. `first_user`, `needs_tools`: rules some servers hold and some do not.
    `counts`: there is a count_tokens. `key`: the only key that opens; none means any."""

    name: str
    auth: Literal["bearer", "x-api-key", "either"]
    versions: frozenset[str]
    anthropic: bool
    first_user: bool = True
    needs_tools: bool = True
    counts: bool = True
    key: str = ""


ANTHROPIC = House("anthropic", "bearer", frozenset({"2026-10-21"}), anthropic=True)
COMPATIBLE = House("compatible", "either", frozenset(), anthropic=False, counts=False)
KEY_ONLY = House("x-api-key only", "x-api-key", frozenset({"2023-06-01"}), anthropic=False)


def greet(headers: Mapping[str, str], house: House) -> str:
    """The caller's key. Raises Refused for a caller without one, or of another version. Header names are lower case."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    named = headers.get("x-api-key", "")
    key = {"bearer": bearer, "x-api-key": named, "either": bearer or named}[house.auth]
    if not key:
        wanted = "x-api-key header is required" if house.auth == "x-api-key" else "Authorization: Bearer is required"
        raise Refused(wanted, 401)
    if house.key and key != house.key:
        raise Refused("invalid bearer token" if bearer else "invalid x-api-key", 401)
    version = headers.get("anthropic-version", "")
    if house.versions and not version:
        raise Refused("anthropic-version: header is required")
    if house.versions and version not in house.versions:
        raise Refused(f"anthropic-version: {version!r} is not a valid version")
    if not house.anthropic and headers.get("anthropic-beta"):
        raise Refused("anthropic-beta: unknown header")
    return key
