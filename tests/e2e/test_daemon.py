"""The daemon as a process: what it loads, what it says, and what is left of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import msgspec
import pytest

from memcli.session import Triggers
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.watch.daemon import Orders
from tests.builders import PATIENCE, eventually, session_file
from tests.cli.command import ROOT, command, environment
from tests.commands.states import grown
from tests.summarize.scripts import alive
from tests.watch.playing import LONG

HEAVY = {"typer", "click", "rich", "pydantic", "anthropic", "jsonlines"}
LOADED = """
import sys
import urllib.request
from memcli import edge
from memcli.watch.daemon import main
code = edge.run(main)
print(code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def path(tmp_path):
    return session_file(tmp_path / "run.jsonl", "anthropic", 3, output=LONG)


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


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
        assert eventually(lambda: path.with_name("session-memory.md").exists())
        assert eventually(lambda: path.with_name("run.compacted.jsonl").exists())
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
    assert eventually(lambda: path.with_name("session-memory.md").exists())
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
        assert eventually(lambda: "following" in (tmp_path / "journal").read_text())
        process.send_signal(signal.SIGTERM)
    lines = (tmp_path / "journal").read_text().splitlines()
    assert [line.split()[0] for line in lines][:2] == ["<6>backend", "<6>following"]


def test_as_a_service_it_says_that_it_is_ready_that_it_lives_and_that_it_ends(path, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        process = subprocess.Popen(command("watch", "-q", path), stderr=subprocess.DEVNULL, env=environment() | told)
        with process:
            assert manager.recv(4096).splitlines()[:2] == [b"READY=1", b"WATCHDOG=1"]
            assert manager.recv(4096).splitlines()[0] == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            while (last := manager.recv(4096)).startswith(b"WATCHDOG=1"):
                pass
    assert last.splitlines()[0] == b"STOPPING=1"


def test_its_metrics_tell_what_it_did_and_go_with_it(path, watch, tmp_path):
    file = tmp_path / "memcli.prom"
    daemon = watch(path, "--init-tokens", "200", "--metrics", "0", "-v")
    at = re.search(r"metrics at=(\S+)", daemon.heard) if daemon.says("metrics at=") else None
    assert at is not None
    assert daemon.says("updated")
    assert daemon.says("current")

    def metrics() -> str:
        with urllib.request.urlopen(at[1]) as answer:
            return answer.read().decode()

    assert eventually(lambda: "memcli_transcripts 1\n" in metrics())
    assert 'memcli_updates_total{result="embedded"} 1\n' in metrics()
    assert "memcli_state_seconds_count 0\n" in metrics(), "what stood there before was not appended"
    grown(path, "anthropic")
    assert eventually(lambda: "memcli_state_seconds_count 0\n" not in metrics())
    assert "memcli_appends_total 0\n" not in metrics()
    daemon.end()
    daemon = watch(path, "--metrics", file)
    assert eventually(lambda: file.exists() and "memcli_transcripts 1\n" in file.read_text())
    daemon.end()
    assert not file.exists()


def test_metrics_that_cannot_be_shown_are_a_wrong_option(path, tmp_path, watch):
    daemon = watch(path, "--metrics", tmp_path / "metrics.txt")
    assert daemon.process.wait() == 2
    assert f"Try: memcli watch {path} --metrics {tmp_path / 'metrics.txt.prom'}\n" in daemon.heard
