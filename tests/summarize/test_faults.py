"""What a failed request means, without asking anybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.summarize.faults import SENTENCE_CHARACTERS, SPEND_CAP, STATUS, broken_off, one_line, refused, retry_after

HOST = "api.example"
NOON = 1_767_268_800.0  # 2026-01-01 12:00 UTC


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_what_asking_again_cannot_mend_is_permanent(status: int) -> None:
    assert refused(HOST, status, {}, after=1.0, official=True).permanent


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_all_others_may_pass(status: int) -> None:
    assert not refused(HOST, status, {}, after=1.0, official=True).permanent


@pytest.mark.parametrize(
    ("after", "official", "capped"), [(None, True, True), (None, False, False), (0.0, True, False), (3.0, True, False)]
)
def test_a_429_of_anthropic_that_names_no_time_is_a_spend_cap(
    after: float | None, official: bool, capped: bool
) -> None:
    failure = refused(HOST, 429, {}, after=after, official=official)

    assert failure.permanent is capped
    assert failure.sentence.startswith("spend limit reached: ") is capped
    assert failure.retry_after == after


def test_a_spend_cap_is_also_known_by_its_code_whoever_says_it() -> None:
    error = {"type": "rate_limit_error", "details": {"error_code": SPEND_CAP}}

    assert refused(HOST, 429, error, after=3.0, official=False).permanent
    assert not refused(HOST, 429, {"details": {"error_code": "other"}}, after=3.0, official=False).permanent
    assert not refused(HOST, 429, {"details": SPEND_CAP}, after=3.0, official=False).permanent


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"type": "api_error", "message": "too hot"}, "api_error: too hot"),
        ({"message": "too hot"}, "too hot"),
        ({"type": "api_error"}, "api_error"),
        ({}, "and no reason"),
    ],
)
def test_the_sentence_names_host_status_and_reason(error: dict[str, object], said: str) -> None:
    assert refused(HOST, 500, error, after=None, official=False).sentence == f"{HOST} answered 500 {said}"


@pytest.mark.parametrize(("kind", "status"), STATUS.items())
def test_an_error_in_a_stream_means_what_its_status_would(kind: str, status: int) -> None:
    whole = refused(HOST, status, {"type": kind}, after=1.0, official=False)

    broken = broken_off(HOST, {"type": kind})
    assert (broken.permanent, broken.own) == (whole.permanent, whole.own)


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to purchase credits.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
        "This organization has been disabled.",
        "API key not valid. Please pass a valid API key.",
    ],
)
def test_a_400_about_the_bill_or_the_key_is_no_fault_of_one_request(message: str) -> None:
    error = {"type": "invalid_request_error", "message": message}

    assert not refused(HOST, 400, error, after=None, official=True).own
    assert not broken_off(HOST, error).own


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}),
        (400, {"type": "invalid_request_error", "message": "messages.3: unexpected `tool_use_id` found"}),
        (400, {}),
        (413, {"type": "request_too_large"}),
        (422, {"message": "messages.0.content: field required"}),
    ],
)
def test_a_request_that_is_wrong_makes_its_own_transcript_wait(status: int, error: dict[str, object]) -> None:
    assert refused(HOST, status, error, after=None, official=True).own


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 409, 429, 500, 529])
def test_keys_bills_addresses_and_servers_are_everybodys(status: int) -> None:
    assert not refused(HOST, status, {}, after=1.0, official=True).own


def test_an_error_of_no_known_type_may_pass() -> None:
    failure = broken_off(HOST, {"type": "weather", "message": "rain"})

    assert (failure.sentence, failure.permanent) == (f"{HOST} broke off with weather: rain", False)
    assert not broken_off(HOST, {}).permanent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 14:00:30 +0200"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "in a while"}, None),
        ({"retry-after": "Thu, 01 Jan 99999 12:00:00 GMT"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:00 +9999999999999999999999"}, 0.0),
    ],
)
def test_the_time_to_wait_is_read_in_all_its_spellings(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOON) == seconds


@given(st.text(max_size=2_000))
def test_a_sentence_is_one_short_line_whatever_the_server_says(text: str) -> None:
    line = one_line(text)

    assert len(line) <= SENTENCE_CHARACTERS
    assert line == "".join(line.splitlines())
    assert all(character.isprintable() for character in line)


def test_a_sentence_that_is_cut_shows_it() -> None:
    assert one_line("word " * 59 + "end w") == "word " * 59 + "end w"
    assert one_line("word " * 90).endswith("…")


def test_a_key_in_a_complaint_is_not_repeated() -> None:
    key = "sk-ant-api03-" + "aB3dE5gH7j" * 9

    assert key not in one_line(f"the key {key} is not known")
