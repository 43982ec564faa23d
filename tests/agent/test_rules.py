"""What a caller's settings come to where the context is small."""

from __future__ import annotations

import pytest

from memcli.agent.rules import rules
from memcli.settings import KEYS


def scaled(**given: object) -> dict[str, object]:
    triggers = rules({"backend": "embedded", **given}).triggers
    return {name: getattr(triggers, name) for name in ("budget", "init_tokens", "update_tokens")}


def test_a_small_context_has_small_thresholds() -> None:
    assert scaled(context_limit=12_000) == {"budget": 3_000, "init_tokens": 6_000, "update_tokens": 3_000}


def test_what_the_user_set_stays() -> None:
    assert scaled(context_limit=12_000, budget=5_000)["budget"] == 5_000


@pytest.mark.parametrize("name", ["budget", "update_tokens"])
def test_no_threshold_is_below_what_its_setting_may_be(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scaled(context_limit=1)[name] == KEYS[name].least
    monkeypatch.setitem(KEYS, name, KEYS[name]._replace(least=2_345))
    assert scaled(context_limit=1)[name] == 2_345
