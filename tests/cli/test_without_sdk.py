"""Whatever is typed, the SDK is loaded by the summarizer that asks the Messages API, and by nothing else.

A package of its name stands before the real one: whoever imports it says so in a file, and gets an ImportError.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import eventually, session_file
from tests.cli.command import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

TRIPWIRE = """
import os, sys
open(os.environ["TRIPPED"], "a").write(" ".join(sys.orig_argv) + "\\n")
raise ImportError("this is the tripwire")
"""
ANSWER = "## Active Work\\nThe dam is being mended.\\n<!-- end -->"
COMMAND = shlex.join([sys.executable, "-c", f'print("{ANSWER}")'])


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a transcript, a key in the environment, and the tripwire."""
    (tmp_path / "trap" / "anthropic").mkdir(parents=True)
    (tmp_path / "trap" / "anthropic" / "__init__.py").write_text(TRIPWIRE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'trap'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("TRIPPED", str(tmp_path / "tripped"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "dummy")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    session_file(tmp_path / "run.jsonl", turns=8)
    return tmp_path


def run(there: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=there, capture_output=True, text=True, check=False, **more)


def tripped(there: Path) -> str:
    path = there / "tripped"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_the_tripwire_is_one_and_a_model_without_its_library_costs_the_prose_alone(there: Path) -> None:
    ran = run(there, "update", "run.jsonl", "--backend", "anthropic")
    assert "memcli.summarize" in tripped(there)
    assert (ran.returncode, "this is the tripwire" in ran.stderr) == (0, True), ran.stderr
    assert (there / "session-memory.md").exists()


@pytest.mark.parametrize("backend", ["--backend=embedded", f"--command={COMMAND}"], ids=["embedded", "command"])
@pytest.mark.parametrize("verb", ["update", "compact", "compact --fresh", "compare --quiet"])
def test_a_memory_is_made_without_it(there: Path, verb: str, backend: str) -> None:
    ran = run(there, *shlex.split(verb), "run.jsonl", backend)
    assert (ran.returncode, tripped(there)) == (0, ""), ran.stderr


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status --cost",
        "show",
        "history",
        "where",
        "stop",
        "undo",
        "compact",
        "compact --to messages",
        "update --check",
    ],
)
def test_a_memory_is_read_without_it_although_a_key_is_there(there: Path, line: str) -> None:
    run(there, "update", "run.jsonl", "--backend", "embedded")
    ran = run(there, *shlex.split(line), "run.jsonl")
    assert (ran.returncode in (0, 3), tripped(there)) == (True, ""), ran.stderr


@pytest.mark.parametrize(
    "line", ["--help", "--version", "watch --help", "config show", "compact -", "summarize --help"]
)
def test_what_needs_no_transcript_needs_no_sdk(there: Path, line: str) -> None:
    ran = run(there, *shlex.split(line), input=(there / "run.jsonl").read_text(encoding="utf-8"))
    assert (ran.returncode, tripped(there)) == (0, ""), ran.stderr


def test_the_daemon_leaves_it_to_its_child(there: Path) -> None:
    line = command("watch", "run.jsonl", "--init-tokens", "1", "--backend", "anthropic")
    with subprocess.Popen(line, cwd=there, stderr=subprocess.DEVNULL) as daemon:
        made = eventually((there / "session-memory.md").exists)
        daemon.terminate()
    assert made
    assert tripped(there)
    assert all("-m memcli.summarize" in process for process in tripped(there).splitlines())
