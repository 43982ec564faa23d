"""scripts/bench as people run it, small and without the network. No figure is judged: machines differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.cli.command import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = {
    "startup": {"typer hello-world", "show nowhere/session.jsonl", "summarize --help"},
    "compact": {
        "compact | cat",
        "compact, rewritten, 30 KB tail that",
        "compact, memory edited by hand",
        "compact, modules",
    },
    "catchup": {"catch-up with ledger, claude-code", "catch-up without ledger, anthropic", "peak of memcli update"},
    "updates": {"summarizer child, 4 model updates in flight"},
    "peers": {
        "memcli compact, ",
        "memcli compact, no memory",
        "kept by memcli compact",
        "traditional: compact --fresh",
        "cozempic",
    },
    "watch": {"watch, append to noticed", "watch, 1 transcript: idle CPU", "watch, 10 transcripts: replaced"},
}
NEEDS_LINUX = {"updates", "watch"}  # the kernel tells of processes and files as Linux does


def bench(*words: str, room: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "scripts.benchmarks", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(room)}
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_each_section_prints_all_of_its_figures(tmp_path: Path) -> None:
    sections = sorted(EXPECTED if sys.platform == "linux" else EXPECTED.keys() - NEEDS_LINUX)
    ran = bench(*sections, "--quick", "--json", room=tmp_path)
    assert ran.returncode == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)["rows"]
    for section in sections:
        printed = [row["what"] for row in rows if row["section"] == section]
        assert all(any(what.startswith(begin) for what in printed) for begin in EXPECTED[section]), ran.stderr
    assert [row["note"] for row in rows if row["what"].startswith("the rest of")] == []
    assert all(row["measured"] or row["note"] for row in rows if row["target"]), ran.stderr
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_a_size_that_is_not_wanted_is_a_row_that_says_so(tmp_path: Path) -> None:
    ran = bench("catchup", "--quick", "--json", "--largest", "1MB", room=tmp_path)
    notes = {row["what"]: row["note"] for row in json.loads(ran.stdout)["rows"]}
    assert "more than --largest allows" in notes["catch-up without ledger, claude-code"]


def test_a_section_that_does_not_exist_is_a_wrong_word(tmp_path: Path) -> None:
    ran = bench("compacts", room=tmp_path)
    assert (ran.returncode, "there is no section compacts" in ran.stderr) == (2, True)
