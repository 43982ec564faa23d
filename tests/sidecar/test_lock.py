from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import Holder, Lock, freed, holder

ROOT = Path(__file__).parents[2]
HOLD = (
    "import sys, pathlib; from memcli.sidecar.lock import Lock;"
    "Lock.acquire(pathlib.Path(sys.argv[1]), 'watch', 5.0); print('held', flush=True); sys.stdin.read()"
)


def another_process(path: Path) -> subprocess.Popen[bytes]:
    """A process that holds the lock until its stdin ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_free_lock_has_no_holder(tmp_path: Path) -> None:
    assert holder(tmp_path / "lock") is None
    Lock.acquire(tmp_path / "lock", "watch", 1.0).release()
    assert holder(tmp_path / "lock") is None


def test_the_holder_says_who_it_is(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path / "lock", "update", 12.5):
        assert holder(tmp_path / "lock") == Holder(os.getpid(), 12.5, "update")


def test_a_second_taker_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    with another_process(tmp_path / "lock") as process:
        with pytest.raises(AlreadyWatched, match=f"process {process.pid}") as refused:
            Lock.acquire(tmp_path / "lock", "watch", 1.0)
        process.communicate()
    assert refused.value.pid == process.pid
    assert refused.value.code == 5


def test_the_lock_is_free_the_moment_its_holder_is_killed(tmp_path: Path) -> None:
    with another_process(tmp_path / "lock") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert holder(tmp_path / "lock") is None
    Lock.acquire(tmp_path / "lock", "watch", 1.0).release()


def test_a_shorter_line_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("99999999 123456.789 a long command that was killed\n")
    with Lock.acquire(tmp_path / "lock", "stop", 1.0):
        assert holder(tmp_path / "lock") == Holder(os.getpid(), 1.0, "stop")


def test_the_file_stays_the_same_file(tmp_path: Path) -> None:
    """Unlinking would leave two holders of two files of one name."""
    Lock.acquire(tmp_path / "lock", "watch", 1.0).release()
    first = (tmp_path / "lock").stat().st_ino
    Lock.acquire(tmp_path / "lock", "watch", 2.0).release()
    assert (tmp_path / "lock").stat().st_ino == first


def test_asking_who_holds_it_does_not_take_it(tmp_path: Path) -> None:
    Lock.acquire(tmp_path / "lock", "watch", 1.0).release()
    assert holder(tmp_path / "lock") is None
    with Lock.acquire(tmp_path / "lock", "watch", 2.0):
        pass


@pytest.mark.parametrize("content", ["", "nonsense\n", "12\n", "\xff\xfe"])
def test_a_lock_file_that_tells_nothing_is_still_a_lock(tmp_path: Path, content: str) -> None:
    with another_process(tmp_path / "lock") as process:
        (tmp_path / "lock").write_text(content, encoding="latin-1")
        assert holder(tmp_path / "lock") == Holder(0, 0.0, "")
        with pytest.raises(AlreadyWatched, match="another process"):
            Lock.acquire(tmp_path / "lock", "watch", 1.0)
        process.communicate()


def test_who_only_looks_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    """However long: the system may have let somebody else run in the middle of the look."""
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        ended = threading.Timer(0.3, fcntl.flock, (looking, fcntl.LOCK_UN))
        ended.start()
        Lock.acquire(tmp_path / "lock", "watch", 1.0).release()
        ended.join()


def test_releasing_twice_is_releasing_once(tmp_path: Path) -> None:
    lock = Lock.acquire(tmp_path / "lock", "watch", 1.0)
    lock.release()
    lock.release()
    assert holder(tmp_path / "lock") is None


@pytest.mark.parametrize(
    ("holder_of_it", "daemon"),
    [(Holder(7, 1.0, "watch"), True), (Holder(7, 1.0, "update"), False), (Holder(0, 0.0, "watch"), False)],
)
def test_only_a_watch_that_tells_its_process_is_a_daemon(holder_of_it: Holder, daemon: bool) -> None:
    assert holder_of_it.daemon is daemon


def test_waiting_for_a_free_lock_costs_no_time(tmp_path: Path) -> None:
    assert freed(tmp_path / "lock", 0.0)


def test_who_waits_too_short_is_told_that_it_is_still_held(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path / "lock", "update", 1.0):
        assert not freed(tmp_path / "lock", 0.0)
        assert not freed(tmp_path / "lock", 0.03)


def test_who_waits_sees_the_end_of_the_holder(tmp_path: Path) -> None:
    with another_process(tmp_path / "lock") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert freed(tmp_path / "lock", 60.0)


def test_the_holder_that_refuses_is_no_daemon_unless_it_watches(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path / "lock", "update", 1.0), pytest.raises(AlreadyWatched) as refused:
        Lock.acquire(tmp_path / "lock", "watch", 2.0)
    assert (refused.value.pid, refused.value.daemon) == (os.getpid(), False)


def test_a_refusal_names_the_transcript_and_what_to_try(tmp_path: Path) -> None:
    sidecar = tmp_path / ".memcli" / "my run.jsonl"
    sidecar.mkdir(parents=True)
    (tmp_path / "my run.jsonl").write_text("{}")
    with Lock.acquire(sidecar / "lock", "watch", 1.0), pytest.raises(AlreadyWatched) as refused:
        Lock.acquire(sidecar / "lock", "watch", 2.0)
    assert refused.value.sentence == f"my run.jsonl is already watched by process {os.getpid()} (watch)"
    assert refused.value.hint == f"memcli status '{tmp_path}/my run.jsonl'"


def test_a_lock_below_a_file_has_no_holder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert holder(tmp_path / "file" / "lock") is None


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Lock.acquire(tmp_path / "lock", "watch", 1.0):
        raise RuntimeError
    assert holder(tmp_path / "lock") is None


def test_the_lock_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Lock.acquire(tmp_path / "lock", "watch", 1.0):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
