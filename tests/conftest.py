"""Guards around every test: no key of the developer, no home of theirs, no network but loopback, no orphan.

Each guard names itself when it stops something.
"""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.messages_api import Server

# No test measures time. Examples are the same at every run, so that red means a change; EXPLORE=1 looks for new ones.
settings.register_profile(
    "memcli",
    deadline=None,
    derandomize=not os.environ.get("EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("memcli")

_SCRUBBED = ("ANTHROPIC_", "MEMCLI_", "OPENAI_", "CLAUDE_", "CODEX_", "PI_", "OPENCLAW_")
_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
_LOOPBACK = ("127.", "::1", "localhost", "::ffff:127.")


class NoNetworkInTests(AssertionError):
    """A test tried to reach another machine."""


class ChildLeftBehind(AssertionError):
    """A test ended while a process it had started still ran, or was never waited for."""


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """The developer's keys and settings are not there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_SCRUBBED) or name in ("NO_COLOR", "FORCE_COLOR", "NOTIFY_SOCKET"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """A connection to anywhere but this machine is an error that says so."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(_LOOPBACK):
            raise NoNetworkInTests(f"connect to {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


_numbers = itertools.count()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that does not exist yet, another one for each test: state and configuration of nobody."""
    home = tmp_path_factory.getbasetemp() / f"home-{next(_numbers)}"
    for name in _HOMES:
        monkeypatch.setenv(name, str(home if name == "HOME" else home / name.lower()))
    return home


@pytest.fixture(autouse=True)
def no_child_left_behind() -> Iterator[None]:
    """Every process a test starts is gone, and was waited for, when the test ends."""
    before = _children()
    yield
    left = _children() - before
    if left:
        raise ChildLeftBehind(f"processes {sorted(left)}")


@pytest.fixture
def messages_api() -> Iterator[Server]:
    """A Messages API of our own on loopback, with the manners of the real service; it answers at once, by rule."""
    from tests.messages_api import Server

    with Server() as server:
        yield server


def _children() -> set[int]:
    """Our children, dead ones that nobody waited for included. Silent where the system does not tell (macOS)."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (AttributeError, ChildProcessError):
        return set()
    return {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == os.getpid()}


def _parent(stat: Path) -> int:
    try:
        # The name stands in parentheses and may hold anything; state and parent follow the last one.
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0
