"""Asking a live daemon: a file, a signal, an answer; and everybody who may die in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from memcli.errors import TryAgain
from memcli.watch import ask
from tests.builders import PATIENCE, eventually

TRANSCRIPT = Path("run.jsonl")


@pytest.fixture
def heard():
    """How often we, who play the daemon, were signalled."""
    count: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: count.append(1))
    yield count
    signal.signal(signal.SIGUSR1, before)


def dead() -> int:
    """The process id of somebody who has just ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_question_lies_there_before_the_signal_comes(tmp_path):
    seen: list[bool] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(ask.asked(tmp_path)))
    with pytest.raises(TryAgain):
        ask.ask(tmp_path, os.getpid(), 0.0, TRANSCRIPT)
    signal.signal(signal.SIGUSR1, before)
    assert seen == [True]


def test_the_answer_is_the_daemons_sentence_and_the_question_is_gone(tmp_path, heard):
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(ask.ask(tmp_path, os.getpid(), PATIENCE, TRANSCRIPT)))
    asking.start()
    assert eventually(lambda: bool(heard))
    ask.answer(tmp_path, "covers 9 messages")
    asking.join()
    assert answers == ["covers 9 messages"]
    assert not ask.asked(tmp_path)


def test_an_old_answer_is_not_taken_for_this_one(tmp_path, heard):
    ask.answer(tmp_path, "covers 2 messages")
    with pytest.raises(TryAgain):
        ask.ask(tmp_path, os.getpid(), 0.05, TRANSCRIPT)


def test_patience_has_an_end_and_a_longer_one_is_offered(tmp_path, heard):
    with pytest.raises(TryAgain) as late:
        ask.ask(tmp_path, os.getpid(), 0.05, TRANSCRIPT)
    assert late.value.sentence == f"the daemon {os.getpid()} did not answer within 0.05 s"
    assert late.value.hint == "memcli update run.jsonl --wait 120"


def test_a_daemon_that_has_just_ended_is_not_waited_for(tmp_path):
    with pytest.raises(TryAgain, match="has just ended"):
        ask.ask(tmp_path, dead(), 60.0, TRANSCRIPT)


def test_a_question_that_nobody_waits_for_any_more_is_answered_once(tmp_path, heard):
    """Whoever asked was interrupted: the next question overwrites what lies there."""
    with pytest.raises(TryAgain):
        ask.ask(tmp_path, os.getpid(), 0.0, TRANSCRIPT)
    assert ask.asked(tmp_path)
    ask.answer(tmp_path, "covers 9 messages")
    assert not ask.asked(tmp_path)
    assert (tmp_path / "answer").read_text() == "covers 9 messages\n"
