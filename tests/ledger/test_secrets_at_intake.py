"""No secret enters the ledger, wherever the cut of a long text falls."""

from __future__ import annotations

import pytest

from memcli.ledger.clean import clean

TOKEN = "sk-ant-api03-FAKEfakeFAKEfake0123456789abcdefghijKLMNOPqrstuv"


@pytest.mark.parametrize("before", range(5960, 6010, 7))
def test_a_secret_at_the_cut_of_the_head_is_not_kept_in_part(before) -> None:
    text = f"{'word ' * (before // 5)}password = {TOKEN} {'more ' * 3000}"

    kept = clean(text)

    assert not any(TOKEN[at : at + 12] in kept for at in range(len(TOKEN) - 12))


@pytest.mark.parametrize("after", range(1950, 2060, 9))
def test_a_secret_at_the_cut_of_the_tail_is_not_kept_in_part(after) -> None:
    text = f"{'more ' * 3000}api_key={TOKEN}{'x;' * (after // 2)}"

    kept = clean(text)

    assert not any(TOKEN[at : at + 12] in kept for at in range(len(TOKEN) - 12))


def test_a_long_text_keeps_its_bounds_after_redaction() -> None:
    assert len(clean("word " * 10_000, 600, 200)) <= 600 + 200 + 20
