"""Writes the documents anew: `python -m tests.golden`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.golden.exchanges import HERE, documents


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(ANTHROPIC_API_KEY="dummy", HOME=scratch, XDG_STATE_HOME=scratch)
        for name, text in documents(Path(scratch)).items():
            (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
