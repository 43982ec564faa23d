"""The Messages API, through the real SDK against a real server on loopback."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from memcli.memory.jobs import Usage
from memcli.summarize.backends.anthropic import Anthropic
from memcli.summarize.options import Options
from memcli.summarize.request import Failed, Request
from tests.builders import LIMITS
from tests.summarize.wire import (
    Answer,
    document,
    error,
    event,
    good,
    serving,
    start,
    stop,
    streamed,
    text,
)

if TYPE_CHECKING:
    from tests.summarize.wire import Wire

SCHEMA = {"type": "object", "properties": {"edits": {"type": "array"}}}
REQUEST = Request("Write well.", ({"role": "user", "content": "The mill."},), 500, SCHEMA)


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")


def backend(wire: Wire, **options: Any) -> Anthropic:
    return Anthropic(Options(backend="anthropic", base_url=wire.url, **{"dialect": "anthropic"} | options))


def failed(answer: Answer, **options: Any) -> Failed:
    """How one question fails that is answered so, always."""
    with serving(answer) as wire:
        made = backend(wire, **options)
        with pytest.raises(Failed) as caught:
            made.complete(REQUEST)
        made.close()
    return caught.value


def asked_with(**options: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of one request."""
    with serving(good()) as wire:
        made = backend(wire, **options)
        made.complete(REQUEST)
        made.close()
    return wire.asked[0].headers, wire.asked[0].body


# ------------------------------------------------------------------ what is sent


def test_the_request_to_anthropic_is_this_and_nothing_else() -> None:
    headers, body = asked_with()

    assert body == {
        "model": "claude-haiku-5-5",
        "max_tokens": 500,
        "system": "Write well.",
        "messages": [{"role": "user", "content": "The mill."}],
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        "stream": True,
    }
    assert headers["authorization"] == "Bearer key-of-the-test"
    assert headers["anthropic-version"] == "2026-10-21"
    assert not {"x-api-key", "anthropic-beta", "traceparent"} & set(headers)


def test_a_compatible_server_is_sent_nothing_that_only_anthropic_understands() -> None:
    _, body = asked_with(dialect="", model="qwen3")
    assert set(body) == {"model", "max_tokens", "system", "messages", "stream"}


def test_only_the_host_of_anthropic_is_taken_for_it() -> None:
    official = Anthropic(Options(backend="anthropic"))
    other = Anthropic(Options(backend="anthropic", base_url="https://api.anthropic.com.example.org"))
    assert (official.official, official.structured, official.caches) == (True, True, True)
    assert (other.official, other.structured, other.caches) == (False, False, False)


def test_the_key_can_go_where_a_gateway_wants_it() -> None:
    headers, _ = asked_with(auth_header="x-api-key", api_version="2023-06-01")
    assert headers["x-api-key"] == "key-of-the-test"
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers


def test_a_token_is_taken_where_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", " a-token\n")
    assert asked_with()[0]["authorization"] == "Bearer a-token"


def test_without_a_key_a_server_of_ones_own_is_asked_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    headers, _ = asked_with(dialect="")
    assert not {"authorization", "x-api-key"} & set(headers)


def test_without_a_key_anthropic_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(Failed, match="no key is set") as caught:
        Anthropic(Options(backend="anthropic")).complete(REQUEST)
    assert caught.value.failure.permanent


def test_headers_of_the_environment_are_sent_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-team: millers\nx-more: 1")
    headers, _ = asked_with()
    assert (headers["x-team"], headers["x-more"]) == ("millers", "1")


def test_the_address_is_that_of_the_option_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/api/v1/")
    assert Anthropic(Options(backend="anthropic")).base_url == "http://127.0.0.1:9/api"
    assert Anthropic(Options(backend="anthropic", base_url="http://h:1/")).base_url == "http://h:1"


def test_an_address_with_a_path_and_a_version_reaches_the_same_place() -> None:
    with serving(good()) as wire:
        wire.url += "/gateway/v1"
        made = backend(wire)
        made.complete(REQUEST)
        made.close()
    assert wire.asked[0].path == "/gateway/v1/messages"


@pytest.mark.parametrize(("model", "effort"), [("claude-haiku-4-5", "low"), ("claude-haiku-5-5", "")])
def test_effort_is_not_sent_to_a_model_without_it_nor_if_it_is_left_open(model: str, effort: str) -> None:
    _, body = asked_with(model=model, effort=effort)
    assert set(body["output_config"]) == {"format"}


# ------------------------------------------------------------------ what comes


def test_an_answer_is_its_text_blocks_whatever_stands_between_them() -> None:
    thought = event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "hm"})
    thought += event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "the dam"})
    with serving(streamed(start(), thought, text("It ", "is ", index=1), text("done.", index=2), stop())) as wire:
        made = backend(wire)
        reply = made.complete(REQUEST)
        made.close()
    assert (reply.text, reply.model, reply.stop) == ("It is done.", "claude-haiku-5-5", "end_turn")
    assert 0 <= reply.milliseconds < 60_000


