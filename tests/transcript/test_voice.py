from __future__ import annotations

import time

import pytest

from memcli.transcript.entries import Interrupt, MachineText, UserText
from memcli.transcript.formats.voice import Voice, typed


def test_plain_words_are_a_prompt() -> None:
    assert Voice().hear("  fix it\n") == [UserText("fix it")]


@pytest.mark.parametrize(
    "text",
    [
        "<task-notification>\n<event>done</event>",
        "<local-command-stdout>ok</local-command-stdout>",
        "<bash-input>ls</bash-input>",
        "<command-name>/clear</command-name><command-args></command-args>",
        "<environment_context>\n<cwd>/w</cwd>",
        "# AGENTS.md instructions for /w",
        "Caveat: The messages below were generated",
        "Base directory for this skill: /s",
        "<system-reminder>never closed",
    ],
)
def test_a_harness_is_known_by_how_its_text_begins(text: str) -> None:
    assert Voice().hear(text) == [MachineText(text)]


def test_the_same_marks_in_the_middle_of_a_text_change_nothing() -> None:
    text = "why does it print <bash-input> and <task-notification>?"

    assert Voice().hear(text) == [UserText(text)]


def test_reminders_inside_a_prompt_are_taken_out_and_kept_apart() -> None:
    text = "<system-reminder>today</system-reminder>fix <ide_selection>x = 1</ide_selection>this"

    assert Voice().hear(text) == [
        UserText("fix  this"),
        MachineText("<system-reminder>today</system-reminder>\n<ide_selection>x = 1</ide_selection>"),
    ]


def test_a_prompt_may_quote_an_opening_tag() -> None:
    assert Voice().hear("what is <system-reminder> for?") == [UserText("what is <system-reminder> for?")]


def test_arguments_of_a_command_are_words() -> None:
    note = "<command-message>review</command-message>\n<command-name>/review</command-name>\n"

    assert Voice().hear(f"{note}<command-args>the tests</command-args>") == [
        UserText("the tests", "command"),
        MachineText(note),
    ]


def test_what_is_said_first_after_an_interrupt_is_steering() -> None:
    voice = Voice()

    assert voice.hear("[Request interrupted by user for tool use]") == [Interrupt()]
    assert voice.hear("<bash-stdout>x</bash-stdout>") == [MachineText("<bash-stdout>x</bash-stdout>")]
    assert voice.hear("no, the other file") == [UserText("no, the other file", steering=True)]
    assert voice.hear("thanks") == [UserText("thanks")]


def test_a_long_text_that_begins_like_an_interrupt_is_a_quotation() -> None:
    text = "[Request interrupted by user] is what I see whenever I press escape, and I do not know why it does"

    assert Voice().hear(text) == [UserText(text)]


def test_what_the_record_says_no_person_wrote_is_machine_text() -> None:
    assert Voice().hear("do this", machine=True) == [MachineText("do this")]


def test_blank_texts_say_nothing() -> None:
    assert Voice().hear(" \n") == []


def test_the_request_is_found_below_what_an_editor_puts_before_it() -> None:
    text = "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nrename it\n"

    assert typed(text)[0] == "rename it"


def test_a_text_full_of_opening_tags_is_read_in_linear_time() -> None:
    text = "say " + "".join(f"<ide_{'abcdefghij'[n % 10]}{'x' * (n % 30)}>" for n in range(100_000))
    started = time.perf_counter()

    assert typed(text)[0] == text
    assert time.perf_counter() - started < 5
