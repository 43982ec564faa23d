from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.client import Client
from tests.hosts.recorded import host, project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["host", "project"]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client with a project; a watcher that its hooks started ends with the test."""
    made = Client(tmp_path / "project")
    yield made
    made.end()
