"""What a successor takes over from its parent, and what it must not fold twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memcli.effects import Inheritance
from memcli.memory import message
from memcli.transcript.encode import common
from tests.builders import FORMATS, Script
from tests.session.driver import NEVER, Driver

if TYPE_CHECKING:
    from memcli.ledger.fold import Fold

MEMORY = str(message.pieces(common.mark("0" * 24, "0" * 64), "# Session memory\n\n## User Intent\n- none\n"))


def parent(format: str, turns: int = 2) -> Fold:
    """The fold of a finished session."""
    script = Script(format)
    for number in range(turns):
        script.turn(number)
    return Driver(format, NEVER).feed(script.data, quiet=1.0).session.settled


def successor(format: str, fold: Fold, covered: int) -> Driver:
    """A swapped transcript: memory, then the last turn of its parent, of which `covered` messages are known."""
    script = Script(format).prompt(MEMORY)
    script.serial = 500
    return Driver(format, NEVER, Inheritance(fold.snapshot(), covered)).feed(script.turn(1).data, quiet=1.0)


@pytest.mark.parametrize("format", FORMATS)
def test_covered_messages_are_not_folded_again(format):
    """The last turn is 4 messages where words and call are one, else 5."""
    fold = parent(format)
    covered = 5 if format in ("claude-code", "codex") else 4
    again = successor(format, fold, covered).session.settled
    assert again.ledger.snapshot() == fold.ledger.snapshot()


USED = {
    "claude-code": {"type": "assistant", "message": {"id": "m", "content": [], "usage": {"input_tokens": 26_000}}},
    "codex": {
        "type": "event_msg",
        "payload": {"type": "token_count", "info": {"last_token_usage": {"input_tokens": 26_000}}},
    },
    "pi": {"type": "message", "id": "m", "message": {"role": "assistant", "content": [], "usage": {"input": 26_000}}},
}


@pytest.mark.parametrize("format", USED)
def test_what_a_client_counts_after_the_swap_of_a_small_context_is_believed(format):
    """It is nearly as much as before, for what the client says by itself; the tail holds no usage of before."""
    script = Script(format).prompt(MEMORY)
    used = {**USED[format], "parentUuid": script.leaf, "parentId": script.leaf}
    driver = Driver(format, NEVER, Inheritance(parent(format).snapshot(), 0, tokens=30_000)).feed(script.data)
    assert driver.feed(json.dumps(used).encode() + b"\n").session.reading.exact == 26_000


def test_messages_the_parent_does_not_know_are_folded():
    fold = parent("anthropic")
    again = successor("anthropic", fold, 0).session.settled
    assert again.ledger.snapshot() != fold.ledger.snapshot()


def test_the_first_prompt_after_a_covered_interrupt_corrects_the_work():
    stopped = Script("anthropic").turn(0).prompt("[Request interrupted by user]").prompt("go on")
    fold = Driver("anthropic", NEVER).feed(stopped.data).session.settled
    script = Script("anthropic").prompt(MEMORY).prompt("no, the old wheel").say("Yes.")
    driver = Driver("anthropic", NEVER, Inheritance(fold.snapshot(), 0)).feed(script.data)
    corrections = driver.update().markdown.split("## Errors & Corrections")[1].split("## ")[0]
    assert "no, the old wheel" in corrections


def test_words_in_a_turn_that_was_under_way_at_the_swap_are_taken_into_it():
    """The record that began the task is covered: only the fold can tell."""
    begun = Script("codex").turn(0).prompt("go on").round("Looking.", "ls", "ok").round("Again.", "ls", "ok")
    fold = Driver("codex", NEVER).feed(begun.data).session.settled
    script = Script("codex")
    for text in (MEMORY, "and the wheel"):
        script._item("message", role="user", content=[{"type": "input_text", "text": text}])
    driver = Driver("codex", NEVER, Inheritance(fold.snapshot(), 0)).feed(script.say("Yes.").data)
    assert "said while work went on" in driver.update().markdown


def test_a_result_that_a_swap_made_up_is_no_fact():
    """A call was given up: a request needs a result, but nothing came back."""

    def fold(*results: str) -> bytes:
        script = Script("anthropic").prompt("look")
        (call,) = script.call("Looking.", "ls")
        for text in results:
            script.result(call, text)
        return Driver("anthropic", NEVER).feed(script.turn(1).data, quiet=1.0).session.settled.snapshot()

    assert fold(common.NO_RESULT) == fold()
    assert fold("ok") != fold()


def test_a_message_that_is_not_ours_is_the_users_text():
    driver = Driver("anthropic", NEVER).feed(Script("anthropic").prompt(MEMORY).say("Yes.").data, quiet=1.0)
    assert driver.session.messages == 2
