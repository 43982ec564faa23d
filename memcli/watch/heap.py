"""The heap: what was freed goes back to the system when the last transcript has gone to rest.

Sessions are many small pieces; when they are gone glibc keeps their pages for the next ones. A daemon that waits for
hours has no next ones: measured after a transcript of 15 MB, 3 of 26 MiB come back.
"""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Return free pages to the system, where its C library can; it takes about a millisecond."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
