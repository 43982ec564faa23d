"""A Messages API server of our own on loopback, to test against: it validates, bills, caches, answers and misbehaves.

    with Server(answers=Reworded()) as server:           in a test: server.url, server.log, server.script("529", "cut")
    python -m tests.messages_api --port 0 --delay 2.0    as a program: prints its address, ends with SIGINT or SIGTERM

It is no model. What it says is made by published rules (`reword.py`, `damage.py`) or read from files; what it refuses
and what it bills follows the documentation of the real service as of November 2026. Standard library only.
"""

from __future__ import annotations

from tests.messages_api.house import ANTHROPIC, COMPATIBLE, KEY_ONLY
from tests.messages_api.server import Server

__all__ = ["ANTHROPIC", "COMPATIBLE", "KEY_ONLY", "Server"]
