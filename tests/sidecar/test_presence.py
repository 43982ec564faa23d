"""One flocked file stands for all the locks of a daemon: what is seen of them, and what a killed daemon leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memcli.errors import AlreadyWatched, NotWritable
from memcli.sidecar.lock import Holder, Lock, holder
from memcli.sidecar.presence import Presence, is_there

ROOT = Path(__file__).parents[2]
WATCH = (
    "import sys, pathlib; from memcli.sidecar.lock import Lock; from memcli.sidecar.presence import Presence;"
    "here = Presence.start(); [Lock.acquire(pathlib.Path(path), 'watch', 5.0, here) for path in sys.argv[1:]];"
    "print(here.path, flush=True); sys.stdin.read()"
)


@pytest.fixture
def here():
    presence = Presence.start()
    yield presence
    presence.end()


def a_daemon(*locks: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A process that holds locks through its presence until its stdin ends, and where that presence is."""
    command = [sys.executable, "-c", WATCH, *map(str, locks)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    return process, process.stdout.readline().decode().strip()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="nobody tells how many descriptors are open")
def test_many_locks_cost_no_descriptor(tmp_path, here):
    before = descriptors()
    held = [Lock.acquire(tmp_path / str(number), "watch", 1.0, here) for number in range(50)]
    assert len(held) == 50
    assert descriptors() == before


def test_the_holder_says_who_it_is(tmp_path, here):
    Lock.acquire(tmp_path / "lock", "watch", 12.5, here)
    assert holder(tmp_path / "lock") == Holder(os.getpid(), 12.5, "watch")
    assert holder(tmp_path / "lock").daemon


def test_verbs_and_other_daemons_are_refused_until_its_end(tmp_path):
    process, _ = a_daemon(tmp_path / "lock")
    with process:
        for other in (None, Presence.start()):
            with pytest.raises(AlreadyWatched, match=f"process {process.pid}") as refused:
                Lock.acquire(tmp_path / "lock", "update", 1.0, other)
            assert (refused.value.pid, refused.value.daemon) == (process.pid, True)
        process.communicate()
    Lock.acquire(tmp_path / "lock", "update", 1.0).release()


def test_killed_it_leaves_nothing_that_blocks_and_the_next_one_cleans_up(tmp_path):
    process, presence = a_daemon(tmp_path / "one", tmp_path / "two")
    with process:
        assert is_there(presence)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert holder(tmp_path / "one") is None
    Lock.acquire(tmp_path / "two", "update", 1.0).release()
    assert Path(presence).exists()
    Presence.start().end()
    assert not Path(presence).exists()


def test_a_verb_at_work_is_not_disturbed_by_a_daemon(tmp_path, here):
    with Lock.acquire(tmp_path / "lock", "update", 1.0), pytest.raises(AlreadyWatched, match="update"):
        Lock.acquire(tmp_path / "lock", "watch", 2.0, here)
    Lock.acquire(tmp_path / "lock", "watch", 2.0, here)


def test_taking_what_it_has_is_no_error_and_changes_nothing(tmp_path, here):
    Lock.acquire(tmp_path / "lock", "watch", 1.0, here)
    Lock.acquire(tmp_path / "lock", "watch", 2.0, here)
    assert holder(tmp_path / "lock").since == 1.0


def test_giving_back_means_ones_own_only(tmp_path, here):
    """The sidecar may have been deleted, and taken by another daemon."""
    held = Lock.acquire(tmp_path / "lock", "watch", 1.0, here)
    (tmp_path / "lock").unlink()
    process, _ = a_daemon(tmp_path / "lock")
    with process:
        held.release()
        assert holder(tmp_path / "lock").pid == process.pid
        process.communicate()


def test_what_is_given_back_is_free_while_the_daemon_lives(tmp_path, here):
    held = Lock.acquire(tmp_path / "lock", "watch", 1.0, here)
    held.release()
    held.release()
    assert holder(tmp_path / "lock") is None


def test_a_presence_that_is_somebody_elses_pipe_does_not_stop_us(tmp_path):
    """A lock is only a file: what it names may be anything."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "lock").write_text(f"1 1.0 watch\n{tmp_path / 'pipe'}")
    assert holder(tmp_path / "lock") is None


def test_without_a_state_directory_a_temporary_one_will_do(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    presence = Presence.start()
    assert presence.path.is_relative_to(tmp_path / "tmp")
    presence.end()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    with pytest.raises(NotWritable):
        Presence.start()


def test_a_daemon_whose_file_name_is_no_text_is_seen(tmp_path, monkeypatch):
    home = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    monkeypatch.setenv("XDG_STATE_HOME", home)
    presence = Presence.start()
    Lock.acquire(tmp_path / "lock", "watch", 1.0, presence)
    assert holder(tmp_path / "lock").pid == os.getpid()
    presence.end()
    assert holder(tmp_path / "lock") is None
