"""`memcli man`: print a manual page, or write all of them."""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING, Any

from memcli.errors import Usage
from memcli.ui import manual
from memcli.ui.verbs import every, tree

if TYPE_CHECKING:
    from pathlib import Path


def man(words: list[str], directory: Path | None, program: Any) -> int:
    """Print the page of a verb, of memcli itself without one; with a directory write all pages into it.

    `program` is what typer made of the command line. Raises Usage for a verb that is none, and for a file where a
    directory is meant.
    """
    root = tree(program)
    verbs = list(every(root))
    found = next((verb for verb in verbs if verb.words == tuple(words)), None)
    if found is None:
        raise Usage(f"there is no verb {' '.join(words)}", "memcli --help")
    if directory is not None:
        if directory.exists() and not directory.is_dir():
            raise Usage(f"{directory} is no directory", f"memcli man -o {shlex.quote(f'{directory}.d')}")
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in manual.pages(root, _day()):
            (directory / name).write_text(text, encoding="utf-8")
        return 0
    print(manual.page(found, verbs, _day()), end="")
    return 0


def _day() -> str:
    """Today, or the day that a reproducible build names (reproducible-builds.org, SOURCE_DATE_EPOCH)."""
    return time.strftime("%Y-%m-%d", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())))
