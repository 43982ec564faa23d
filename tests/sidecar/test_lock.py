from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memcli.errors import AlreadyWatched
from memcli.sidecar.lock import Holder, Lock, holder

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


def test_releasing_twice_is_releasing_once(tmp_path: Path) -> None:
    lock = Lock.acquire(tmp_path / "lock", "watch", 1.0)
    lock.release()
    lock.release()
    assert holder(tmp_path / "lock") is None
