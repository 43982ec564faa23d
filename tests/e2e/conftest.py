from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import person
from tests.e2e.daemon import Daemon
from tests.hosts.recorded import host, project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["host", "person", "project"]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons, and ends them with the test."""
    started: list[Daemon] = []

    def start(*args: object) -> Daemon:
        started.append(Daemon(tmp_path / f"log{len(started)}", *args))
        return started[-1]

    yield start
    for daemon in started:
        daemon.end()
