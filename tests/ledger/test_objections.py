"""Prompts that put the agent right are known by how they begin."""

from __future__ import annotations

import pytest

from memcli.ledger.objections import objects
from tests.ledger.builders import agent, folded, stopped, user


@pytest.mark.parametrize(
    "words",
    [
        "no, keep the old name",
        "No keep it in one file",
        "ok, wait, that's not what I asked for",
        "that doesn't sort by date",
        "this is still wrong, the total is off by one",
        "I said no new dependency",
        "i don't like the global, isn't there another way?",
        "you forgot the index",
        "why did you delete the fixture",
        "don't touch the lock file",
        "please stop adding comments",
        "Actually, use the second one",
        "Nein, nur die Tests",
        "不是这个文件",
    ],
)
def test_an_opening_that_refuses_judges_or_forbids_is_an_objection(words: str) -> None:
    assert objects(words)


@pytest.mark.parametrize(
    "words",
    [
        "no problem, go on",
        "No module named yaml",
        "no such file or directory: build/out",
        "is that not slow?",
        "can you check that it doesn't break the index",
        "this is good, commit it",
        "not sure, what do you think",
        "you can merge it now",
        "note that the port is 8080",
        "yes, do both",
        "nothing changed, try again",
    ],
)
def test_other_openings_are_none(words: str) -> None:
    assert not objects(words)


def test_the_first_request_has_nothing_to_speak_against() -> None:
    requests = folded(user("don't use classes, write me a parser"), agent("done"), user("no, two files")).state.requests

    assert [one.text for one in requests.objections] == ["no, two files"]


def test_what_the_record_shows_to_be_a_correction_is_not_counted_twice() -> None:
    requests = folded(user("go"), stopped(), user("no, stop that", steering=True)).state.requests

    assert [one.text for one in requests.corrections] == ["no, stop that"]
    assert not requests.objections
