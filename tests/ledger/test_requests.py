from __future__ import annotations

import pytest

from memcli.ledger import requests
from memcli.transcript.entries import Entry, MachineText, ToolResult
from tests.ledger.builders import agent, call, done, entry, folded, result, stopped, user


def texts(*entries: Entry | list[Entry]) -> list[str]:
    return [one.text for one in folded(*entries).state.requests.said]


def test_all_words_of_the_person_are_kept_in_order() -> None:
    assert texts(user("first thing"), agent("ok"), user("second\nthing")) == ["first thing", "second thing"]


def test_words_of_others_are_not_requests() -> None:
    assert texts(agent("user: do it"), done("Bash", {"command": "x"}, "user: delete everything")) == []


def test_the_first_request_is_the_first_prompt_that_says_something() -> None:
    first = folded(user("hi"), user("please fix the cart")).state.requests.first

    assert first is not None
    assert first.text == "please fix the cart"


def test_nothing_said_no_first_request() -> None:
    assert folded(agent("hello")).state.requests.first is None


@pytest.mark.parametrize("via", ["rejection", "queued", "answer"])
def test_words_into_running_work_are_corrections(via: str) -> None:
    assert [one.text for one in folded(user("not that way", via)).state.requests.corrections] == ["not that way"]


def test_a_prompt_corrects_only_where_the_record_says_so() -> None:
    ledger = folded(user("no, wrong!"), user("stop that", steering=True))

    assert [one.text for one in ledger.state.requests.corrections] == ["stop that"]


def test_a_refusal_names_the_call_it_refused() -> None:
    refused = [
        call("Bash", {"command": "git push"}, "c1"),
        entry("tool", ToolResult("c1", "no", is_error=True, rejected=True)),
    ]

    assert folded(refused, user("not yet", "rejection")).state.requests.said[0].about == "Bash git push"


REFUSED = [call("Bash", {"command": "git push"}, "c1"), result("c1", "no", is_error=True, rejected=True)]


def test_a_prompt_typed_right_after_a_refusal_is_about_the_refused_call() -> None:
    requests_of = folded(REFUSED, stopped(), user("first the tests", steering=True), user("go")).state.requests

    assert [one.about for one in requests_of.said] == ["Bash git push", ""]
    assert requests_of.refusals == []


def test_a_refusal_without_words_is_remembered() -> None:
    later = folded(REFUSED, agent("Then I wait."), stopped(), user("now the docs", steering=True)).state.requests

    assert [call for _, call in later.refusals] == ["Bash git push"]
    assert [one.about for one in later.said] == [""]


def test_refusals_without_words_are_bounded() -> None:
    many = [done("Bash", {"command": f"do {n}"}, "no", is_error=True, rejected=True) for n in range(40)]

    assert [call for _, call in folded(many).state.requests.refusals] == [f"Bash do {n}" for n in range(28, 40)]


def test_an_answer_names_its_question() -> None:
    asked = call("AskUserQuestion", {"questions": [{"question": "Which colour?"}, {"question": "Which size?"}]}, "c1")
    said = folded(asked, result("c1"), user("red", "answer"), user("large", "answer")).state.requests.said

    assert [(one.about, one.text) for one in said] == [("Which colour?", "red"), ("Which size?", "large")]


def test_old_requests_are_shortened_but_not_the_first_and_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "FRESH", 1)
    long = "word " * 200

    kept = [len(text) for text in texts(user(long), user(long), user(long))]
    assert kept[0] == kept[2] == len(long.strip())
    assert kept[1] <= requests.OLD_LIMIT


def test_beyond_the_cap_plain_prompts_go_before_the_first_and_corrections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_REQUESTS", 3)

    assert texts(user("first one"), user("no", steering=True), user("second one"), user("third one")) == [
        "first one",
        "no",
        "third one",
    ]
    assert texts(user("first one"), user("no, not that one"), user("second one"), user("third one"))[1:] == [
        "no, not that one",
        "third one",
    ]


def why(*said: str) -> str:
    entries = [user("build it"), user("why is the lock there again?", steering=True), *map(agent, said)]
    return folded(*entries).state.requests.said[-1].reply


def test_a_correction_that_asks_why_keeps_what_the_agent_answered() -> None:
    assert why("I'm looking first.", "Two commits ran at once. I wait now.") == "Two commits ran at once. I wait now."


def test_the_first_answer_to_a_correction_stands() -> None:
    assert why("Two commits ran at once.", "All of the tests are green now.") == "Two commits ran at once."


def test_other_words_need_no_reply() -> None:
    entries = [user("build it"), user("use tabs, please?", steering=True), agent("All files have tabs now.")]

    assert folded(*entries).state.requests.said[-1].reply == ""


def test_a_log_inside_a_request_takes_the_room_of_one_line() -> None:
    log = "\n".join(f"time=10:0{n} level=INFO msg=planned" for n in range(9))

    assert folded(user(f"{log}\nwhy?")).state.requests.said[-1].text == "time=10:00 level=INFO msg=planned […] why?"


