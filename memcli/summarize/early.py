"""The SDK, imported before anybody needs it: it takes a second or more, most of it to make some thousand classes."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress


def import_early() -> None:
    """Begin to import the SDK beside whatever else is to be done. What is wrong with it, a question will say."""
    threading.Thread(target=_import, daemon=True).start()


def _import() -> None:
    gc.disable()  # all of it stays to the end: to look through it again and again is a tenth of the time
    try:
        with suppress(ImportError):
            import anthropic  # noqa: F401
        gc.freeze()
    finally:
        gc.enable()
