"""Free memory goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from memcli.watch.heap import give_back


def resident() -> int:
    """Pages of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_pages_of_what_was_freed_come_back():
    """Something that was made last and stays keeps the C library from giving them back by itself."""
    pieces = [bytes(4096) + bytes([number % 256]) for number in range(8000)]
    last = pieces.pop()
    del pieces
    before = resident()
    give_back()
    assert resident() < before - 4000
    assert last


def test_once_more_does_no_harm():
    give_back()
    give_back()
