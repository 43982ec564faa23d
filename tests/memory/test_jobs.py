"""The summarizer protocol: what one side writes the other reads, also when the other is older or newer."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.memory.jobs import VERSION, Job, Result, parse_answer, parse_job

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
jobs = st.builds(Job, words, st.integers(0, 10**9), st.binary(max_size=40), st.tuples(words), words, st.integers(0, 9))
results = st.builds(
    Result, words, st.dictionaries(words, words, max_size=3), words, st.integers(0, 10**9), words, st.booleans()
)


@given(jobs)
def test_a_job_is_one_line_and_is_read_back(job: Job) -> None:
    line = msgspec.json.encode(job)
    assert b"\n" not in line
    assert parse_job(line + b"\n") == job


@given(results)
def test_a_result_is_one_line_and_is_read_back(result: Result) -> None:
    line = msgspec.json.encode(result)
    assert b"\n" not in line
    assert parse_answer(line + b"\n") == result


def test_a_job_looks_as_the_protocol_says() -> None:
    line = json.loads(msgspec.json.encode(Job("7-0", 4_000, b"fold", v=2)))
    assert line == {"job": "7-0", "budget": 4_000, "ledger": "Zm9sZA==", "v": 2}


def test_a_job_written_by_hand_is_read() -> None:
    line = b'{"v":1,"job":"7-0","budget":4000,"ledger":"Zm9sZA==","pins":["never push"]}'
    assert parse_job(line) == Job("7-0", 4_000, b"fold", pins=("never push",))


def test_a_side_that_tells_no_version_speaks_this_one() -> None:
    assert parse_job(b'{"job":"a","budget":1,"ledger":""}').v == VERSION
    assert parse_answer(b'{"job":"a"}').v == VERSION


def test_what_a_newer_side_adds_is_ignored() -> None:
    assert parse_job(b'{"job":"a","budget":1,"ledger":"","mood":[1]}') == Job("a", 1, b"")
    assert parse_answer(b'{"job":"a","cost":{"usd":1}}') == Result("a")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        b'{"job":1,"budget":1,"ledger":""}',
        b'{"job":"a","budget":"much","ledger":""}',
        b'{"job":"a","budget":1,"ledger":"no base64"}',
        b'{"job":"a","budget":1,"ledger":""',
        b'{"job":"\xff","budget":1,"ledger":""}',
        b'{"job":"a","budget":1,"ledger":"","more":' + b"[" * 100_000,
    ],
    ids=range(10),
)
def test_what_is_no_job_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse_job(line)


@pytest.mark.parametrize("line", [b"", b"Traceback", b"{}", b'{"job":"a","blocks":[]}', b'{"job":"\xff"}'])
def test_what_is_no_result_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        parse_answer(line)
