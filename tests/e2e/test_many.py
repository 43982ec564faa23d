"""Many transcripts in one real daemon, and everything that the file system does not tell: counts, no timing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import rested
from tests.builders import PATIENCE, Script, eventually, session_file
from tests.cli.command import command, environment, fails, memcli
from tests.e2e.daemon import Daemon
from tests.watch.playing import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MANY = 300
DESCRIPTORS = 64


class Watcher(Daemon):
    """A daemon that may have few files open, and tells every change it notices."""

    def __init__(self, log: Path, *args: object, **more: str) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$0" "$@"', *command("watch", "-v", *args)],
                stdout=out,
                stderr=out,
                env={**environment(), **more},
            )

    def told(self, event: str) -> list[str]:
        """The transcripts of all events of this name, one for each."""
        words = [line.split() for line in self.heard.splitlines()]
        return [line[2] for line in words if line[1:2] == [event]]

    def follows(self, paths: Iterable[Path]) -> bool:
        """True as soon as it follows these, and has read those that do not rest: what changes before is no news."""

        def known() -> bool:
            following, read = set(self.told("following")), set(self.told("current"))
            return all(str(path) in following and (str(path) in read or rests(path)) for path in paths)

        return eventually(known)

    def notices(self, paths: Iterable[Path], happens: Callable[[], object]) -> bool:
        """True as soon as it has noticed these after something happened."""
        before, wanted = len(self.told("noticed")), set(map(str, paths))
        happens()
        return eventually(lambda: wanted <= set(self.told("noticed")[before:]))


@pytest.fixture
def watch(tmp_path):
    """Starts watchers, and ends them with the test."""
    started = []

    def start(*args: object, **more: str) -> Watcher:
        started.append(Watcher(tmp_path / f"log{len(started)}", *args, **more))
        return started[-1]

    yield start
    for daemon in started:
        daemon.process.send_signal(signal.SIGCONT)
        daemon.end()


@pytest.fixture
def room(tmp_path):
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


@pytest.fixture
def many(room):
    return made(room, MANY)


@pytest.fixture
def paths(room):
    return made(room, 40)


def rests(path: Path) -> bool:
    """True if a daemon has noted that nothing is due of it: the next one need not read it."""
    return (Place.of(path).sidecar / rested.FILE).exists()


def made(room: Path, count: int) -> list[Path]:
    found = [room / f"p{number % 10}" / f"{number}.jsonl" for number in range(count)]
    for path in found:
        path.parent.mkdir(exist_ok=True)
        session_file(path, turns=1)
    return found


def append(paths: Iterable[Path], number: int = 7) -> None:
    for path in paths:
        with path.open("ab") as file:
            file.write(Script("anthropic", serial=100 * number).turn(number).data)


def test_few_descriptors_are_enough_for_many_transcripts_and_all_changes_are_noticed(watch, room, many):
    daemon = watch(room)
    assert daemon.follows(many)
    assert daemon.notices(many, lambda: append(many))
    if Path("/proc").is_dir():
        assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < 20
    assert " warning " not in daemon.heard


def test_what_happens_while_it_is_stopped_is_noticed(watch, room, many):
    """The kernel's queue may hold only a part of it."""
    daemon = watch(room)
    assert daemon.follows(many)
    daemon.process.send_signal(signal.SIGSTOP)

    def happens() -> None:
        append(many)
        append(many[::2], 8)
        daemon.process.send_signal(signal.SIGCONT)

    assert daemon.notices(many, happens)


def replaced(path: Path) -> None:
    session_file(path.with_name("new"), "codex").replace(path)


def cut(path: Path) -> None:
    os.truncate(path, 10)


def made_anew(path: Path) -> None:
    path.unlink()
    session_file(path, "pi")


def behind_a_link(path: Path) -> None:
    """Appended to by another name, in a directory that nobody watches."""
    other = path.parents[2] / "other"
    other.mkdir(exist_ok=True)
    os.link(path, other / path.name)
    append([other / path.name])


@pytest.mark.parametrize("happens", [replaced, cut, made_anew, behind_a_link])
def test_what_happens_to_known_files_is_noticed(watch, room, paths, happens):
    daemon = watch(room)
    assert daemon.follows(paths)
    assert daemon.notices(paths[:30], lambda: [happens(path) for path in paths[:30]])


