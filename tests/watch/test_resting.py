"""Transcripts that rest: nothing of them is in memory, and nothing of what comes of them is different."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcli.effects import StartJob
from memcli.errors import AlreadyWatched
from memcli.memory.fitting import rendered
from memcli.session import Triggers
from memcli.sidecar.lock import Lock, holder
from memcli.sidecar.place import Place
from memcli.sidecar.presence import Presence
from memcli.sidecar.store import Store
from memcli.watch.crew import MOST
from memcli.watch.keeper import REREAD_BYTES, Keeper
from tests.builders import FORMATS, Script, session_file
from tests.watch.playing import LONG, NEVER, Play, play
from tests.watch.programs import TOGETHER, program

DEEP = Triggers(init_tokens=300, update_tokens=300)


@pytest.fixture
def here():
    presence = Presence.start()
    yield presence
    presence.end()


def lines(format: str, turns: int) -> list[bytes]:
    script = Script(format)
    for number in range(turns):
        script.turn(number, output=LONG)
    return script.data.splitlines(keepends=True)


class Following:
    """A transcript that grows, followed by one keeper or by a new one for each append; jobs are answered at once."""

    def __init__(self, path, presence: Presence, *, resting: bool) -> None:
        path.parent.mkdir()
        path.touch()
        self.path, self.presence, self.resting = path, presence, resting
        self.keeper = self.opened()
        self.now = 0.0

    def opened(self) -> Keeper:
        keeper = Keeper(Place.of(self.path), DEEP)
        keeper.open("watch", 0.0, self.presence)
        return keeper

    def append(self, data: bytes, seconds: float) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        if self.resting:
            self.keeper.rest()
            self.keeper = self.opened()
        self.now += seconds
        self.keeper.look(self.now)
        self.decide(self.now)
        self.now += 5.0
        self.decide(self.now)

    def decide(self, now: float) -> None:
        for effect in self.keeper.tick(now, 1.0):
            if isinstance(effect, StartJob):
                self.keeper.answered(rendered(effect.job), now, 1.0)

    def came_to(self) -> list[object]:
        """Everything that is kept of it."""
        session, store = self.keeper.session, self.keeper.store
        said = session.save() if session else b""
        return [said, [(one.covered, one.memory) for one in store.generations.all()], self.keeper.head and memory(self)]


def memory(following: Following) -> str:
    return Place.of(following.path).memory.read_text()


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 40), min_size=2, max_size=8))
def test_resting_between_every_append_gives_the_same_memories(tmp_path, here, format, cuts):
    """Also where an append ends in the middle of a line."""
    shutil.rmtree(tmp_path, ignore_errors=True)
    tmp_path.mkdir()
    one = Following(tmp_path / "one" / "run.jsonl", here, resting=False)
    other = Following(tmp_path / "other" / "run.jsonl", here, resting=True)
    data = b"".join(lines(format, 5))
    for cut in cuts:
        part, data = data[: cut * 97], data[cut * 97 :]
        one.append(part, 1.0)
        other.append(part, 1.0)
    one.append(data, 1.0)
    other.append(data, 1.0)
    assert one.came_to() == other.came_to()
    assert numbers(one.path) != []


def numbers(path) -> list[int]:
    return Store(Place.of(path)).generations.numbers()


def test_one_that_rests_keeps_its_lock(tmp_path, here):
    following = Following(tmp_path / "room" / "run.jsonl", here, resting=False)
    following.append(b"".join(lines("anthropic", 1)), 1.0)
    following.keeper.rest()
    with pytest.raises(AlreadyWatched):
        Lock.acquire(following.keeper.place.lock, "update", 1.0)
    following.opened().close()
    Lock.acquire(following.keeper.place.lock, "update", 1.0).release()


def test_a_beginning_that_nothing_was_made_of_writes_nothing(tmp_path, here):
    """Ten thousand of them cost a directory and a lock each; what is longer is saved, lest it be read again."""
    path = session_file(tmp_path / "run.jsonl", turns=1)
    for written in (False, True):
        keeper = Keeper(Place.of(path), NEVER)
        keeper.open("watch", 0.0, here)
        keeper.look(0.0)
        keeper.rest()
        assert (keeper.store.state() is not None) == written
        with path.open("ab") as file:
            file.write(Script("anthropic", serial=50).turn(1, output="x" * REREAD_BYTES).data)
    assert {entry.name for entry in keeper.place.sidecar.iterdir()} >= {"lock", "state"}


# ------------------------------------------------------------------ in the loop


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_who_is_not_appended_to_rests_and_wakes_at_the_next_append(tmp_path):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        for times in (2, 3, 4):
            assert loop.rests()
            append(path, Script("anthropic", serial=100 * times).turn(times, output=LONG).data)
            assert loop.says("updated", path, times=times)

    told = play([path], story, idle=0.0)
    assert numbers(path) == [1, 2, 3, 4]
    assert "step 4 of the plan" in Place.of(path).memory.read_text()
    assert len(told.events("following")) == 1


def test_one_that_rests_is_not_free_and_answers_who_asks(tmp_path):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2)
    answers = []

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        assert loop.rests()
        assert holder(Place.of(path).lock).pid == os.getpid()
        answers.append(loop.update(path))

    play([tmp_path], story, NEVER, idle=0.0)
    assert answers == ["covers 8 messages"]


def test_replaced_while_it_rests_it_is_read_as_the_other_file_that_it_is(tmp_path):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 3, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        assert loop.rests()
        session_file(path.with_name("new"), "codex", 2, output=LONG.upper()).replace(path)
        assert loop.says("replaced", path)
        assert loop.says("updated", path, times=2)

    play([path], story, idle=0.0)
    assert "step 2 of the plan" not in Place.of(path).memory.read_text()


def test_deleted_while_it_rests_it_costs_nothing_and_comes_back(tmp_path):
    path = session_file(tmp_path / "run.jsonl", "anthropic", 2, output=LONG)
    content = path.read_bytes()

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        assert loop.rests()
        path.unlink()
        other = session_file(tmp_path / "other.jsonl", "pi", output=LONG)
        assert loop.says("updated", other)
        path.write_bytes(content + Script("anthropic", serial=300).turn(5, output=LONG).data)
        assert loop.says("updated", path, times=2)

    assert play([tmp_path], story, idle=0.0).events("warning") == []


def test_as_many_updates_are_in_flight_as_are_asked_for(tmp_path):
    """The summarizer answers nobody before it has been asked for all."""
    jobs = MOST + 8
    for number in range(jobs):
        session_file(tmp_path / f"{number}.jsonl", "anthropic", 2, output=LONG)

    def story(loop: Play) -> None:
        assert loop.says("updated", times=jobs)

    played = play([tmp_path], story, jobs=jobs, summarizer=program(TOGETHER, jobs))
    assert played.events("warning") == []


def test_more_than_may_be_awake_are_all_followed(tmp_path):
    """Each has its memory at the end, and never were too many awake."""
    paths = [session_file(tmp_path / f"{n}.jsonl", "anthropic", 2, output=LONG) for n in range(MOST + 8)]
    awake = []

    def story(loop: Play) -> None:
        assert loop.says("updated", times=len(paths))
        for number, path in enumerate(paths):
            awake.append(len(loop.loop.keepers))
            append(path, Script("anthropic", serial=900).turn(7 + number, output=LONG).data)
        assert loop.says("updated", times=2 * len(paths))

    play([tmp_path], story, jobs=4)
    assert max(awake) <= MOST + 4
    assert all(f"step {7 + number} of" in Place.of(path).memory.read_text() for number, path in enumerate(paths))
