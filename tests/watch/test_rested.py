"""A daemon that starts again wakes only those of which something may be due."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.presence import Presence
from memcli.sidecar.store import Store
from memcli.watch import rested
from memcli.watch.crew import Crew
from memcli.watch.keeper import Keeper
from memcli.watch.roster import Known
from memcli.watch.tail import identity
from tests.builders import Script, eventually, session_file
from tests.watch.playing import LONG, NEVER, SOON, Play, play
from tests.watch.programs import HELD, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memcli.session import Triggers

MARKED = "- The well is dry.\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A transcript that has its memory, and rests; its daemon has ended."""
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        assert loop.rests()

    play([tmp_path], story, idle=0.0)
    assert note(path).exists()
    return path


@pytest.fixture
def here() -> Iterator[Presence]:
    presence = Presence.start()
    yield presence
    presence.end()


def note(path: Path) -> Path:
    return Place.of(path).sidecar / rested.FILE


def stands(path: Path) -> tuple[int, int]:
    """Tells one note from another of the same words."""
    stat = note(path).stat()
    return stat.st_ino, stat.st_mtime_ns


def started(path: Path, triggers: Triggers = SOON) -> Play:
    """Another daemon, until it follows the transcript and everybody rests."""

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        assert loop.rests()

    return play([path.parent], story, triggers, idle=0.0)


def generations(path: Path) -> list[int]:
    return Store(Place.of(path)).generations.numbers()


def test_one_of_which_nothing_is_due_is_followed_and_not_woken(run: Path) -> None:
    before = stands(run)
    told = started(run)
    assert stands(run) == before
    assert [fields["memory"] for fields in told.events("following", run)] == [str(Place.of(run).memory)]
    assert told.events("warning") == []


def test_one_that_is_not_woken_has_its_lock_and_answers_who_asks(run: Path) -> None:
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", run)
        with pytest.raises(AlreadyWatched):
            Lock.acquire(Place.of(run).lock, "update", 1.0)
        answers.append(loop.update(run))

    play([run.parent], story)
    assert answers == ["covers 8 messages"]


def test_what_is_appended_later_wakes_it(run: Path) -> None:
    def story(loop: Play) -> None:
        assert loop.says("following", run)
        with run.open("ab") as file:
            file.write(Script("anthropic", serial=100).turn(7, output=LONG).data)
        assert loop.says("updated", run)

    assert play([run.parent], story).events("replaced") == []
    assert "step 7 of the plan" in Place.of(run).memory.read_text()


def test_what_was_appended_meanwhile_wakes_it(run: Path) -> None:
    with run.open("ab") as file:
        file.write(Script("anthropic", serial=100).turn(7, output=LONG).data)
    started(run)
    assert generations(run) == [1, 2]


def test_what_the_user_wrote_meanwhile_wakes_it(run: Path) -> None:
    memory = Place.of(run).memory
    memory.write_text(memory.read_text().replace("## Active Work\n", f"## Active Work\n{MARKED}"))
    started(run)
    assert generations(run) == [1, 2]
    assert MARKED in memory.read_text()


def test_other_rules_wake_it(run: Path) -> None:
    before = stands(run)
    started(run, msgspec.structs.replace(SOON, budget=3000))
    assert stands(run) != before


def test_lower_thresholds_are_heard_of_a_transcript_that_had_no_memory(tmp_path: Path) -> None:
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)
    started(path, NEVER)
    assert (note(path).exists(), generations(path)) == (True, [])
    started(path)
    assert generations(path) == [1]


@pytest.mark.parametrize("damage", [b"", b"[[1,2", b"{}", b"\xff"])
def test_half_of_a_note_is_none(run: Path, damage: bytes) -> None:
    note(run).write_bytes(damage)
    started(run)
    assert note(run).read_bytes() != damage


def test_who_opens_the_sidecar_takes_the_note_away(run: Path) -> None:
    keeper = Keeper(Place.of(run), SOON)
    keeper.open("update", 1.0)
    assert not note(run).exists()
    keeper.close()
    assert not note(run).exists()


def test_while_an_answer_is_awaited_there_is_no_note(tmp_path: Path) -> None:
    """The daemon ends before the answer comes: the next one asks again."""
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)
    asked, gate = tmp_path / "asked", tmp_path / "gate"

    def story(loop: Play) -> None:
        assert eventually(asked.exists)

    play([tmp_path], story, idle=0.0, summarizer=program(HELD, asked, gate))
    assert (note(path).exists(), generations(path)) == (False, [])
    started(path)
    assert generations(path) == [1]


def test_one_that_is_not_read_to_its_end_leaves_no_note(tmp_path: Path, here: Presence) -> None:
    """Others come first: it rests in the middle of its backlog."""
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)
    crew, known = Crew(NEVER, lambda _: None), Known(str(path))
    crew.presence = here
    for most in (1000, None):
        awake = crew.wake(known, 0.0)
        assert awake is not None
        awake.keeper.look(0.0, most)
        awake.due, known.seen = None, identity(str(path))
        crew.rest(str(path))
        assert note(path).exists() == (most is None)


def test_that_a_model_is_owed_is_not_forgotten(run: Path, here: Presence) -> None:
    seen = identity(str(run))
    assert seen is not None
    for owed in (True, False):
        rested.note(Place.of(run), seen, rested.rules(SOON), owed=owed)
        crew, known = Crew(SOON, lambda _: None), Known(str(run))
        crew.presence = here
        assert crew.pass_by(known)
        assert (known.owed is not None, known.seen, len(crew)) == (owed, seen, 0)


def test_a_file_of_the_same_size_that_took_the_place_is_read(run: Path) -> None:
    stat = run.stat()
    run.with_name("new").write_bytes(run.read_bytes().replace(b"step 0", b"step 9"))
    run.with_name("new").replace(run)
    os.utime(run, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    started(run)
    assert "step 9 of the plan" in Place.of(run).memory.read_text()
