"""A sentence on the way, from wherever a job is being done to whoever asked for it.

The child does many jobs at a time, one a thread; what is said in a thread belongs to the job it does.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_listener: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def say(sentence: str) -> None:
    """Tell who waits for the job of this thread; nobody, if nobody listens."""
    listener = _listener.get()
    if listener:
        listener(sentence)


@contextmanager
def heard(by: Callable[[str], object]) -> Iterator[None]:
    """What is said in this block goes to `by`."""
    token = _listener.set(by)
    try:
        yield
    finally:
        _listener.reset(token)