def test_usage_is_told_with_all_its_fields() -> None:
    begun = start(
        cache_read_input_tokens=70,
        cache_creation_input_tokens=9,
        cache_creation={"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
    )
    with serving(streamed(begun, text("Yes."), stop(output_tokens_details={"thinking_tokens": 7}))) as wire:
        made = backend(wire)
        usage = made.complete(REQUEST).usage
        made.close()
    assert usage == Usage(900, 70, 4, 5, 40, 7, "standard")


def test_a_server_that_does_not_stream_is_understood() -> None:
    message = {"type": "message", "model": "qwen3", "content": [{"type": "text", "text": "Yes."}], "usage": None}
    with serving(document(message)) as wire:
        made = backend(wire, dialect="")
        reply = made.complete(REQUEST)
        made.close()
    assert (reply.text, reply.model) == ("Yes.", "qwen3")
    assert reply.usage.estimated
    assert reply.usage.input_tokens
    assert reply.usage.output_tokens


def test_of_a_compatible_server_another_stop_reason_or_none_is_accepted() -> None:
    for reason in (None, "eos"):
        with serving(streamed(start(), text("Yes."), stop(reason))) as wire:
            made = backend(wire, dialect="")
            assert made.complete(REQUEST).text == "Yes."
            made.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (streamed(start(), text("Half of"), stop("max_tokens")), "cut the answer off (max_tokens, at most 500 tokens)"),
        (streamed(start(), text("Half of"), stop("model_context_window_exceeded")), "cut the answer off"),
        (streamed(start(), stop("refusal")), "refused to answer"),
        (streamed(start(), stop()), "gave an empty answer"),
        (streamed(start(), text(" \n"), stop()), "gave an empty answer"),
        (streamed(start(), text("Let me"), stop("pause_turn")), "stopped for another reason: pause_turn"),
        (streamed(start(), text("Let me"), stop("tool_use")), "stopped for another reason: tool_use"),
        (streamed(start(), text("Hm"), stop("moonrise")), "stopped for another reason: moonrise"),
        (streamed(start(), text("Half of")), "ended before the answer did"),
    ],
)
def test_what_is_no_whole_answer_fails_for_now_and_is_billed(answer: Answer, why: str) -> None:
    caught = failed(answer)
    assert why in caught.failure.sentence
    assert not caught.failure.permanent
    assert caught.failure.own == (why != "ended before the answer did")  # a connection that breaks is nobody's own
    assert caught.usage
    assert caught.usage.input_tokens == 900
    assert caught.model == "claude-haiku-5-5"


def test_a_stream_that_breaks_off_is_billed_and_not_asked_again() -> None:
    with serving(Answer(start() + text("Half of"), cut=True)) as wire:
        made = backend(wire)
        with pytest.raises(Failed, match="broke off") as caught:
            made.complete(REQUEST)
        made.close()
    assert len(wire.asked) == 1
    assert caught.value.usage


@pytest.mark.parametrize(("kind", "permanent"), [("overloaded_error", False), ("invalid_request_error", True)])
def test_an_error_in_the_middle_of_an_answer_is_told_apart_by_its_type(kind: str, permanent: bool) -> None:
    broken = event("error", error={"type": kind, "message": "no"})
    caught = failed(streamed(start(), text("Half of"), broken))
    assert kind in caught.failure.sentence
    assert (caught.failure.permanent, caught.usage is not None) == (permanent, True)


@pytest.mark.parametrize("body", [b"data: {half\n\n", b"data: [1]\n\n", b"<html>no</html>"])
def test_what_is_no_answer_at_all_fails(body: bytes) -> None:
    assert not failed(Answer(body)).failure.permanent


def test_an_answer_without_end_is_not_held_in_memory() -> None:
    endless = streamed(start(), *[text("and so on " * 10_000)] * 30, stop())
    assert "longer than" in failed(endless).failure.sentence


# ------------------------------------------------------------------ faults

FAULTS: list[tuple[Answer, bool, float | None, int]] = [
    # answer, permanent, retry_after, how often it was asked
    *[(error(status), True, None, 1) for status in (400, 401, 402, 403, 404, 413, 422)],
    (error(429, "rate_limit_error"), True, None, 1),
    (error(429, "rate_limit_error", ("retry-after", "1"), error_code="enforced_spend_limit_reached"), True, 1.0, 1),
    (error(429, "rate_limit_error", ("retry-after", "21")), False, 21.0, 1),
    (error(429, "rate_limit_error", ("retry-after-ms", "10")), False, 0.01, 3),
    (error(529, "overloaded_error", ("retry-after", "0.01")), False, 0.01, 3),
    (error(500, "api_error", ("x-should-retry", "false")), False, None, 1),
    (error(503, "api_error", ("retry-after", "3600")), False, 3600.0, 1),
]


