"""The models the server plays: what each accepts, and from how many tokens on it caches.

Source: the model, prompt caching and thinking pages as of November 2026. Prices are not here: memcli has them.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.messages_api.refused import Refused


class Model(NamedTuple):
    """One model. `weight` is tokens per text against the older tokenizer; `thinking` the modes it takes, the default
    first; `binds`: its thinking blocks belong to the conversation they were written in."""

    name: str
    cache_minimum: int
    context: int
    max_output: int
    weight: float
    thinking: tuple[str, ...]
    effort: bool = True
    prefill: bool = False
    sampling: bool = False
    binds: bool = True
    system_role: bool = False
    forced_tools: bool = True

    @property
    def thinks(self) -> bool:
        """Unless it is told otherwise."""
        return self.thinking[0] == "adaptive"


_OLD = ("disabled", "enabled")
MODELS = (
    Model("claude-haiku-5-5", 512, 1_000_000, 128_000, 1.3, ("adaptive", "disabled")),
    Model(
        "claude-haiku-4-5", 4_096, 200_000, 64_000, 1.0, _OLD, effort=False, prefill=True, sampling=True, binds=False
    ),
    Model("claude-sonnet-5-5", 512, 1_000_000, 128_000, 1.3, ("adaptive", "between_tools"), forced_tools=False),
    Model("claude-sonnet-5", 1_024, 1_000_000, 128_000, 1.3, ("adaptive", "disabled"), binds=False),
    Model("claude-sonnet-4-6", 1_024, 200_000, 64_000, 1.0, (*_OLD, "adaptive"), sampling=True, binds=False),
    Model(
        "claude-sonnet-4-5", 1_024, 200_000, 64_000, 1.0, _OLD, effort=False, prefill=True, sampling=True, binds=False
    ),
    Model("claude-opus-5-5", 512, 1_000_000, 128_000, 1.3, ("adaptive",), system_role=True, forced_tools=False),
    Model("claude-fable-5-2", 512, 1_000_000, 128_000, 1.3, ("adaptive",), system_role=True, forced_tools=False),
    Model("claude-fable-5-1", 512, 1_000_000, 128_000, 1.3, ("adaptive",), system_role=True, forced_tools=False),
)


def model_named(name: str, *, known_only: bool) -> Model:
    """The model of that name, a date behind it allowed. A compatible server serves any name, and caches nothing."""
    for model in MODELS:
        rest = name.removeprefix(model.name)
        if rest == "" or (rest != name and rest[1:].isdigit()):
            return model
    if known_only:
        raise Refused(f"model: {name}", 404)
    return Model(name, 1 << 60, 128_000, 32_000, 1.0, ("disabled",), prefill=True, sampling=True, binds=False)