def with_its_directory(path: Path) -> None:
    path.parent.mkdir(parents=True)
    session_file(path)


def test_files_made_at_once_with_their_directories_are_followed_and_heard(watch, room, paths):
    daemon = watch(room)
    assert daemon.follows(paths[:1])
    new = [room / f"new{number}" / "deep" / f"{number}.jsonl" for number in range(50)]
    for path in new:
        with_its_directory(path)
    assert daemon.follows(new)
    assert daemon.notices(new, lambda: append(new))


def test_in_a_directory_with_another_name_all_is_followed_under_that(watch, room, paths):
    daemon = watch(room, "--init-tokens", "1")
    assert daemon.follows(paths)
    moved = [room / "moved" / path.name for path in paths if path.parent.name == "p3"]
    (room / "p3").rename(room / "moved")
    assert daemon.follows(moved)
    assert daemon.notices(moved, lambda: append(moved))
    assert " warning " not in daemon.heard


def test_links_to_files_and_directories_are_followed_to_what_they_mean(watch, room, tmp_path):
    (tmp_path / "far").mkdir()
    target, inside = session_file(tmp_path / "far" / "run.jsonl"), tmp_path / "other" / "in.jsonl"
    with_its_directory(inside)
    (room / "link.jsonl").symlink_to(target)
    (room / "way").symlink_to(inside.parent)
    daemon = watch(room)
    assert daemon.follows([target, inside])
    assert daemon.notices([target, inside], lambda: append([target, room / "way" / "in.jsonl"]))


def test_without_events_the_sweep_is_enough(watch, room, paths):
    daemon = watch(room, WATCHFILES_FORCE_POLLING="1")
    assert daemon.follows(paths)
    assert daemon.notices(paths, lambda: append(paths))
    with_its_directory(room / "new" / "late.jsonl")
    assert daemon.follows([room / "new" / "late.jsonl"])


def test_others_are_refused_and_asking_works_for_those_that_rest(watch, room, paths):
    daemon = watch(room)
    assert daemon.follows(paths)
    code, sentence = fails(memcli("watch", paths[5]))
    assert (code, f"process {daemon.process.pid}" in sentence) == (5, True)
    assert memcli("update", paths[5], "--wait", PATIENCE).code == 0
    assert holder(Place.of(paths[9]).lock).pid == daemon.process.pid
    assert memcli("stop", paths[9]).code == 0
    assert daemon.process.wait() == 143


def test_killed_it_leaves_no_lock(watch, room, paths):
    daemon = watch(room)
    assert daemon.follows(paths)
    daemon.kill()
    assert [path for path in paths if holder(Place.of(path).lock)] == []
    assert memcli("update", "-q", paths[0]).code == 0


# ------------------------------------------------------------------ a huge backlog


@pytest.fixture
def huge(room):
    """Long enough that reading it takes longer than anything else here."""
    script = Script("anthropic")
    for number in range(60):
        script.turn(number, output=LONG)
    path = room / "huge.jsonl"
    with path.open("wb") as file:
        for _ in range(400):
            file.write(script.data)
    return path


def test_it_does_not_keep_small_ones_waiting_and_is_left_at_once(watch, room, huge):
    """The huge one is not read by half when all small ones have their memory, and what was read of it is kept."""
    small = [session_file(room / f"{number}.jsonl", output=LONG) for number in range(8)]
    os.utime(huge, (time.time() + 60,) * 2)  # the first in the order
    daemon = watch(room, "--init-tokens", "200")
    assert eventually(lambda: {*map(str, small)} <= set(daemon.told("updated")))
    append(small[:1])
    assert daemon.says(f"noticed {small[0]}")
    assert str(huge) not in daemon.told("updated")
    assert daemon.end() == 143
    assert Store(Place.of(huge)).state() is not None


# ------------------------------------------------------------------ what is in memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_library_for_people_or_models_is_in_its_memory(watch, room, paths):
    daemon = watch(room)
    assert daemon.follows(paths[:10])
    maps = Path(f"/proc/{daemon.process.pid}/maps").read_text()
    assert "_rust_notify" in maps
    assert not [name for name in ("pydantic", "rich", "typer", "anthropic", "httpx") if f"/{name}" in maps]