@pytest.mark.parametrize(("answer", "permanent", "after", "times"), FAULTS)
def test_each_status_is_permanent_or_not_and_asked_again_or_not(
    answer: Answer, permanent: bool, after: float | None, times: int
) -> None:
    with serving(answer) as wire:
        made = backend(wire)
        with pytest.raises(Failed) as caught:
            made.complete(REQUEST)
        made.close()
    found = caught.value.failure
    assert (found.permanent, found.retry_after, len(wire.asked)) == (permanent, after, times)
    assert found.own == (answer.status in (400, 413, 422))
    assert f"answered {answer.status}" in found.sentence
    assert caught.value.usage is None


def test_of_a_compatible_server_a_429_without_retry_after_is_no_spend_cap() -> None:
    with serving(error(429), good()) as wire:
        made = backend(wire, dialect="")
        assert made.complete(REQUEST).text == "It is mended."
        made.close()


def test_what_fails_once_is_asked_again_and_answered() -> None:
    with serving(error(529, "overloaded_error", ("retry-after-ms", "1")), good()) as wire:
        made = backend(wire)
        assert made.complete(REQUEST).text == "It is mended."
        made.close()
    assert len(wire.asked) == 2


def test_an_error_that_breaks_off_is_a_transient_fault_and_asked_again() -> None:
    with serving(error(529)._replace(cut=True), good()) as wire:
        made = backend(wire)
        assert made.complete(REQUEST).text == "It is mended."
        made.close()
    assert len(wire.asked) == 2


def test_an_error_page_of_a_gateway_is_one_short_line_without_its_secrets() -> None:
    page = Answer(b"<html>" + b"x" * 9_999, 404, (("content-type", "text/html"),))
    assert failed(page).failure.sentence.endswith("answered 404 Not Found")
    leaky = document({"error": {"message": "bad key sk-ant-api03-" + "aB3x" * 20 + "\nsecond line"}}, 401)
    sentence = failed(leaky).failure.sentence
    assert "aB3x" not in sentence
    assert "\n" not in sentence


def test_a_server_that_is_not_there_is_a_transient_fault() -> None:
    made = Anthropic(Options(backend="anthropic", base_url="http://127.0.0.1:9", timeout=1.0))
    with pytest.raises(Failed, match="cannot be reached") as caught:
        made.complete(REQUEST)
    assert not caught.value.failure.permanent


@pytest.mark.parametrize("answer", [Answer(b""), Answer(start() + text("Half of")), error(529)])
def test_a_server_that_falls_silent_is_left_in_time_and_asked_once(answer: Answer) -> None:
    for seconds in LIMITS:
        with serving(answer._replace(hold=True)) as wire:
            made = backend(wire, timeout=seconds)
            with pytest.raises(Failed, match=r"did not answer within|took longer than it had"):
                made.complete(REQUEST)
            made.close()
        if wire.asked:
            break
    assert len(wire.asked) == 1


def test_who_waits_to_ask_again_is_woken_by_the_end() -> None:
    with serving(error(529, "overloaded_error", ("retry-after", "19"))) as wire:
        made = backend(wire)
        failures: list[Failed] = []
        waiting = threading.Thread(target=lambda: failures.append(_failure_of(made)))
        waiting.start()
        while not wire.asked:
            waiting.join(0.01)
        made.close()
        waiting.join(15)  # of the 19 seconds: to wake up takes a moment on any machine
        assert failures


def _failure_of(made: Anthropic) -> Failed:
    with pytest.raises(Failed) as caught:
        made.complete(REQUEST)
    return caught.value


def test_threads_share_a_client_and_get_their_own_answers() -> None:
    with serving(good()) as wire:
        made = backend(wire)
        texts: list[str] = []
        threads = [threading.Thread(target=lambda: texts.append(made.complete(REQUEST).text)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made.close()
    assert texts == ["It is mended."] * 8


# ------------------------------------------------------------------ counting


def test_tokens_are_counted_by_the_service() -> None:
    with serving(document({"input_tokens": 77})) as wire:
        made = backend(wire)
        assert made.count(REQUEST) == 77
        made.close()
    assert wire.asked[0].path == "/v1/messages/count_tokens"
    assert set(wire.asked[0].body) == {"model", "messages", "system"}


def test_a_service_that_does_not_count_is_asked_once_and_the_tokens_are_estimated() -> None:
    long = Request("", ({"role": "user", "content": "word " * 540},), 500)
    with serving(error(404, "not_found_error")) as wire:
        made = backend(wire)
        assert [made.count(long), made.count(long)] == [1_000, 1_000]
        made.close()
    assert len(wire.asked) == 1
