"""Every misbehaviour the suite's own Messages API knows, met by the backend with the manners of the real service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.summarize.backends.anthropic import Anthropic
from memcli.summarize.options import Options
from memcli.summarize.request import Failed, Reply, Request
from tests.builders import PATIENCE
from tests.messages_api import Server
from tests.messages_api.answers import Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = Request("Write well.", ({"role": "user", "content": "The mill turns. The dam is mended. " * 20},), 500)


def complete(server: Server, *script: str, timeout: float = PATIENCE) -> Reply | Failed:
    """What one question comes to when the server does this."""
    server.script(*script)
    options = Options(backend="anthropic", base_url=server.url, dialect="anthropic", timeout=timeout)
    made = Anthropic(options)
    try:
        return made.complete(REQUEST)
    except Failed as failed:
        return failed
    finally:
        made.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """The suite's own, that says the same whatever it is asked."""
    with Server(Fixed("The mill turns again. " * 20)) as started:
        yield started


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")


@pytest.mark.parametrize(
    "word", ["ok", "thinking", "unknown-block", "drip=0.2", "429=0", "408", "409", "500", "504", "529", "drop"]
)
def test_what_passes_is_waited_for_and_answered(server: Server, word: str) -> None:
    reply = complete(server, word)
    assert isinstance(reply, Reply)
    assert reply.text.strip()
    assert not reply.usage.estimated


@pytest.mark.parametrize("word", ["400", "401", "402", "403", "404", "404-page", "413", "429-bare", "429-spend"])
def test_what_will_not_pass_is_asked_once_and_never_again(server: Server, word: str) -> None:
    failed = complete(server, word)
    assert isinstance(failed, Failed)
    assert failed.failure.permanent
    assert failed.usage is None
    assert server.log.count == 1


@pytest.mark.parametrize("word", ["429=60", "no-retry", "500*3"])
def test_what_may_pass_later_is_left_for_later(server: Server, word: str) -> None:
    failed = complete(server, word)
    assert isinstance(failed, Failed)
    assert not failed.failure.permanent
    assert failed.failure.retry_after == (60.0 if word == "429=60" else None)


BROKEN = ["cut", "mid-stream", "half-body", "refusal", "max_tokens", "pause_turn", "context", "unknown-stop", "no-stop"]


@pytest.mark.parametrize("word", [*BROKEN, "empty", "whitespace", "huge"])
def test_what_was_paid_for_and_is_no_answer_is_billed_and_not_asked_again(server: Server, word: str) -> None:
    failed = complete(server, word)
    assert isinstance(failed, Failed)
    assert not failed.failure.permanent
    assert failed.usage
    assert failed.usage.prompt_tokens
    assert server.log.count == 1


def test_usage_that_is_not_told_is_estimated_and_says_so(server: Server) -> None:
    reply = complete(server, "no-usage")
    assert isinstance(reply, Reply)
    assert reply.usage.estimated
    assert reply.usage.input_tokens == pytest.approx(REQUEST.characters / 2.7, abs=1)


@pytest.mark.parametrize("word", ["hang", "slow=60"])
def test_a_server_that_does_not_answer_is_left_in_time(server: Server, word: str) -> None:
    failed = complete(server, word, timeout=1.0)
    assert isinstance(failed, Failed)
    assert "did not answer within 1 s" in failed.failure.sentence
