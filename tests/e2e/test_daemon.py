"""The daemon as a process: what it loads, what it says, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import msgspec
import pytest

from memcli.session import Triggers
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.watch.daemon import Orders
from tests.builders import eventually, session_file
from tests.cli.command import ROOT, command, environment
from tests.e2e.daemon import Daemon
from tests.watch.playing import LONG

HEAVY = {"typer", "click", "rich", "pydantic", "anthropic", "jsonlines"}
LOADED = """
import sys
from memcli import edge
from memcli.watch.daemon import main
code = edge.run(main)
print(code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def path(tmp_path):
    return session_file(tmp_path / "run.jsonl", "anthropic", 3, output=LONG)


@pytest.fixture
def watch(tmp_path):
    """Starts daemons, and ends them with the test."""
    started = []

    def start(*args: object) -> Daemon:
        started.append(Daemon(tmp_path / f"log{len(started)}", *args))
        return started[-1]

    yield start
    for daemon in started:
        daemon.end()


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def alive(pid: int) -> bool:
    """True if the process runs; a dead one that init has not looked after yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_daemon_nobody_looks_at_never_loads_what_draws_or_what_asks_a_model(path):
    """Also not for an update, the limit and its end: what is not there takes no memory."""
    orders = Orders((str(path),), Triggers(init_tokens=200, context_limit=500), on_limit="true")
    process = subprocess.Popen(
        [sys.executable, "-c", LOADED, msgspec.json.encode(orders).decode()],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd=ROOT,
    )
    with process:
        assert eventually(lambda: path.with_name("session-memory.md").exists(), within=20.0)
        assert eventually(lambda: path.with_name("run.compacted.jsonl").exists(), within=20.0)
        process.send_signal(signal.SIGTERM)
        code, *modules = process.stdout.read().decode().split()
    assert code == "143"
    assert "msgspec" in modules
    assert HEAVY.isdisjoint(modules)


def test_it_says_who_makes_the_memory_and_that_nothing_is_sent_then_what_happens(path, watch):
    daemon = watch(path, "--init-tokens", "200")
    assert daemon.says("updated")
    backend, following, updated = daemon.heard.splitlines()[:3]
    assert backend.split(maxsplit=1)[1] == 'backend name=embedded sends="nothing leaves this machine"'
    assert following.split(maxsplit=1)[1] == f"following {path} memory={path.with_name('session-memory.md')}"
    assert updated.split()[1:4] == ["updated", str(path), "generation=1"]


def test_quiet_says_nothing_and_works(path, watch):
    daemon = watch(path, "--init-tokens", "200", "-q")
    assert eventually(lambda: path.with_name("session-memory.md").exists(), within=20.0)
    assert daemon.end() == 143
    assert daemon.heard == ""


def test_killed_it_leaves_no_child_and_no_lock(path, watch):
    """The child's stdin ends with the daemon, and so does the child."""
    daemon = watch(path, "--init-tokens", "200")
    assert daemon.says("updated")
    (child,) = children(daemon.process.pid)
    daemon.kill()
    assert eventually(lambda: not alive(child))
    assert holder(Place.of(path).lock) is None


def test_its_child_is_in_a_process_group_of_its_own_so_that_ctrl_c_means_the_daemon_alone(path, watch):
    daemon = watch(path, "--init-tokens", "200")
    assert daemon.says("updated")
    (child,) = children(daemon.process.pid)
    assert os.getpgid(child) == child != os.getpgid(daemon.process.pid)
    daemon.end()
    assert not alive(child)


def test_the_process_that_was_started_is_the_one_that_holds_the_lock(path, watch):
    """`memcli watch` becomes the daemon, so whoever started it can wait for it and signal it."""
    daemon = watch(path)
    assert daemon.says("following")
    assert holder(Place.of(path).lock)[::2] == (daemon.process.pid, "watch")


def test_into_a_journal_it_writes_priorities_and_no_times(path, tmp_path):
    """The stream is told by device and number, as systemd does it; they stand for a file here."""
    with (tmp_path / "journal").open("w") as journal:
        stat = os.fstat(journal.fileno())
        stream = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        process = subprocess.Popen(command("watch", path), stderr=journal, env=environment() | stream)
    with process:
        assert eventually(lambda: "following" in (tmp_path / "journal").read_text(), within=20.0)
        process.send_signal(signal.SIGTERM)
    lines = (tmp_path / "journal").read_text().splitlines()
    assert [line.split()[0] for line in lines][:2] == ["<6>backend", "<6>following"]
