"""A model that does not answer, under a real daemon: it is left in time, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.houses import House, Talk, opened, same_home, stands, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["same_home", "talk"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Whose model has little time: but a hundred times as much as an answer takes."""
    with opened(tmp_path_factory, 8.0) as opened_house:
        yield opened_house


@pytest.mark.parametrize("fault", ["hang", "slow=600"])
def test_the_prose_stands_the_facts_go_on_and_the_reason_is_told(talk: Talk, fault: str, capsys) -> None:
    stands(talk, fault, 1, "did not answer within", capsys)
