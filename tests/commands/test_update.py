"""`memcli update`: one memory, once; and the question whether there is anything to do."""

from __future__ import annotations

import json
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from memcli.commands.compact import Wish, compact
from memcli.commands.stop import stop
from memcli.commands.update import problems, update
from memcli.errors import (
    AlreadyWatched,
    IsDirectory,
    MemoryStale,
    NoMemory,
    NoMessages,
    NothingThere,
    NoTranscript,
    TryAgain,
    Usage,
)
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import ask
from tests.builders import Script, session, session_file
from tests.commands.states import committed, edit, grown, remembered, rested, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def updated(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the verb; gives what it says on stderr. Nothing is ever said on stdout."""

    def run(path: Path, **more: Any) -> str:
        options = {"check": False, "quiet": False} | more
        capsys.readouterr()
        assert update(path, options.pop("overrides", {}), **options) == 0
        out, err = capsys.readouterr()
        assert out == ""
        return err

    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A transcript of three turns with a memory of all of them."""
    return remembered(session_file(tmp_path / "run.jsonl"))


def memory(path: Path) -> str:
    return Place.of(path).memory.read_text()


def numbers(path: Path) -> list[int]:
    return Store(Place.of(path)).generations.numbers()


def test_the_first_update_makes_the_first_generation(tmp_path: Path, updated: Any) -> None:
    path = rested(session_file(tmp_path / "run.jsonl"))
    err = updated(path)

    assert err == f"memcli: {tmp_path / 'session-memory.md'}: generation 1, covers 15 of 15 messages\n"
    assert "please do step 2 of the plan" in memory(path)
    assert path.read_bytes() == session("claude-code")


def test_a_transcript_that_went_on_gets_the_next_generation(run: Path, updated: Any) -> None:
    grown(run)
    assert "generation 2, covers 20 of 20 messages" in updated(rested(run))
    assert "please do step 7 of the plan" in memory(run)
    assert numbers(run) == [1, 2]


def test_a_current_memory_is_left_as_it_is(run: Path, updated: Any) -> None:
    before = Place.of(run).memory.stat()
    assert "already current, covers 15 of 15 messages" in updated(run)
    assert Place.of(run).memory.stat() == before
    assert numbers(run) == [1]


def test_a_hand_edit_is_taken_into_the_next_generation(run: Path, updated: Any) -> None:
    edit(run, "User Intent", "- never push to main")
    assert "generation 2" in updated(run)
    assert "- never push to main" in memory(run)
    assert "already current" in updated(run)


def test_nothing_but_an_open_round_cannot_be_covered_yet(tmp_path: Path, updated: Any) -> None:
    script = Script("anthropic").prompt("mend the dam")
    script.call("Looking.", "ls")
    (tmp_path / "run.jsonl").write_bytes(script.data)
    err = updated(rested(tmp_path / "run.jsonl"))
    assert err.startswith("memcli: ")
    assert "of 2 messages" in err or "nothing can be covered yet: 2 messages" in err


def test_verbose_tells_the_context_and_quiet_nothing(run: Path, updated: Any) -> None:
    assert "memcli: context is about " in updated(run, verbose=True)
    assert updated(run, quiet=True) == ""


def test_what_could_not_be_read_is_counted(tmp_path: Path, updated: Any) -> None:
    path = session_file(tmp_path / "run.jsonl", "anthropic")
    path.write_bytes(path.read_bytes() + b"{damaged\n" + session("anthropic", 1))
    last = updated(rested(path)).splitlines()[-1]
    assert last.startswith("memcli: 1 x ")


def test_problems_are_a_sentence_each_in_a_fixed_order() -> None:
    assert problems({"unknown block": 2, "no JSON": 1}) == ["1 x no JSON", "2 x unknown block"]


def test_a_setting_of_the_command_line_is_followed(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="budget"):
        update(session_file(tmp_path / "run.jsonl"), {"budget": 10}, check=False, quiet=True)
    assert numbers(tmp_path / "run.jsonl") == []


def test_a_line_of_a_batch_is_remembered_beside_it(tmp_path: Path, updated: Any) -> None:
    path = tmp_path / "talks.jsonl"
    talks = [[json.loads(line) for line in session("openai", turns).splitlines()] for turns in (1, 2)]
    path.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))

    assert "generation 1, covers 8 of 8 messages" in updated(path, line=2)
    assert "please do step 1 of the plan" in memory(path)
    assert "already current" in updated(path, line=2)


# ------------------------------------------------------------------ --check


def test_check_is_content_with_a_current_memory(run: Path, updated: Any) -> None:
    assert updated(run, check=True) == ""


