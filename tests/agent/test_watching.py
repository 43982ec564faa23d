"""`memcli.watch`: a watcher beside an agent that ends with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

import memcli
from memcli.errors import AlreadyWatched, NotATranscript, NoTranscript, Usage
from memcli.session import Triggers
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.watch.daemon import Orders
from tests.builders import eventually, session_file
from tests.cli.command import environment
from tests.commands.states import grown, watched

if TYPE_CHECKING:
    from pathlib import Path

    from tests.messages_api import Server

pytestmark = pytest.mark.usefixtures("model")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return session_file(tmp_path / "run.jsonl", turns=3)


def test_a_transcript_is_followed_from_the_start_of_the_block_to_its_end(path: Path, model: Server) -> None:
    with memcli.watch(path, init_tokens=10, backend="embedded") as watching:
        found = holder(Place.of(path).lock)
        assert found is not None
        assert found.pid == watching.pid
        grown(path)
        memory = path.parent / "session-memory.md"
        assert eventually(lambda: memory.exists() and "please do step 7" in memory.read_text())
        assert any("following" in line for line in watching.heard)
    assert not watching.running
    assert holder(Place.of(path).lock) is None
    assert model.log.asked() == []


def test_a_directory_is_watched_for_what_comes(tmp_path: Path) -> None:
    with memcli.watch(tmp_path, init_tokens=10, backend="embedded"):
        session_file(tmp_path / "later.jsonl", turns=3)
        assert eventually((tmp_path / "session-memory.md").exists)


def test_who_has_it_already_is_told(path: Path) -> None:
    lock = watched(path)
    with pytest.raises(AlreadyWatched, match="already watched"):
        memcli.watch(path)
    lock.release()


@pytest.mark.parametrize(("name", "kind"), [("none/run.jsonl", NoTranscript), ("notes.txt", NotATranscript)])
def test_what_cannot_be_followed_is_said_at_once(tmp_path: Path, name: str, kind: type[Exception]) -> None:
    (tmp_path / "notes.txt").write_text("just words\n" * 3)
    with pytest.raises(kind):
        memcli.watch([tmp_path / name])
    assert not (tmp_path / ".memcli").exists()


def test_a_file_without_a_line_yet_is_followed(tmp_path: Path) -> None:
    (path := tmp_path / "run.jsonl").touch()
    with memcli.watch(path, init_tokens=10, backend="embedded"):
        session_file(path, turns=3)
        assert eventually((tmp_path / "session-memory.md").exists)


def test_a_setting_that_makes_no_sense_starts_nothing(path: Path) -> None:
    with pytest.raises(Usage, match="no setting"):
        memcli.watch(path, budgets=3)


def test_the_watcher_ends_with_whoever_started_it_however_that_ends(path: Path) -> None:
    code = f"import memcli, time; w = memcli.watch({str(path)!r}); print(w.pid, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        assert int(agent.stdout.readline()) > 0
        assert holder(Place.of(path).lock) is not None
        agent.send_signal(signal.SIGKILL)
    assert eventually(lambda: holder(Place.of(path).lock) is None)


def test_a_watcher_that_was_left_alone_ends_though_it_has_nothing_to_say(path: Path) -> None:
    orders = msgspec.json.encode(Orders((str(path),), Triggers())).decode()
    line = [sys.executable, "-m", "memcli.agent.attended", orders]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as watcher:
        assert eventually(lambda: holder(Place.of(path).lock) is not None)
        assert watcher.stdin is not None
        watcher.stdin.close()
        ended = eventually(lambda: watcher.poll() is not None)
        watcher.kill()
    assert (ended, watcher.returncode) == (True, 143)
