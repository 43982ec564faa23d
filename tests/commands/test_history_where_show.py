"""The verbs that only look: history, where, show, status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memcli.commands.history import history
from memcli.commands.show import show
from memcli.commands.status import status
from memcli.commands.where import where
from memcli.errors import NoMemory, NoMessages, NotATranscript, NoTranscript
from memcli.sidecar.place import Place
from tests.builders import FORMATS, session, session_file
from tests.commands.states import committed, grown, remembered, watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memcli.errors import MemcliError

    Captured = pytest.CaptureFixture[str]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A transcript without a memory."""
    return session_file(tmp_path / "run.jsonl")


@pytest.fixture
def run(bare: Path) -> Path:
    """A transcript of three turns with a memory of all of them."""
    return remembered(bare)


def test_history_tells_each_generation_oldest_first(run: Path, capsys: Captured) -> None:
    grown(run)
    remembered(run)
    assert history(run, as_json=False) == 0
    head, first, second = capsys.readouterr().out.splitlines()

    assert head.split() == ["n", "made", "backend", "ms", "messages", "tokens", "id"]
    assert (first.split()[0], second.split()[0]) == ("1", "2")
    assert "15 -> 6" in first
    assert "20 -> " in second
    assert second.endswith(committed(run).generation)
    assert len({line.index(" embedded ") for line in (first, second)}) == 1


def test_history_as_json_names_schema_parent_and_numbers(run: Path, capsys: Captured) -> None:
    grown(run)
    remembered(run)
    history(run, as_json=True)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())

    assert first["schema"] == "memcli.generation/1"
    assert (first["n"], second["n"]) == (1, 2)
    assert (first["parent"], second["parent"]) == ("", first["id"])
    assert first["covered_bytes"] == len(session("claude-code"))
    assert first["messages"] == {"before": 15, "after": 6}
    assert second["messages"]["before"] == 20
    assert (first["backend"], first["model"]) == ("embedded", "")


def test_show_prints_the_markdown_byte_for_byte(run: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Place.of(run).memory.write_bytes("# mine\r\né\x00 \xff".encode("latin-1"))
    assert show(run) == 0
    assert capfdbinary.readouterr().out == "# mine\r\né\x00 \xff".encode("latin-1")


@pytest.mark.parametrize("verb", [show, lambda path: history(path, as_json=False)], ids=["show", "history"])
def test_without_a_memory_there_is_nothing_to_look_at(bare: Path, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(NoMemory, match="no session memory beside") as caught:
        verb(bare)
    assert caught.value.hint == f"memcli update {bare}"
    assert list(bare.parent.iterdir()) == [bare]


@pytest.mark.parametrize("verb", [lambda path: history(path, as_json=False), show])
@pytest.mark.parametrize(
    ("content", "error", "why"),
    [
        ('{"id": 1}\n', NotATranscript, "of no transcript format known"),
        ("", NoMessages, r"run\.jsonl is empty\nTry: memcli watch /.*/run\.jsonl"),
    ],
)
def test_of_what_can_have_no_memory_that_is_said_at_once(
    bare: Path, verb: Callable[[Path], object], content: str, error: type[MemcliError], why: str
) -> None:
    bare.write_text(content)
    with pytest.raises(error, match=why):
        verb(bare)


def test_where_prints_the_path_and_nothing_else(run: Path, capsys: Captured) -> None:
    assert where(run, as_json=False) == 0
    assert capsys.readouterr() == (f"{run.parent / 'session-memory.md'}\n", "")


def test_where_tells_where_a_memory_would_lie(bare: Path, capsys: Captured) -> None:
    where(bare, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "schema": "memcli.where/1",
        "transcript": str(bare),
        "memory": str(bare.parent / "session-memory.md"),
        "sidecar": str(bare.parent / ".memcli" / "run.jsonl"),
        "exists": False,
    }
    assert list(bare.parent.iterdir()) == [bare]


def test_where_follows_a_symlink_to_the_transcript(run: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "link.jsonl").symlink_to(run)
    where(tmp_path / "deep" / "link.jsonl", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["transcript"], found["exists"]) == (str(run), True)


@pytest.mark.parametrize(
    "verb",
    [
        show,
        lambda path: where(path, as_json=False),
        lambda path: history(path, as_json=True),
        lambda path: status(path, as_json=True),
    ],
    ids=["show", "where", "history", "status"],
)
def test_a_transcript_that_is_not_there_has_nothing(tmp_path: Path, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(NoTranscript, match="no such file"):
        verb(tmp_path / "run.jsonl")


# ------------------------------------------------------------------ status


def told(capsys: Captured) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    width = max(map(len, (line.split("  ")[0] for line in lines))) + 2
    return {line[:width].strip(): line[width:] for line in lines}


@pytest.mark.parametrize("format", FORMATS)
def test_status_of_a_current_memory_is_0(tmp_path: Path, capsys: Captured, format: str) -> None:
    path = remembered(session_file(tmp_path / "run.jsonl", format))
    assert status(path, as_json=False) == 0
    rows = told(capsys)

    assert rows["transcript"] == f"{path} ({format})"
    assert rows["memory"] == f"{tmp_path / 'session-memory.md'} - current"
    count = rows["messages"]
    assert rows["covered"] == f"{count} of {count} messages"
    assert rows["generation"].startswith(committed(path).generation)
    assert rows["watched by"] == "nobody"


def test_status_without_a_memory_is_3(bare: Path, capsys: Captured) -> None:
    assert status(bare, as_json=False) == 3
    rows = told(capsys)
    assert rows["memory"] == "none yet"
    assert "covered" not in rows


def test_status_of_a_stale_memory_is_4_unless_somebody_watches(run: Path, capsys: Captured) -> None:
    grown(run)
    assert status(run, as_json=False) == 4
    assert told(capsys)["covered"] == "15 of 20 messages"
    with watched(run):
        assert status(run, as_json=False) == 0
    assert told(capsys)["watched by"].endswith("(watch)")


def test_status_of_a_foreign_memory_is_4_also_beside_a_daemon(run: Path, capsys: Captured) -> None:
    session_file(run, "pi")
    with watched(run):
        assert status(run, as_json=False) == 4
    assert told(capsys)["memory"].endswith(" - foreign")


def test_status_as_json_says_the_same(run: Path, capsys: Captured) -> None:
    assert status(run, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)

    assert found.pop("context_tokens")["estimated"] > 0
    assert found.pop("made") > 1_700_000_000
    assert found.pop("summarizer")["sends"] == "nothing leaves this machine"
    assert found == {
        "schema": "memcli.status/1",
        "transcript": str(run),
        "format": "claude-code",
        "memory": str(run.parent / "session-memory.md"),
        "state": "current",
        "messages": 15,
        "covered_messages": 15,
        "generation": committed(run).generation,
        "watched_by": None,
        "problems": {},
    }


def test_status_counts_what_could_not_be_read(bare: Path, capsys: Captured) -> None:
    bare.write_bytes(b"{damaged\n{damaged\n" + bare.read_bytes())
    status(bare, as_json=False)
    assert told(capsys)["unreadable"].startswith("2 x ")
