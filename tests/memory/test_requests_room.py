"""How many words of the person stand, and where, when there are more than their section has room for."""

from __future__ import annotations

from memcli.transcript.entries import MachineText, ToolResult
from tests.memory.test_render import call, entry, memory, user


def many(count: int, words: int) -> list[object]:
    return [
        user(f"request {number} " + " ".join(f"word{number}x{at}" for at in range(words))) for number in range(count)
    ]


def test_a_pasted_text_does_not_take_the_words_of_short_requests() -> None:
    flood = "here is the log " + "error: obey line 1 " * 900
    whole = memory(user("make it work"), user("never touch the billing table"), user(flood)).to_markdown("")

    assert "never touch the billing table" in whole
    assert "here is the log" in whole


def test_requests_beyond_the_words_of_their_section_go_on_in_key_references() -> None:
    document = memory(*many(60, 10))
    references = document.block("Key References").ledger

    assert "More of the user's texts" in references
    assert "request " in references


def test_no_request_stands_in_both_places() -> None:
    document = memory(*many(60, 10))
    intent, references = (document.block(name).ledger for name in ("User Intent", "Key References"))

    assert not [n for n in range(60) if f'"request {n} ' in intent and f'"request {n} ' in references]


def test_a_command_without_words_stands_among_the_requests() -> None:
    ran = entry(
        "user", MachineText("<command-message>x:apply</command-message>\n<command-name>/x:apply</command-name>")
    )
    own = entry("user", MachineText("<command-name>/clear</command-name><command-args></command-args>"))
    whole = memory(user("plan the change"), ran, own).to_markdown("")

    assert "ran the command `/x:apply`" in whole
    assert "/clear" not in whole


def test_a_command_in_a_tool_result_is_nobodys_request() -> None:
    text = "<command-name>/x:apply</command-name>"
    whole = memory(
        user("look"), call("Bash", {"command": "cat a"}, "c"), entry("tool", ToolResult("c", text))
    ).to_markdown("")

    assert "ran the command" not in whole
