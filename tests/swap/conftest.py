from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands.states import remembered
from tests.sidecar.published import SESSIONS


@pytest.fixture(params=SESSIONS, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A recorded session, or one with the dirt of its format, and a memory beside it."""
    return remembered(Path(shutil.copyfile(request.param, tmp_path / "run.jsonl")))
