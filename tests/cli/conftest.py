"""What tests of the command line have at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.offers import Person

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Person]:
    """Somebody who types `memcli`, and pastes what it offers."""
    found = Person(monkeypatch, capfd)
    yield found
    found.leave()
