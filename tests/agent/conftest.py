"""Every session of a test finds a model on loopback, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ROOT
from tests.messages_api import Server
from tests.messages_api.answers import Talking

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server; its address and a key are in the environment, and children find this tree."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    monkeypatch.setenv("MEMCLI_DIALECT", "anthropic")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Server(Talking()) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


@pytest.fixture
def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked; children find this tree."""
    monkeypatch.setenv("MEMCLI_BACKEND", "embedded")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
