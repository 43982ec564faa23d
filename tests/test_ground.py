"""What a stranger meets first: what is pinned, what is packaged, and the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SHORT = "fixtures/recorded/claude-code-2.1.330-killed-and-resumed.jsonl"


def pins(name: str) -> dict[str, str]:
    """Package and the rest of its entry, hashes included."""
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(==(?:.*\\\n)*.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_everything_is_pinned_with_hashes_and_names_no_place(name: str) -> None:
    assert len(pins(name)) > 10
    assert all(re.match(r"==[\w.]+.*--hash=sha256:[0-9a-f]{64}", entry, re.DOTALL) for entry in pins(name).values())
    assert not re.search(
        r"://|^ *-|file:|/[a-z]+/", re.sub(r"^ +(--hash|#).*", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    )


def test_the_tools_hold_all_that_running_needs_in_the_same_versions() -> None:
    running, tools = pins("requirements.txt"), pins("requirements-dev.txt")
    assert running.items() <= {name: entry for name, entry in tools.items() if name in running}.items()


def test_what_the_project_depends_on_is_pinned() -> None:
    assert {re.split("[><=~]", wanted)[0] for wanted in PROJECT["dependencies"]} <= pins("requirements.txt").keys()


def test_the_console_script_leads_to_the_door() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/memcli", "--version"], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.fullmatch(r"memcli \d+\.\d+\.\d+\n", ran.stdout)


def test_the_demo_runs_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "scripts/replay.py", "--seconds", "1", SHORT]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "following session.jsonl" in ran.stdout
    assert re.search(r"^memcli: \d+ -> \d+ messages", ran.stdout, re.MULTILINE)
    assert "# Session memory" in ran.stdout
    assert ran.stderr == ""
    assert list(tmp_path.iterdir()) == []
