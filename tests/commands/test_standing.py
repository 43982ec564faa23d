"""How a memory stands to its transcript."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from memcli.commands.standing import standing_of
from memcli.errors import MemoryForeign, MemoryStale, NoMemory, NoMessages, NotATranscript
from memcli.sidecar.place import Place
from tests.builders import FORMATS, Script, session, session_file
from tests.commands.states import edit, grown, remembered, watched

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A transcript with a memory of all of it."""
    return remembered(session_file(tmp_path / "run.jsonl"))


@pytest.mark.parametrize("format", FORMATS)
def test_a_memory_of_everything_is_current(tmp_path: Path, format: str) -> None:
    found = standing_of(remembered(session_file(tmp_path / "run.jsonl", format)))
    assert (found.state, found.session.format) == ("current", format)
    found.require_current()


def test_without_a_memory_there_is_none_and_looking_makes_none(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl")
    found = standing_of(path)

    assert (found.state, found.head, found.holder) == ("none", None, None)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(NoMemory, match="no session memory beside"):
        found.require_current()


@pytest.mark.parametrize("format", FORMATS)
def test_a_transcript_that_went_on_makes_its_memory_stale(tmp_path: Path, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    before = standing_of(path).session.messages
    grown(path, format)
    found = standing_of(path)

    behind = found.session.messages - before
    assert found.state == "stale"
    with pytest.raises(MemoryStale, match=f" is {behind} messages behind"):
        found.require_current()


def test_an_open_round_leaves_the_memory_current(run: Path) -> None:
    """Nothing more could be covered: the next legal cut is behind the result."""
    script = Script("claude-code", after=run.read_bytes(), serial=7000)
    script.call("Looking.", "ls")
    with run.open("ab") as file:
        file.write(script.data)
    assert standing_of(run).state == "current"


def test_half_a_line_at_the_end_is_nothing_yet(run: Path) -> None:
    with run.open("ab") as file:
        file.write(Script("claude-code").turn(5).data[:50])
    assert standing_of(run).state == "current"


@pytest.mark.parametrize("other", [session("claude-code", 4, 2), session("pi"), session("claude-code", 2)])
def test_a_memory_of_what_stood_there_before_is_foreign(run: Path, other: bytes) -> None:
    run.write_bytes(other)
    found = standing_of(run)

    assert found.state == "foreign"
    with pytest.raises(MemoryForeign, match="is of another transcript"):
        found.require_current()


def test_a_changed_byte_in_the_covered_part_is_foreign(run: Path) -> None:
    run.write_bytes(run.read_bytes().replace(b"step 2", b"step 3"))
    assert standing_of(run).state == "foreign"


def test_a_transcript_and_its_sidecar_may_move(run: Path, tmp_path: Path) -> None:
    shutil.move(tmp_path, tmp_path.with_name(tmp_path.name + "-moved"))
    assert standing_of(tmp_path.with_name(tmp_path.name + "-moved") / "run.jsonl").state == "current"


def test_a_damaged_head_is_no_memory(run: Path) -> None:
    head = Place.of(run).sidecar / "head"
    head.write_bytes(head.read_bytes()[:-1])
    assert standing_of(run).state == "none"


def test_an_edit_of_the_markdown_does_not_make_it_stale(run: Path) -> None:
    """What the memory covers is the same."""
    edit(run, "User Intent", "- never push")
    assert standing_of(run).state == "current"


def test_who_watches_is_found_out(run: Path) -> None:
    with watched(run):
        holder = standing_of(run).holder
    assert holder is not None
    assert holder.command == "watch"
    assert standing_of(run).holder is None


@pytest.mark.parametrize("content", [b"", b"\n", b'{"type":"summary","summary":"bees","leafUuid":"a"}\n'])
def test_nothing_said_is_no_standing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(NoMessages):
        standing_of(path)


def test_what_is_no_transcript_has_no_standing(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("hello\nworld\n")
    with pytest.raises(NotATranscript, match=r"notes\.jsonl"):
        standing_of(path)
