"""The official client, told everything, so that it looks for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import anthropic

    from tests.messages_api import Server


@pytest.fixture(scope="session")
def _first_client() -> Iterator[anthropic.Anthropic]:
    """One for all: to make it takes longer than a test."""
    import anthropic

    with anthropic.Anthropic(api_key="k", base_url="http://127.0.0.1:9", open_telemetry=False) as made:
        yield made


@pytest.fixture
def client(_first_client) -> Callable[..., anthropic.Anthropic]:
    """The client of a server."""

    def connect(server: Server, **options: Any) -> anthropic.Anthropic:
        return _first_client.with_options(**{"base_url": server.url, "timeout": PATIENCE} | options)

    return connect