def test_check_refuses_a_stale_memory_and_changes_nothing(run: Path) -> None:
    grown(run)
    before = memory(run)
    with pytest.raises(MemoryStale):
        update(run, {}, check=True, quiet=False)
    assert (memory(run), numbers(run)) == (before, [1])


def test_check_without_a_memory_makes_none(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl")
    with pytest.raises(NoMemory):
        update(path, {}, check=True, quiet=False)
    assert list(tmp_path.iterdir()) == [path]


# ------------------------------------------------------------------ beside a daemon


@pytest.fixture
def answering(run: Path) -> Iterator[Path]:
    """A daemon which answers at once; it lives in this process, where the signal is heard."""

    def answer(*_: object) -> None:
        assert ask.asked(Place.of(run).sidecar)
        ask.answer(Place.of(run).sidecar, "is current")

    before = signal.signal(signal.SIGUSR1, answer)
    with watched(run):
        yield run
    signal.signal(signal.SIGUSR1, before)


def test_beside_a_daemon_it_is_asked_and_its_answer_told(answering: Path, updated: Any) -> None:
    generation = committed(answering).generation
    first, second = updated(answering).splitlines()

    assert first.startswith("memcli: waiting for the update in flight (process ")
    assert second == f"memcli: {Place.of(answering).memory} is current"
    assert committed(answering).generation == generation
    assert not ask.asked(Place.of(answering).sidecar)


def test_beside_a_daemon_quiet_is_quiet(answering: Path, updated: Any) -> None:
    assert updated(answering, quiet=True) == ""


def test_a_daemon_that_does_not_answer_in_time_is_left_alone(run: Path) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with watched(run), pytest.raises(TryAgain, match="did not answer within 0 s"):
            update(run, {"wait": 0}, check=False, quiet=True)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def busy(run: Path) -> Iterator[Lock]:
    """Another verb is at work on the transcript; a signal would end it."""
    signalled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: signalled.append(1))
    with Lock.acquire(Place.of(run).lock, "update", 0.0) as lock:
        yield lock
    signal.signal(signal.SIGUSR1, before)
    assert signalled == []


def test_another_update_is_waited_for_and_never_signalled(run: Path, busy: Lock, updated: Any) -> None:
    threading.Timer(0.1, busy.release).start()
    assert "already current" in updated(run)


def test_another_update_that_does_not_end_in_time_is_named(run: Path, busy: Lock) -> None:
    with pytest.raises(AlreadyWatched, match=r"is already watched by process \d+ \(update\)"):
        update(run, {"wait": 0}, check=False, quiet=True)


def test_a_verb_that_is_at_work_for_a_moment_is_nothing_to_stop(run: Path, busy: Lock) -> None:
    with pytest.raises(NothingThere, match="nobody watches"):
        stop(run, quiet=True)


def test_compact_waits_for_an_update_that_is_at_work_if_it_is_allowed_to(
    run: Path, busy: Lock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is something to wait for only where nothing that is committed will do: here it is gone."""
    (Place.of(run).sidecar / "head").unlink()
    threading.Timer(0.5, busy.release).start()
    assert compact(str(run), Wish(output=tmp_path / "out", wait=10.0)) == 0
    assert capsys.readouterr().err.startswith("memcli: waiting for the update in flight\n")
    assert b"memcli generation=" in (tmp_path / "out").read_bytes()


def test_a_lock_whose_holder_is_not_known_cannot_be_asked(run: Path) -> None:
    with watched(run) as lock:
        assert isinstance(lock, Lock)
        Place.of(run).lock.write_bytes(b"")
        with pytest.raises(AlreadyWatched, match="another process"):
            update(run, {"wait": 0}, check=False, quiet=True)


# ------------------------------------------------------------------ what cannot be done


@pytest.mark.parametrize("format", ["claude-code", "codex", "pi"])
def test_an_empty_transcript_is_not_remembered(tmp_path: Path, format: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script(format).data)
    with pytest.raises(NoMessages, match=r"run\.jsonl"):
        update(rested(path), {}, check=False, quiet=True)
    assert not Place.of(path).memory.exists()


def test_a_directory_is_watched_and_not_updated(tmp_path: Path) -> None:
    with pytest.raises(IsDirectory) as caught:
        update(tmp_path, {}, check=False, quiet=True)
    assert caught.value.hint == f"memcli watch {tmp_path}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NoTranscript, match="no such file"):
        update(tmp_path / "run.jsonl", {}, check=False, quiet=True)


def test_a_file_without_a_message_does_not_own_the_plain_name(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(NoMessages):
        update(tmp_path / "empty.jsonl", {}, check=False, quiet=True)

    assert not (tmp_path / ".memcli" / ".session-memory.md.owner").exists()
