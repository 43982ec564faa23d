from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.transcript.entries import Interrupt, MachineText, UserText
from memcli.transcript.formats.voice import Voice, is_machine, typed


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
    started = time.process_time()

    assert typed(text)[0] == text
    assert time.process_time() - started < 5


TAGS = [
    *("task-notification", "local-command-stdout", "local-command-caveat", "command-contents", "bash-input"),
    *("bash-stdout", "bash-stderr", "system-reminder", "user-prompt-submit-hook", "environment_context"),
    *("turn_aborted", "user_instructions", "INSTRUCTIONS", "permissions", "skill", "app-context"),
    *("collaboration_mode", "subagent_notification", "user_shell_command", "teammate-message"),
    *("command-name", "command-message", "command-args"),
]


@pytest.mark.parametrize("tag", TAGS)
def test_each_tag_of_a_harness_is_known_at_the_beginning_alone(tag: str) -> None:
    assert is_machine(f"<{tag}>x")
    assert is_machine(f' \n<{tag} kind="1">x')
    assert not is_machine(f"see <{tag}>x")
    assert not is_machine(f"{tag}>")


@pytest.mark.parametrize("text", ["<skillful> people", "<permissionsets>", "<bash>", "<command-line>", "<b>bold</b>"])
def test_tags_of_people_are_words(text: str) -> None:
    assert typed(text) == (text, "")


def test_words_behind_a_reminder_are_still_a_prompt_and_machine_text_behind_it_is_not() -> None:
    reminder = "<system-reminder>r</system-reminder>"

    assert Voice().hear(f"{reminder}\nfix it") == [UserText("fix it"), MachineText(reminder)]
    assert Voice().hear(f"{reminder}<bash-input>ls</bash-input>") == [
        MachineText(f"{reminder}<bash-input>ls</bash-input>")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            " <command-name>/r</command-name><command-args> a b </command-args>",
            [UserText("a b", "command"), MachineText(" <command-name>/r</command-name>")],
        ),
        ("<command-args>never closed", None),
        ("<command-args> </command-args>", None),
        ("<command-name>/clear</command-name>", None),
    ],
)
def test_only_arguments_of_a_command_are_words(text: str, words: list[UserText] | None) -> None:
    assert Voice().hear(text) == (words or [MachineText(text)])


def test_arguments_of_a_command_after_an_interrupt_are_steering() -> None:
    voice = Voice(armed=True)

    assert voice.hear("<command-args>tabs</command-args>")[0] == UserText("tabs", "command", steering=True)
    assert not voice.armed


def test_a_command_that_the_harness_wrote_is_machine_text() -> None:
    text = "<command-args>do it</command-args>"

    assert Voice().hear(text, machine=True) == [MachineText(text)]


@pytest.mark.parametrize(("length", "interrupts"), [(79, True), (80, False)])
def test_an_interrupt_is_a_short_text(length: int, interrupts: bool) -> None:
    text = "[Request interrupted by user".ljust(length - 1) + "]"

    assert (Voice().hear(text) == [Interrupt()]) == interrupts


@pytest.mark.parametrize(
    "text",
    [
        "# Context from my IDE setup:\n## Open tabs:\n- a.py",  # no request
        "# Context from my IDE setup:\n## My request for Codex:",  # an empty one
        "notes\n## My request for Codex:\nrename it",  # somebody's own heading
    ],
)
def test_what_only_looks_like_an_editors_context_is_left_whole(text: str) -> None:
    assert typed(text) == (text, "")


def test_an_editors_context_is_kept_apart_from_the_request() -> None:
    context = "# Context from my IDE setup:\n- a.py\n"

    assert typed(context + "## My request for Codex:\n rename it ") == ("rename it", context)


@pytest.mark.parametrize(
    ("text", "words", "around"),
    [
        ("a <ide_x>1</ide_x> b", "a   b", "<ide_x>1</ide_x>"),
        ("a <ide_x>1 <ide_y>2</ide_y></ide_x> b", "a   b", "<ide_x>1 <ide_y>2</ide_y></ide_x>"),
        ("a <ide_x>1 <ide_y>2</ide_y> b", "a <ide_x>1   b", "<ide_y>2</ide_y>"),
        ("<ide_x></ide_x><ide_x>2</ide_x>z", "z", "<ide_x></ide_x>\n<ide_x>2</ide_x>"),
        ("<ide_X>1</ide_X>", "<ide_X>1</ide_X>", ""),
        ("a < b and c > d", "a < b and c > d", ""),
    ],
)
def test_embedded_blocks_are_cut_out_whole(text: str, words: str, around: str) -> None:
    assert typed(text) == (words, around)


@settings(max_examples=80)
@given(
    st.lists(
        st.sampled_from(["fix", " ", "<ide_a>", "</ide_a>", "<system-reminder>", "</system-reminder>", "é", "\n", "<"])
    ).map("".join)
)
def test_no_word_of_a_text_is_lost_whoever_it_belongs_to(text: str) -> None:
    words, around = typed(text)

    assert sorted("".join((words + around).split())) == sorted("".join(text.split()))
