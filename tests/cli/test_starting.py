"""What a verb loads before it needs it: how fast it starts hangs on nothing else. Told by the interpreter itself."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builders import session_file
from tests.cli.command import ROOT, environment, memcli

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAVY = {"anthropic", "asyncio", "attr", "httpx2", "jsonlines", "rich", "watchfiles"}
OURS = {"memcli.ledger.fold", "memcli.memory.facts", "memcli.session", "memcli.summarize.child", "memcli.watch.loop"}
READING = {"msgspec", *OURS}
COMMAND_LINE = {"click", "pydantic", "rich", "typer"}
NOT_THERE = "nowhere/session.jsonl"
TAKE_A_TRANSCRIPT = [
    "stop",
    "update",
    "update --check",
    "status",
    "status --json",
    "compare",
    "show",
    "history",
    "undo",
]


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    """A directory with a transcript and its memory."""
    session_file(tmp_path / "run.jsonl", turns=8)
    memcli("update", "-q", "--backend", "embedded", tmp_path / "run.jsonl")
    return tmp_path


def loaded(line: str, cwd: Path) -> set[str]:
    """The modules that a command line imports."""
    argv = [sys.executable, "-X", "importtime", "-m", "memcli", *line.split()]
    ran = subprocess.run(argv, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # fmt: skip
    assert "Traceback" not in ran.stderr
    return {one.rpartition("|")[2].strip() for one in ran.stderr.splitlines() if one.startswith("import time:")}


def none_of(heavy: Iterable[str], modules: set[str]) -> bool:
    assert modules, "the interpreter told nothing"
    assert sorted(set(heavy) & modules) == []
    return True


def test_the_interpreter_tells_what_is_loaded(remembered: Path) -> None:
    assert loaded("status run.jsonl", remembered) >= {"typer", "msgspec", "memcli.session"}


@pytest.mark.parametrize("verb", [*TAKE_A_TRANSCRIPT, "where", "watch"])
def test_nothing_that_reads_transcripts_is_loaded_for_one_that_is_not_there(verb: str, tmp_path: Path) -> None:
    assert none_of(HEAVY | READING, loaded(f"{verb} {NOT_THERE}", tmp_path))


@pytest.mark.parametrize("verb", [*TAKE_A_TRANSCRIPT, "where", "watch", "compact", "config", "config show"])
def test_nothing_that_a_verb_works_with_is_loaded_for_its_help(verb: str, tmp_path: Path) -> None:
    assert none_of(HEAVY | READING, loaded(f"{verb} --help", tmp_path))


@pytest.mark.parametrize("line", ["--help", "--version", "no-such-verb", "config show"])
def test_what_needs_no_transcript_loads_nothing_to_read_one(line: str, tmp_path: Path) -> None:
    assert none_of(HEAVY | READING, loaded(line, tmp_path))


@pytest.mark.parametrize("verb", ["show", "where", "stop"])
def test_what_only_looks_beside_a_transcript_does_not_load_what_reads_it(verb: str, remembered: Path) -> None:
    assert none_of(HEAVY | READING, loaded(f"{verb} run.jsonl", remembered))


@pytest.mark.parametrize("verb", ["history", "undo", "status", "status --json", "update", "update --check", "compact --to messages"])  # fmt: skip
def test_plain_text_and_json_need_no_rich_and_no_model(verb: str, remembered: Path) -> None:
    assert none_of(HEAVY, loaded(f"{verb} run.jsonl", remembered))


def test_the_road_to_a_swap_loads_nothing_where_nothing_was_loaded_before() -> None:
    """Not even what an environment's own start often has loaded already, and hides thereby."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import memcli.lean; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    modules = set(ran.stdout.split())
    assert "memcli.swap" in modules
    assert none_of({"importlib", "json", "pathlib", "re", "typing", "warnings"}, modules)


def test_the_list_of_generations_needs_no_fold(remembered: Path) -> None:
    assert none_of(OURS, loaded("history run.jsonl", remembered))


def test_the_summarizer_reads_its_options_without_the_command_line(tmp_path: Path) -> None:
    assert none_of(HEAVY | COMMAND_LINE | OURS, loaded("summarize --help", tmp_path))


def test_the_verb_that_is_named_is_the_only_one_that_is_built(tmp_path: Path) -> None:
    """And where none is named, or a wrong one, all are."""
    assert "compact" not in memcli("show", "--help", cwd=tmp_path).out
    assert {"compact", "config"} <= set(memcli("--help", cwd=tmp_path).out.split())
    assert memcli("completion", "bash", cwd=tmp_path).out.count("compact") > 1
