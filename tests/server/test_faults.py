"""Each scripted misbehaviour, and what the official client makes of it."""

from __future__ import annotations

import json

import pytest

from tests.builders import LIMITS, eventually
from tests.messages_api import Server
from tests.messages_api.answers import Fixed
from tests.messages_api.fault import script
from tests.server.asking import body

LOW = {"output_config": {"effort": "low"}}
TEXT = json.dumps({"edits": [{"section": "User Intent", "op": "replace", "text": "- a", "item": ""}]})


@pytest.fixture
def server():
    with Server(Fixed(TEXT)) as running:
        yield running


def outcome(client, streamed: bool = False) -> str:
    """The name of the error, or the stop reason and the text."""
    import anthropic

    try:
        if streamed:
            with client.messages.stream(**body(**LOW)) as stream:
                message = stream.get_final_message()
        else:
            message = client.messages.create(**body(**LOW))
    except anthropic.APIStatusError as error:
        return f"{error.status_code} {error.type}"
    except (anthropic.APIError, ValueError) as error:
        return type(error).__name__
    except Exception as error:  # noqa: BLE001  # the transport's own, which the client lets pass
        return type(error).__name__
    return f"{message.stop_reason}: {''.join(block.text for block in message.content if block.type == 'text')[:200]}"


REFUSED = {
    # fault: (what the client reports, how many requests it makes; it retries twice at most)
    "400": ("400 invalid_request_error", 1),
    "401": ("401 authentication_error", 1),
    "402": ("402 billing_error", 1),
    "403": ("403 permission_error", 1),
    "404": ("404 not_found_error", 1),
    "413": ("413 request_too_large", 1),
    "no-retry": ("529 overloaded_error", 1),
    "408": ("408 api_error", 3),
    "409": ("409 conflict_error", 3),
    "429=0.01": ("429 rate_limit_error", 3),
    "429-bare": ("429 rate_limit_error", 3),
    "500": ("500 api_error", 3),
    "504": ("504 timeout_error", 3),
    "529": ("529 overloaded_error", 3),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refusals_are_retried_by_their_kind(server, client, fault: str):
    server.script(f"{fault}*9")
    reported, requests = REFUSED[fault]
    assert outcome(client(server)) == reported
    assert [exchange.retries for exchange in server.log.asked()] == list(range(requests))


def test_a_spend_limit_has_its_code_and_no_time_to_retry_after(server, client):
    import anthropic

    server.script("429-spend")
    with pytest.raises(anthropic.RateLimitError) as caught:
        client(server, max_retries=0).messages.create(**body())
    assert caught.value.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in caught.value.response.headers


def test_retry_after_is_told_in_seconds(server, client):
    import anthropic

    server.script("429=30")
    with pytest.raises(anthropic.RateLimitError) as caught:
        client(server, max_retries=0).messages.create(**body())
    assert caught.value.response.headers["retry-after"] == "30"


def test_after_the_script_the_server_behaves(server, client):
    server.script("500", "ok", "529")
    one_try = client(server, max_retries=0)
    assert [outcome(one_try).split(":")[0] for _ in range(4)] == [
        "500 api_error",
        "end_turn",
        "529 overloaded_error",
        "end_turn",
    ]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refusal", "refusal: "),
        ("max_tokens", f"max_tokens: {TEXT[: len(TEXT) // 2]}"),
        ("pause_turn", f"pause_turn: {TEXT[: len(TEXT) // 2]}"),
        ("context", f"model_context_window_exceeded: {TEXT[: len(TEXT) // 2]}"),
        ("half-json", f"end_turn: {TEXT[: len(TEXT) // 2]}"),
        ("unknown-stop", f"something_new: {TEXT}"),
        ("no-stop", f"None: {TEXT}"),
        ("empty", "end_turn: "),
        ("whitespace", "end_turn:  \n\n"),
        ("thinking", f"end_turn: {TEXT}"),
        ("unknown-block", f"end_turn: {TEXT}"),
        ("partial-usage", f"end_turn: {TEXT}"),
    ],
)
def test_an_answer_can_be_spoilt(server, client, fault: str, expected: str, streamed: bool):
    server.script(fault)
    assert outcome(client(server), streamed) == expected
    assert server.log.count == 1


@pytest.mark.parametrize(
    ("fault", "streamed", "expected"),
    [
        ("cut", False, "APIConnectionError"),
        ("drop", False, "APIConnectionError"),
        ("drop", True, "APIConnectionError"),
        ("cut", True, "RemoteProtocolError"),
        ("mid-stream", True, "200 overloaded_error"),
        ("mid-stream", False, "529 overloaded_error"),
        ("half-body", False, "JSONDecodeError"),
        ("half-body", True, f"None: {TEXT[: 2 * (len(TEXT) // 4 + 1)]}"),
        ("404-page", False, "404 None"),
    ],
)
def test_the_wire_can_be_spoilt(server, client, fault: str, streamed: bool, expected: str):
    server.script(fault)
    assert outcome(client(server, max_retries=0), streamed) == expected


def test_a_message_without_usage_has_none_anywhere(server, client):
    server.script("no-usage*2")
    assert client(server).messages.create(**body()).usage is None
    said = [event for event in client(server).messages.create(**body(stream=True)) if event.type == "message_delta"]
    assert said[0].usage is None


def test_a_huge_answer_is_ten_megabytes_of_the_same_form(server, client):
    server.script("huge")
    answer = client(server).messages.create(**body(**LOW)).content[0].text
    assert len(answer) > 10_000_000
    assert json.loads(answer)["edits"][-1] == json.loads(TEXT)["edits"][0]


@pytest.mark.parametrize("fault", ["slow=60", "hang"])
def test_who_waits_too_long_gives_up_and_the_server_goes_on(server, client, fault: str):
    server.script(fault)
    assert outcome(client(server, timeout=0.2, max_retries=0)) == "APITimeoutError"
    assert outcome(client(server)).startswith("end_turn")


def test_a_drip_keeps_the_connection_alive_longer_than_each_wait(server, client):
    def waited_for(seconds: float) -> bool:
        server.script(f"drip={seconds * 1.25}")
        return outcome(client(server, timeout=seconds, max_retries=0), streamed=True).startswith("end_turn")

    assert any(map(waited_for, LIMITS))


def test_an_answer_that_stalls_lacks_its_end(server, client):
    for seconds in LIMITS:
        server.script("stall")
        with client(server, timeout=seconds, max_retries=0).messages.stream(**body()) as stream:
            said: list[str] = []
            with pytest.raises(Exception, match="timed out"):
                said.extend(iter(lambda: next(stream.text_stream), None))
        if said:
            break
    assert TEXT.startswith(said[0])
    assert "".join(said) != TEXT


def test_a_server_that_ends_leaves_nobody_waiting(client):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        with Server() as server:
            server.script("slow=60")
            waiting = pool.submit(outcome, client(server, max_retries=0))
            assert eventually(lambda: server.log.count == 1)
        assert waiting.result() == "APIConnectionError"


def test_an_error_writes_nothing_into_the_cache(server, client):
    from tests.server.asking import MARK, text

    asked = body(("user", [text("word " * 800, MARK)]))
    server.script("529")
    for _ in range(2):
        client(server).messages.create(**asked)
    assert [exchange.cache for exchange in server.log.asked()] == ["", "write", "hit"]


def test_a_fault_that_does_not_exist_is_an_error_of_the_script() -> None:
    with pytest.raises(ValueError, match="no fault is called 'nonsense'"):
        script(["nonsense"])
