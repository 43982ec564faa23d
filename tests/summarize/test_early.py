"""What a child imports before it is asked anything."""

from __future__ import annotations

import gc
import sys
import threading

from memcli.summarize.early import import_early


def test_the_library_is_there_in_the_end_and_garbage_is_collected_again() -> None:
    others = set(threading.enumerate())
    import_early()
    for thread in set(threading.enumerate()) - others:
        thread.join()
    assert (gc.isenabled(), "anthropic" in sys.modules) == (True, True)
