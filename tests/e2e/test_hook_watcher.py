"""A watcher that a hook has started: detached, found, stopped, and never two of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from memcli.session import Triggers
from memcli.watch.daemon import Orders
from tests.builders import eventually
from tests.cli.command import environment, fails, memcli
from tests.commands.states import grown, remembered
from tests.e2e.daemon import Daemon
from tests.hosts.client import SESSION, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "22222222-2222-4222-8222-222222222222"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(tmp_path / "project")
    yield made
    made.end()


def start(client: Client) -> int:
    """Start a session; the process that then watches."""
    assert client.hook("session-start", source="startup") == (0, "", "")
    assert eventually(lambda: bool(client.watcher)), client.log
    return client.watcher


def watchers(client: Client) -> list[int]:
    """Every daemon that was told to watch this project."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if b"memcli" in words and b"watch" in words and str(client.folder).encode() in words:
            found.append(int(path.parent.name))
    return found


def log(client: Client) -> str:
    return (client.folder / ".memcli" / "claude-code" / "log").read_text()


def test_it_follows_a_session_that_appears_later(client: Client) -> None:
    """The client's first hook comes before the session's file, and before the folder."""
    start(client)
    path = client.session()
    assert eventually((client.folder / "session-memory.md").exists), log(client)
    grown(path)
    assert eventually(lambda: "please do step 7 of" in (client.folder / "session-memory.md").read_text())


def test_where_it_cannot_be_started_the_memory_is_handed_back_all_the_same(client: Client) -> None:
    remembered(client.session())
    (client.folder / ".memcli" / "claude-code" / "log").mkdir(parents=True)
    assert "please do step 0 of" in client.hook("session-start", source="compact").out
    assert "session-start: no watcher: " in client.log


def test_it_is_in_a_session_of_its_own_and_holds_none_of_our_pipes(client: Client) -> None:
    pid = start(client)
    assert os.getsid(pid) == pid
    held = {os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)}
    assert held == {os.devnull, str(client.folder / ".memcli" / "claude-code" / "log")}


def test_it_never_doubles(client: Client) -> None:
    pid = start(client)
    for source in ("startup", "resume", "clear", "compact"):
        assert client.hook("session-start", source=source).code == 0
    assert client.hook("pre-compact").code == 0
    assert watchers(client) == [pid]


def test_two_that_start_at_once_settle_it(client: Client) -> None:
    with ThreadPoolExecutor(8) as hands:
        list(hands.map(lambda _: client.hook("session-start", source="startup"), range(8)))
    assert eventually(lambda: bool(client.watcher) and watchers(client) == [client.watcher])


def test_status_finds_it_and_stop_ends_it(client: Client) -> None:
    client.session()
    pid = start(client)
    assert eventually(lambda: "following" in log(client))
    said = json.loads(memcli("status", "--json", cwd=client.project).out)
    assert said["watched_by"] == pid
    ran = memcli("stop", cwd=client.project)
    assert (ran.code, f"stopped process {pid}" in ran.err) == (0, True)
    assert eventually(lambda: not watchers(client))


def test_it_is_found_before_there_is_any_session(client: Client) -> None:
    pid = start(client)
    ran = memcli("stop", cwd=client.project)
    assert (ran.code, f"stopped process {pid}" in ran.err) == (0, True)
    assert memcli("stop", cwd=client.project).code == 3


def test_one_that_was_killed_is_started_again(client: Client) -> None:
    pid = start(client)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not client.watcher)
    assert start(client) != pid


def test_it_asks_no_model_unless_the_settings_name_one(client: Client) -> None:
    key = {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
    (client.project / "memcli.toml").write_text('backend = "anthropic"\n')
    assert client.hook("session-start", source="startup", env=key).code == 0
    assert eventually(lambda: bool(client.watcher))
    assert "backend name=embedded" in log(client)


def test_what_lies_in_the_project_is_not_run(client: Client) -> None:
    for name in ("memcli", "typer", "msgspec", "json"):
        (client.project / f"{name}.py").write_text("open('ran', 'w')\n")
    start(client)
    client.session()
    assert eventually((client.folder / "session-memory.md").exists)
    assert not (client.project / "ran").exists()


def test_before_a_compaction_the_memory_is_made_fresh(client: Client) -> None:
    client.session()
    start(client)
    assert eventually(lambda: "updated" in log(client))
    client.hook("pre-compact", trigger="auto")
    sidecar = client.folder / ".memcli" / f"{SESSION}.jsonl"
    assert eventually(lambda: (sidecar / "answer").exists() and not (sidecar / "ask").exists())


def test_it_ends_by_itself_when_nothing_lives_any_more(client: Client) -> None:
    os.utime(client.session(), (0, 0))
    orders = Orders((), Triggers(), host="claude-code", project=str(client.folder), rest=0.1)
    line = [sys.executable, "-m", "memcli.watch.daemon", msgspec.json.encode(orders).decode()]
    done = subprocess.run(line, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0
    assert b"following" not in done.stderr


@pytest.mark.parametrize("which", [["--all"], ["--project"]])
def test_a_person_may_watch_without_hooks(client: Client, tmp_path: Path, which: list[str]) -> None:
    client.session()
    daemon = Daemon(tmp_path / "log", "--claude-code", *which, *([client.project] if which == ["--project"] else []))
    try:
        assert daemon.says(f"following {client.transcript}")
        assert client.session(name=OTHER)
        assert daemon.says(f"following {client.folder / OTHER}.jsonl")
        assert client.hook("session-start", source="startup").code == 0
        assert watchers(client) == []
    finally:
        assert daemon.end() == 143


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--all"], "--project and --all go with --claude-code, --codex, --pi or --openclaw"),
        (["--claude-code", "--all", "--project", "."], "--project and --all ask for different sessions"),
        (["--claude-code", "--project", "nowhere"], "no such directory: nowhere"),
    ],
)
def test_words_that_make_no_sense_are_said(client: Client, words: list[str], sentence: str) -> None:
    assert fails(memcli("watch", *words, cwd=client.project))[1] == sentence


def test_a_second_watcher_is_refused(client: Client) -> None:
    pid = start(client)
    code, sentence = fails(memcli("watch", "--claude-code", cwd=client.project))
    assert (code, sentence) == (5, f"the Claude Code sessions of this project are already watched by process {pid}")
