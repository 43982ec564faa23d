"""A server, a daemon that asks it, and conversations under that daemon: fixtures of tests that define a `house`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from memcli.commands.status import status
from memcli.sidecar import spending
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch import ask
from tests.builders import PATIENCE, Script, eventually, session
from tests.conftest import _HOMES
from tests.e2e.daemon import Daemon
from tests.messages_api import Server
from tests.messages_api.answers import Reworded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROMPT = "never use the old wheel, the new wheel is in /srv/mill/wheel.py"


class House(NamedTuple):
    server: Server
    daemon: Daemon
    tree: Path
    home: Path


@contextmanager
def opened(directories: pytest.TempPathFactory, seconds: float) -> Iterator[House]:
    """The daemon updates only when it is asked: no threshold is ever crossed. Its model has so many seconds."""
    tree, home = directories.mktemp("tree"), directories.mktemp("home")
    with Server() as server, pytest.MonkeyPatch.context() as patch:
        for name in _HOMES:
            patch.setenv(name, str(home))
        patch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
        patch.setenv("ANTHROPIC_BASE_URL", server.url)
        patch.setenv("MEMCLI_DIALECT", "anthropic")
        patch.setenv("MEMCLI_TIMEOUT", str(seconds))
        daemon = Daemon(home / "log", tree, "--init-tokens", 10**9, "-v")
        assert daemon.says("backend")
        started = House(server, daemon, tree, home)
        first = Talk(started, "first")
        # With the importing of the SDK it may take longer than a question is allowed to.
        assert eventually(lambda: first.updated() >= 0 and first.failure == "")
        yield started
        assert daemon.end() == 143


@pytest.fixture(autouse=True)
def same_home(house: House, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _HOMES:
        monkeypatch.setenv(name, str(house.home))
    house.server.script()
    house.server.service.answers = Reworded()


class Talk:
    """One transcript under the daemon."""

    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self.path = house.tree / f"{name}.jsonl"
        self.path.write_bytes(session("anthropic", 2))
        assert eventually(lambda: holder(Place.of(self.path).lock) is not None)
        self.place = Place.of(self.path)

    def goes_on(self, text: str = PROMPT, number: int = 7) -> None:
        with self.path.open("ab") as file:
            file.write(Script("anthropic", serial=100 * number).prompt(text).turn(number).data)

    def updated(self) -> int:
        """How many requests an update took. The file has rested before: nothing else is waited for."""
        before = len(self.house.server.log.asked())
        ask.ask(self.place.sidecar, self.house.daemon.process.pid, PATIENCE, self.path)
        return len(self.house.server.log.asked()) - before

    @property
    def memory(self) -> str:
        return Place.of(self.path).memory.read_text()

    @property
    def prose(self) -> dict[str, str]:
        return Store(self.place).generations.newest().prose

    @property
    def failure(self) -> str:
        return spending.noted(self.place.sidecar).failure


@pytest.fixture
def talk(house: House, request: pytest.FixtureRequest) -> Iterator[Talk]:
    """A transcript that a model has written for, and that has gone on since."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    found = Talk(house, name)
    assert found.updated() == 1
    assert found.prose
    assert found.failure == ""
    found.goes_on()
    yield found
    house.server.script()
    house.server.service.answers = Reworded()
    found.updated()  # what is owed would be asked for in the middle of the next test


def stands(talk: Talk, fault: str, requests: int, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault costs so many requests, the prose stands, the facts go on, and the reason is told; one good answer later
    all is as it should be.
    """
    prose = talk.prose
    talk.house.server.script(fault)

    assert talk.updated() == requests
    assert talk.prose == prose
    assert PROMPT in talk.memory
    assert "step 7 of the plan" in talk.memory
    assert reason in talk.failure
    assert reason in summarizer_of(talk, capsys)["reason"]
    assert reason in talk.house.daemon.heard
    assert talk.house.daemon.process.poll() is None

    talk.house.server.script()
    assert talk.updated() == 1
    assert talk.failure == ""
    assert talk.prose != prose


def summarizer_of(talk: Talk, capsys) -> dict[str, object]:
    capsys.readouterr()
    assert status(talk.path, as_json=True) == 0
    return json.loads(capsys.readouterr().out)["summarizer"]
