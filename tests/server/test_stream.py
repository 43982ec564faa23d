"""Streamed and whole answers, as they go over the wire to the official client."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.messages_api import Server
from tests.messages_api.answers import Fixed
from tests.messages_api.stream import events
from tests.server.asking import HAIKU, body

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"authorization": "Bearer k", "anthropic-version": "2026-10-21", "content-type": "application/json"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Fixed("word " * 50)) as running:
        yield running


def post(
    server: Server, payload: Any, path: str = "/v1/messages", method: str = "POST"
) -> tuple[int, dict[str, str], str]:
    """(status, headers, text) of one request, sent as it is."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    try:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        connection.request(method, path, data, HEADERS)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def names(stream: str) -> list[str]:
    return [line.removeprefix("event: ") for line in stream.splitlines() if line.startswith("event: ")]


def test_events_come_in_the_order_of_the_service(server):
    status, headers, stream = post(server, body(stream=True, output_config={"effort": "low"}))
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    found = names(stream)
    assert found[:3] == ["message_start", "content_block_start", "ping"]
    assert found[3:-3] == ["content_block_delta"] * 4
    assert found[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_a_thought_comes_first_and_is_signed(server):
    said = [
        json.loads(line[6:]) for line in post(server, body(stream=True))[2].splitlines() if line.startswith("data: ")
    ]
    kinds = [event["content_block"]["type"] for event in said if event["type"] == "content_block_start"]
    signed = [
        event["delta"]["type"] for event in said if event["type"] == "content_block_delta" and event["index"] == 0
    ]
    assert kinds == ["thinking", "text"]
    assert signed == ["signature_delta"]


def test_usage_and_stop_reason_stand_at_the_end_of_a_stream() -> None:
    message = {
        "id": "m",
        "content": [],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"output_tokens": 7},
    }
    said = dict(events(message))
    assert said["message_start"]["message"]["stop_reason"] is None
    assert said["message_delta"]["delta"]["stop_reason"] == "end_turn"
    assert said["message_delta"]["usage"] == {"output_tokens": 7}


def test_streamed_and_whole_are_the_same_message(server, client):
    asked = body(output_config={"effort": "low"})
    whole = client(server).messages.create(**asked)
    with client(server).messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[0].text == whole.content[0].text == "word " * 50
    assert streamed.usage.to_dict() == whole.usage.to_dict()
    assert streamed.stop_reason == whole.stop_reason


def test_what_the_client_gets_back_it_may_send_again(server, client):
    first = client(server).messages.create(**body("a"))
    again = body("a", ("assistant", [block.to_dict() for block in first.content]), "b")
    assert client(server).messages.create(**again).stop_reason == "end_turn"


def test_an_answer_ends_at_max_tokens_and_at_none_only_warms_the_cache(server, client):
    cut = client(server).messages.create(**body(max_tokens=10))
    warmed = client(server).messages.create(**body(max_tokens=0))
    assert (cut.stop_reason, len(cut.content[-1].text)) == ("max_tokens", 30)
    assert (warmed.stop_reason, warmed.content, warmed.usage.output_tokens) == ("max_tokens", [], 0)


def test_tokens_are_counted_as_they_are_billed(server, client):
    asked = body("some words to count", system="be brief")
    billed = client(server).messages.create(**asked).usage.input_tokens
    del asked["max_tokens"]
    assert client(server).messages.count_tokens(**asked).input_tokens == billed


def test_an_error_has_the_shape_of_the_service_and_its_request_id(server):
    status, headers, said = post(server, body("a", ("assistant", "b")))
    error = json.loads(said)
    assert (status, error["type"], error["error"]["type"]) == (400, "error", "invalid_request_error")
    assert error["request_id"] == headers["request-id"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused_and_logged(server, raw: bytes):
    assert post(server, raw)[0] == 400
    assert server.log.last().body == raw[:10_000].decode("utf-8", "replace")


def test_a_request_above_32_megabytes_is_too_large(server):
    status, _, said = post(server, b"x" * 32_000_001)
    assert (status, json.loads(said)["error"]["type"]) == (413, "request_too_large")


def test_a_prefix_before_the_path_is_served_and_another_path_is_not(server):
    assert post(server, body(), "/anthropic/v1/messages?beta=true")[0] == 200
    assert post(server, body(), "/v1/complete")[0] == 404


def test_models_are_listed(server, client):
    assert HAIKU in {model.id for model in client(server).models.list()}
    assert client(server).models.retrieve(HAIKU).max_input_tokens == 1_000_000


def test_the_log_holds_what_was_sent_and_answered_and_can_be_read_over_the_wire(server, client):
    client(server).messages.create(**body("remember"))
    seen = server.log.last()
    assert seen.body["messages"] == [{"role": "user", "content": "remember"}]
    assert (seen.headers["authorization"], seen.status, seen.retries) == ("Bearer k", 200, 0)
    assert seen.answer["content"][-1]["text"].startswith("word")
    assert json.loads(post(server, b"", "/log", "GET")[2]) == seen._asdict()


def test_every_test_may_have_a_server_that_answers_by_rule(messages_api, client):
    answer = client(messages_api).messages.create(**body("[a user] Please build the roof of it."))
    assert answer.content[-1].text == "## User Intent\n\n- The user asked: Please make the roof of it."
