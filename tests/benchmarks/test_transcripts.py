"""Sessions that nobody had: of the wanted size, always the same, and read by memcli like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.session import Session, Triggers
from memcli.transcript.recognise import recognise
from scripts.benchmarks.transcripts import ANTHROPIC, CLAUDE_CODE, steps, write

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = [CLAUDE_CODE, ANTHROPIC]


def read(data: bytes) -> Session:
    session = Session(recognise(data, "it"), Triggers())
    session.receive(data, 0.0)
    return session


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, format: str) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, format, 100_000, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
    assert 100_000 <= len(a) < 400_000


@pytest.mark.parametrize("format", FORMATS)
def test_every_message_of_a_repeated_story_lives(tmp_path: Path, format: str) -> None:
    write(tmp_path / "it", format, 400_000, block=50_000)
    session = read((tmp_path / "it").read_bytes())
    lines = (tmp_path / "it").read_bytes().count(b"\n")
    assert (session.format, session.messages >= lines * 0.6, session.marks.copies) == (format, True, [])
    assert not session.reader.problems
    assert not session.thread.dead


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_appended_goes_on_with_what_stands_there(tmp_path: Path, format: str) -> None:
    write(tmp_path / "it", format, 50_000)
    before = read((tmp_path / "it").read_bytes()).messages
    write(tmp_path / "it", format, 50_000, 2, words_only=True)
    session = read((tmp_path / "it").read_bytes())
    assert session.messages > before
    assert not session.thread.dead
    assert b"tool_use" not in (tmp_path / "it").read_bytes()[-50_000:]


def test_the_facts_that_are_told_of_stand_in_every_copy(tmp_path: Path) -> None:
    facts = write(tmp_path / "it", ANTHROPIC, 600_000, block=200_000)
    text = (tmp_path / "it").read_bytes()
    for told in facts:
        assert len(told) == len(set(told)) > 1
        assert all(fact.encode() in text for fact in told)
    assert b"@" not in text


def test_each_step_ends_a_turn_and_begins_the_next() -> None:
    pieces = steps(CLAUDE_CODE, 4)
    session = read(pieces[0])
    for number, piece in enumerate(pieces[1:], 1):
        session.receive(piece, 0.0)
        last = session.boundaries.last
        assert last is not None
        assert (last.turn, session.thread.closed) == (True, False), number
