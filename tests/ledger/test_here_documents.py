"""The texts in a command between a mark and their end."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.here_documents import MAX_MARKS, first_text, without_texts
from tests.transcript.test_patterns import SOURCES, patterns_in

LINES = st.lists(st.sampled_from(["<<E", "cat <<'E' > a", "E", "\tE ", "<<A <<E", "A", "rm b", ""]), max_size=9)


@pytest.mark.parametrize(
    ("command", "text", "rest"),
    [
        ("cat > a <<'E'\none\n\ntwo\nE\nls", "one\n\ntwo\n", "cat > a \nls"),
        ("sh <<-E\n\tone\n\tE", "\tone\n", "sh "),
        ("cat <<A\ncat <<B\none\nB", "one\n", "cat <<A\ncat "),
        ("cat <<A <<B\none\nB", "one\n", "cat <<A "),
        ("cat <<E\nE", "", "cat "),
        ("cat <<E\none", "", "cat <<E\none"),
        ("make", "", "make"),
    ],
)
def test_a_text_with_an_end_is_parted_from_its_command(command: str, text: str, rest: str) -> None:
    assert (first_text(command), without_texts(command)) == (text, rest)


@given(LINES)
def test_what_is_not_left_out_stays_as_it_is(lines: list[str]) -> None:
    command = "\n".join(lines)
    assert without_texts(command, lambda _: False) == command
    assert first_text(command) in command


def steps(command: str) -> int:
    """How many functions are called to part a command from its texts."""
    counted = 0

    def count(_frame: object, event: str, _of: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        without_texts(command)
        first_text(command)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("line", ["cat <<E\n", "cat <<{} \n", "<<A" * MAX_MARKS + "\n", "<<'E" * 20 + "\n"])
def test_texts_without_an_end_take_steps_in_proportion(line: str) -> None:
    few, many = ("".join(line.format(f"E{n}") for n in range(lines)) for lines in (200, 400))
    assert steps(many) < 2.1 * steps(few)


def test_no_pattern_looks_for_the_end_of_a_here_document() -> None:
    """Where there is none, it would look through all that follows, for every mark anew."""
    found = [text for path in SOURCES for text in patterns_in(path.read_text()) if "<<" in text]
    assert len(found) > 1
    assert not [text for text in found if r"\2" in text or "(?P=" in text]
