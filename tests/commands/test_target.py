"""Which transcript is meant where none was named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memcli.commands.target import no_memory, target, transcripts_in
from memcli.errors import NoMemory, NoTranscript, Usage
from memcli.hosts.claude_code import project_dir
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    directory = tmp_path / "work"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def put(directory: Path, *names: str) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_text('{"role": "user", "content": "Mend the sluice."}\n')
    return [directory / name for name in names]


def watched(path: Path) -> Lock:
    return Lock.acquire(Place.of(path).claim().lock, "watch", 1.0)


def test_the_one_that_was_named_is_taken_as_it_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(here, "a.jsonl", "b.jsonl")
    named = here / "a.jsonl"
    assert target(named, "show") == named
    assert capsys.readouterr() == ("", "")


def test_a_directory_may_be_named(here: Path) -> None:
    assert target(here, "watch") == here


def test_a_named_file_must_be_there(here: Path) -> None:
    put(here, "a.jsonl")
    with pytest.raises(NoTranscript, match=r"no such file: b\.jsonl"):
        target(here.__class__("b.jsonl"), "show")


def test_where_no_file_is_a_transcript_none_is_offered(here: Path) -> None:
    (here / "b.jsonl").touch()
    os.mkfifo(here / "pipe.jsonl")
    with pytest.raises(NoTranscript) as caught:
        target(here / "a.jsonl", "show")
    assert caught.value.hint == "memcli show --help"


def test_a_pipe_is_not_read_to_see_what_it_is(here: Path) -> None:
    os.mkfifo(here / "pipe.jsonl")
    assert isinstance(no_memory(here / "pipe.jsonl"), NoMemory)


def test_the_only_transcript_of_the_directory_is_taken_and_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (only,) = put(here, "a.jsonl")
    assert target(None, "show") == only
    assert capsys.readouterr() == ("", f"memcli: taking {only}\n")


def test_quiet_takes_it_in_silence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(here, "a.jsonl")
    target(None, "show", quiet=True)
    assert capsys.readouterr() == ("", "")


def test_of_several_the_watched_one_is_meant(here: Path) -> None:
    _, second, _ = put(here, "a.jsonl", "b.jsonl", "c.jsonl")
    with watched(second):
        assert target(None, "show", quiet=True) == second


def test_two_that_are_watched_leave_the_choice_open(here: Path) -> None:
    first, second, _ = put(here, "a.jsonl", "b.jsonl", "c.jsonl")
    with watched(first), watched(second), pytest.raises(Usage):
        target(None, "show")


def test_several_are_named_with_a_command_that_works(here: Path) -> None:
    put(here, "a run.jsonl", "b.jsonl", "c.jsonl", "d.jsonl", "e.jsonl")
    with pytest.raises(
        Usage, match=r"several transcripts here: a run\.jsonl, b\.jsonl, c\.jsonl, d\.jsonl\n"
    ) as caught:
        target(None, "show")
    assert caught.value.hint == "memcli show 'a run.jsonl'"


def test_of_several_one_that_is_remembered_is_offered_and_not_its_compacted_copy(here: Path) -> None:
    _, run, _ = put(here, "compacted.jsonl", "run.jsonl", "zero.jsonl")
    Place.of(run).make()
    (Place.of(run).sidecar / "head").touch()
    with pytest.raises(Usage) as caught:
        target(None, "update")
    assert caught.value.hint == "memcli update run.jsonl"


@pytest.mark.parametrize(("there", "offered"), [((), "--help"), (("zebra.jsonl",), "zebra.jsonl")])
def test_for_a_file_that_is_not_there_no_data_of_the_project_is_offered(
    here: Path, there: tuple[str, ...], offered: str
) -> None:
    put(here, *there)
    (here / "run.json.jsonl").write_text('{"id": 1, "price": 20}\n')
    with pytest.raises(NoTranscript) as caught:
        target(here.__class__("run.jsonl"), "show")
    assert caught.value.hint == f"memcli show {offered}"


def test_data_of_the_project_is_not_meant(here: Path) -> None:
    (only,) = put(here, "run.jsonl")
    (here / "data.jsonl").write_text('{"id": 1, "price": 20}\n' * 20_000)
    assert target(None, "show", quiet=True) == only
    only.unlink()
    with pytest.raises(NoTranscript):
        target(None, "show")


def test_a_transcript_without_a_line_yet_may_be_meant(here: Path) -> None:
    (here / "run.jsonl").touch()
    assert target(None, "watch", quiet=True) == here / "run.jsonl"


@pytest.mark.parametrize("silent", ["", '{"type":"mode","mode":"normal","sessionId":"5e55"}\n'])
def test_a_file_in_which_nothing_was_said_comes_after_those_that_hold_a_conversation(here: Path, silent: str) -> None:
    (here / "a.jsonl").write_text(silent)
    (session,) = put(project_dir(here), "session.jsonl")
    assert target(None, "compact", quiet=True) == session
    (spoken,) = put(here, "b.jsonl")
    assert target(None, "compact", quiet=True) == spoken


def test_of_several_in_which_nothing_was_said_none_is_meant(here: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (here / name).touch()
    with pytest.raises(Usage, match=r"several transcripts here: a\.jsonl, b\.jsonl"):
        target(None, "watch")


def test_what_memcli_wrote_itself_is_no_transcript(here: Path) -> None:
    (only,) = put(here, "a.jsonl", "a.compacted.jsonl")[:1]
    put(here / ".memcli" / "a.jsonl", "line-1.jsonl")
    (here / "d.jsonl").mkdir()
    assert transcripts_in(here) == [only]
    assert transcripts_in(here / ".memcli" / "a.jsonl") == []


# ------------------------------------------------------------------ Claude Code's own directory


@pytest.mark.parametrize("configured", [True, False])
def test_an_empty_directory_means_the_newest_session_of_its_claude_code_project(
    here: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    if configured:
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    place = project_dir(here)
    assert place.is_relative_to(tmp_path / "config" if configured else own_home / ".claude")
    old, new = put(place, "b.jsonl", "a.jsonl")
    os.utime(old, (1, 1))
    assert target(None, "show", quiet=True) == new


def test_a_transcript_here_goes_before_a_session_elsewhere(here: Path) -> None:
    put(project_dir(here), "session.jsonl")
    (only,) = put(here, "a.jsonl")
    assert target(None, "show", quiet=True) == only


def test_nothing_here_and_no_project_is_an_error(here: Path) -> None:
    with pytest.raises(NoTranscript, match="no transcript in this directory") as caught:
        target(None, "history")
    assert caught.value.hint == "memcli history --help"
