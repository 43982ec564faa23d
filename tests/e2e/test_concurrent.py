"""Several programs at one transcript: a host that writes, a daemon that follows, people who ask and compact."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pytest

from memcli.errors import AlreadyWatched, TryAgain
from memcli.session import Triggers
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import spot
from memcli.watch.follower import Follower
from memcli.watch.keeper import Keeper
from tests.builders import FORMATS, PATIENCE, Script, at_calls, is_tail, pairs_are_whole, told
from tests.cli.command import command, environment
from tests.commands.states import rested
from tests.e2e.swaps import compacted, memory_of
from tests.watch.playing import LONG, Play, play

if TYPE_CHECKING:
    from pathlib import Path

SOON = Triggers(init_tokens=200, update_tokens=200, update_tool_calls=2)


class Host:
    """Writes a session in pieces that end anywhere, as fast as it can, until it is done."""

    def __init__(self, path, format: str, turns: int = 12) -> None:
        self.path, self.format = path, format
        script = Script(format)
        for number in range(turns):
            script.turn(number, rounds=2, output=LONG)
        self.data = script.data
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _write(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            for start in range(0, len(self.data), 1777):
                file.write(self.data[start : start + 1777])

    @property
    def writing(self) -> bool:
        return self._thread.is_alive()


def whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def is_part(format: str, tail: list, transcript: bytes) -> bool:
    """True if the tail stands in the transcript, each message once and in order."""
    found = told(format, whole_lines(transcript))
    return any(found[start : start + len(tail)] == tail for start in range(len(found)))


@pytest.mark.parametrize("format", FORMATS)
def test_whoever_compacts_while_the_host_writes_and_the_daemon_follows_gets_a_whole_conversation(tmp_path, format):
    path = tmp_path / "run.jsonl"
    path.touch()

    def story(loop: Play) -> None:
        assert loop.says("following", path)
        with Host(path, format) as host:
            assert loop.says("updated", path)
            while True:
                last = not host.writing
                out = compacted(path)
                assert pairs_are_whole(format, out)
                assert is_part(format, told(format, out)[1:], path.read_bytes())
                if last:
                    break
        loop.update(path)
        assert is_tail(format, compacted(path), host.data)

    play([path], story, SOON)
    assert "step 11 of the plan" in Place.of(path).memory.read_text()


def test_of_three_updates_at_once_one_makes_the_memory_and_the_others_wait_for_it(tmp_path):
    """No generation is made twice, and nobody is signalled who does not listen for it."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("pi").turn(0).turn(1).data)
    words = command("update", path, "-q", "--wait", PATIENCE)
    all_at_once = [subprocess.Popen(words, stderr=subprocess.PIPE, env=environment()) for _ in range(3)]
    ended = [(process.communicate()[1], process.returncode) for process in all_at_once]
    assert ended == [(b"", 0)] * 3
    assert Store(Place.of(path)).generations.numbers() == [1]


def test_while_a_daemon_lives_nobody_else_commits(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("pi").turn(0, output=LONG).data)

    def story(loop: Play) -> None:
        assert loop.says("updated", path)
        before = Store(Place.of(path)).head()
        with pytest.raises(AlreadyWatched):
            Keeper(Place.of(path), SOON).open("update", 0.0)
        compacted(path, fresh=True)
        assert Store(Place.of(path)).head() == before

    play([path], story)


@pytest.mark.parametrize("format", ["claude-code", "openai"])
@pytest.mark.parametrize("way", ["renamed", "truncated", "shorter"])
def test_whoever_compacts_while_the_transcript_is_replaced_gets_one_conversation_or_the_other(tmp_path, format, way):
    """Before each system call of the one, all of the other."""
    call, calls = 0, 1
    while call < calls:
        call += 17  # a sample: each is a compaction of its own
        path = tmp_path / str(call) / "run.jsonl"
        path.parent.mkdir()
        path.write_bytes(Script(format).turn(1).turn(2).data)
        memory_of(rested(path))
        with path.open("ab") as file:
            file.write(Script(format, after=path.read_bytes(), serial=500).turn(3).data)
        whole, other = path.read_bytes(), Script(format).turn(60).turn(70).turn(80, rounds=3).data
        given: list[bytes] = []

        def replace(number: int, due: int = call) -> None:
            if number == due:
                replaced(path, other[: len(whole) // 2] if way == "shorter" else other, way)  # noqa: B023

        with suppress(TryAgain):
            calls = at_calls(replace, lambda: given.append(compacted(path)))  # noqa: B023 - called at once
        for out in given:
            assert one_of(format, out, [whole, whole_lines(path.read_bytes())])
    assert calls > 100


def replaced(path, data: bytes, way: str) -> None:
    """Its time stays what it was; written over, its inode does, too."""
    before = path.stat()
    if way == "renamed":
        path.with_name("fresh").write_bytes(data)
        path.with_name("fresh").replace(path)
    else:
        path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def one_of(format: str, out: bytes, transcripts: list[bytes]) -> bool:
    """True if memory and tail are of the same transcript, and all of it."""
    memory = told(format, out)[0][1]
    return any(
        is_tail(format, out, data) and all(text in out.decode() for _, text in told(format, data) if "please" in text)
        for data in transcripts
    ) and not ("step 1 of" in memory and "step 60 of" in memory)


@pytest.mark.parametrize("way", ["renamed", "disguised"])
def test_a_memory_of_a_file_that_is_gone_never_goes_by_the_one_that_took_its_place(tmp_path, way):
    """Replaced before any system call of whoever makes a memory; asked while its maker lives, and after."""
    call, calls = 0, 1
    while call < calls:
        call += 11
        path = tmp_path / str(call) / "run.jsonl"
        path.parent.mkdir()
        path.write_bytes(Script("pi").turn(1).turn(2).data)
        other = Script("pi").turn(6).turn(7).data
        keeper = Keeper(Place.of(rested(path)), SOON)
        keeper.open("update", 0.0)

        def replace(number: int, due: int = call) -> None:
            if number == due:
                replaced(path, other, way)  # noqa: B023

        calls = at_calls(replace, lambda: spot.publish_now(keeper))  # noqa: B023 - called at once
        for _ in range(2):
            assert ("step 1 of" in told("pi", compacted(path))[0][1]) == (path.read_bytes() != other)
            keeper.close()
    assert calls > 100


def test_a_head_that_is_made_while_the_file_is_replaced_is_of_the_new_one(tmp_path):
    """By whoever may not publish: a daemon has the sidecar."""
    call, calls = 0, 1
    while call < calls:
        call += 5
        path = tmp_path / f"{call}.jsonl"
        path.write_bytes(Script("pi").turn(1).turn(2).data)
        os.utime(path, (1e9, 1e9))
        made: list[bytes] = []

        def replace(number: int, due: int = call) -> None:
            if number == due:
                replaced(path, Script("pi").turn(6).turn(7).data, "disguised")  # noqa: B023

        def make(path: Path = path) -> None:
            head = spot.head_now(Follower(str(path), Place.of(path), SOON))
            made.append(head.before + head.state + head.after)  # noqa: B023

        calls = at_calls(replace, make)
        assert (b"step 1 of" in made[0]) == (b"step 1 of" in path.read_bytes()) or call > calls - 5
    assert calls > 20