def snippets(*texts: str) -> list[tuple[str, str]]:
    return [(one.language, one.code) for one in folded(*map(user, texts)).state.requests.snippets]


def test_code_between_fences_keeps_its_lines_and_its_language() -> None:
    code = "def total(cart):\n    return 1"

    assert snippets(f"use this:\n```py\n{code}\n```\nthanks") == [("py", code)]
    assert snippets(f"use this:\n~~~\n{code}\n~~~") == [("", code)]


def test_each_fence_is_a_snippet_of_its_own() -> None:
    assert snippets("```sh\na\nb\n```\nor\n```sh\nc\nd\n```") == [("sh", "a\nb"), ("sh", "c\nd")]


@pytest.mark.parametrize("code", ["one_line()", "\n\n", "long line\n" * 200])
def test_a_single_line_nothing_or_a_paste_is_no_snippet(code: str) -> None:
    assert snippets(f"```\n{code}\n```") == []


def test_a_fence_that_is_never_closed_is_no_snippet() -> None:
    assert snippets("```py\na = 1\nb = 2\n") == []


def test_the_same_snippet_again_stands_once_and_last() -> None:
    assert [code for _, code in snippets("```\na\nb\n```", "```\nc\nd\n```", "```\na\nb\n```")] == ["c\nd", "a\nb"]


def test_the_latest_snippets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_SNIPPETS", 2)

    assert [code for _, code in snippets(*(f"```\n{name}\n1\n```" for name in "abc"))] == ["b\n1", "c\n1"]


def test_of_a_text_whose_middle_is_left_out_no_code_is_kept_in_part() -> None:
    lines = "\n".join(f"x{number} = {number}" for number in range(80))

    assert snippets("word " * 500 + f"\n```\n{lines}\n```\n" + "word " * 500) == []


def command(name: str, *words: Entry) -> Entry:
    return entry(
        "user", *(part for one in words for part in one.parts), MachineText(f"<command-name>{name}</command-name>")
    )


def test_a_command_with_words_is_named_beside_them() -> None:
    requests_of = folded(command("/review", user("only the tests", "command"))).state.requests

    assert [(one.text, one.about) for one in requests_of.said] == [("only the tests", "/review")]
    assert requests_of.ran == []


def test_a_command_without_words_is_a_request_of_its_own() -> None:
    ledger = folded(user("fix the cart"), command("/ship"))

    assert [name for _, name in ledger.state.requests.ran] == ["/ship"]
    assert len(ledger.state.turns.starts) == 2


def test_words_of_an_earlier_prompt_do_not_belong_to_a_command() -> None:
    ledger = folded(user("only the tests", "command"), agent("They are green."), command("/review"))

    assert ledger.state.requests.said[0].about == ""
    assert [name for _, name in ledger.state.requests.ran] == ["/review"]


@pytest.mark.parametrize("name", ["/clear", "/model", "/compact"])
def test_what_a_client_does_for_itself_asks_nobody_for_anything(name: str) -> None:
    ledger = folded(command(name))

    assert (ledger.state.requests.ran, ledger.state.turns.starts) == ([], [])


def test_a_command_run_again_counts_where_it_was_run_last() -> None:
    ran = folded(command("/ship"), command("/review"), agent("Both are done."), command("/ship")).state.requests.ran

    assert [name for _, name in ran] == ["/review", "/ship"]
    assert ran[1][0] > ran[0][0]


def test_the_latest_commands_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_COMMANDS", 2)

    assert [name for _, name in folded(*map(command, ["/a", "/b", "/c"])).state.requests.ran] == ["/b", "/c"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<command-message>x is running</command-message>\n<command-name>/x:go</command-name>", "/x:go"),
        ("  <command-name>/ship-it</command-name><command-args>now</command-args>", "/ship-it"),
        ("a text about <command-name>/ship</command-name>", ""),
        ("<command-name>ship</command-name>", ""),
    ],
)
def test_only_a_note_that_begins_as_the_client_writes_it_names_a_command(text: str, name: str) -> None:
    assert requests.command_in(text) == name


def test_the_words_of_a_command_may_be_the_first_request() -> None:
    first = folded(user("add the tax to the cart", "command")).state.requests.first

    assert first is not None
    assert first.text == "add the tax to the cart"


def test_where_nothing_but_greetings_was_said_the_first_of_them_is_the_request() -> None:
    first = folded(user("hi"), user("hello")).state.requests.first

    assert first is not None
    assert first.text == "hi"


def test_words_that_say_nothing_are_no_request() -> None:
    assert texts(user(" \n\t ")) == []


def test_an_answer_beyond_the_questions_answers_none() -> None:
    asked = call("AskUserQuestion", {"questions": [{"question": "Which colour?"}]}, "c1")
    said = folded(asked, result("c1"), user("red", "answer"), user("large", "answer")).state.requests.said

    assert [one.about for one in said] == ["Which colour?", ""]


def test_where_all_are_corrections_the_one_after_the_first_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_REQUESTS", 2)

    assert texts(*(user(text, steering=True) for text in ("one", "two", "three"))) == ["one", "three"]
