from __future__ import annotations

from typing import Any

import pytest

from memcli.errors import Usage as BadUsage
from memcli.memory.jobs import Failure, Usage
from memcli.summarize.options import Options, checked
from memcli.summarize.progress import heard, say
from memcli.summarize.request import Failed, Request


def request(*contents: Any, system: str = "Be brief.") -> Request:
    return Request(system, tuple({"role": "user", "content": content} for content in contents), 100)


def test_the_text_of_a_question_is_all_that_is_said_in_order() -> None:
    asked = request("one", [{"type": "text", "text": "two"}, {"type": "tool_result", "content": "three"}])

    assert asked.text == "Be brief.\n\none\n\ntwo\nthree"
    assert asked.without_system == "one\n\ntwo\nthree"


def test_a_block_without_words_says_nothing() -> None:
    assert request([{"type": "image"}, {"type": "text", "text": "x"}]).without_system == "x"


def test_characters_count_the_system_prompt_and_every_message() -> None:
    assert request("one", "two").characters == len("Be brief.") + 6
    assert request().characters == len("Be brief.")


def test_a_question_without_system_prompt_begins_with_its_message() -> None:
    assert request("one", system="").text == "one"


def test_a_failure_says_its_sentence_and_keeps_what_was_billed() -> None:
    failed = Failed(Failure("the host is gone"), Usage(5), "m")

    assert str(failed) == "the host is gone"
    assert (failed.usage, failed.model) == (Usage(5), "m")


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(backend="command", command="cat"),
        Options(backend="program", summarizer="./x"),
        Options(base_url="https://x.example", timeout=86_400.0, jobs=1),
        Options(base_url="http://localhost:1", timeout=0.1),
    ],
)
def test_options_that_can_work_come_back_as_they_are(options: Options) -> None:
    assert checked(options) is options


@pytest.mark.parametrize(
    ("options", "tried"),
    [
        (Options(backend="command"), "memcli watch --command"),
        (Options(backend="program"), "memcli watch --summarizer"),
        (Options(backend="program", summarizer=" \n"), "memcli watch --summarizer"),
        (Options(base_url="localhost:11434"), "memcli watch --backend anthropic --base-url"),
        (Options(jobs=0), "memcli watch --help"),
        (Options(timeout=0.0), "memcli watch --help"),
        (Options(timeout=86_401.0), "memcli watch --help"),
        (Options(timeout=float("nan")), "memcli watch --help"),
    ],
)
def test_options_that_cannot_work_are_refused_with_what_to_try(options: Options, tried: str) -> None:
    with pytest.raises(BadUsage) as refused:
        checked(options, "watch")

    assert refused.value.hint.startswith(tried)


def test_what_is_said_on_the_way_reaches_who_listens_in_this_block_alone() -> None:
    outer: list[tuple[str, float | None]] = []
    inner: list[tuple[str, float | None]] = []
    say("nobody hears")
    with heard(lambda *said: outer.append(said)):
        say("one")
        with heard(lambda *said: inner.append(said)):
            say("two", 0.5)
        say("three")
    say("nobody hears")

    assert outer == [("one", None), ("three", None)]
    assert inner == [("two", 0.5)]


def test_who_listens_is_forgotten_after_an_error_too() -> None:
    said: list[str] = []
    with pytest.raises(ValueError, match="broke"), heard(lambda sentence, _: said.append(sentence)):
        raise ValueError("broke")
    say("nobody hears")

    assert said == []
