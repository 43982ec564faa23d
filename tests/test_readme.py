"""The README does what it says: its commands are commands, and its program works as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from memcli.cli import app
from memcli.memory.jobs import Job, parse_answer
from tests.builders import Script
from tests.cli.command import environment, memcli
from tests.messages_api import Server
from tests.messages_api.answers import Talking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ANSWER = "## Active Work\nThe dam is nearly mended; what is left is the sluice.\n<!-- end -->"
STAND_IN = f"import sys; assert 'mend the dam' in sys.stdin.read(); print({ANSWER!r})"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every `memcli ...` of the README's shell blocks, up to a comment, a pipe or a redirection."""
    found = {}
    for line in "\n".join(blocks("sh")).replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        for operator, group in groupby(words, lambda word: set(word) <= set("|&;<>()")):
            said = [word for word in group if not re.match(r"[A-Z_]+=", word)]
            if not operator and said[0] == "memcli":
                found[shlex.join(said)] = None
    return list(found)


@pytest.fixture
def summarizer(tmp_path: Path) -> Path:
    """The README's program, in a file of its own."""
    example = next(block for block in blocks("python") if "--summarizer" in block)
    (tmp_path / "summarizer.py").write_text(example, encoding="utf-8")
    return tmp_path / "summarizer.py"


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_bytes(Script("pi").prompt("mend the dam").say("The planks are in.").data)
    return path


def by(program: Path, stand_in: str) -> str:
    """The command line of the summarizer, asking a stand-in for a model."""
    return shlex.join([sys.executable, str(program), sys.executable, "-c", stand_in])


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_readme_is_one(line: str) -> None:
    ran = CliRunner().invoke(app, [*shlex.split(line)[1:], "--help"])
    assert ran.exit_code == 0, ran.output


def test_the_commands_are_found() -> None:
    assert len(commands()) > 10
    assert "memcli watch run.jsonl --command 'claude -p --model haiku'" in commands()


def test_the_program_of_the_readme_writes_a_memory(summarizer: Path, transcript: Path) -> None:
    ran = memcli("update", transcript, "--summarizer", by(summarizer, STAND_IN))
    assert (ran.code, "no model wrote" in ran.err) == (0, False), ran.err
    memory = (transcript.parent / "session-memory.md").read_text(encoding="utf-8")
    assert "what is left is the sluice" in memory


def test_a_command_that_fails_behind_it_is_told_and_the_facts_stand(summarizer: Path, transcript: Path) -> None:
    ran = memcli("update", transcript, "--summarizer", by(summarizer, "raise SystemExit('no model here')"))
    assert ran.code == 0
    assert "no model here" in ran.err
    assert "mend the dam" in (transcript.parent / "session-memory.md").read_text(encoding="utf-8")


def test_the_program_answers_every_job_once(summarizer: Path) -> None:
    jobs = "".join(json.dumps({"job": str(n), "budget": 4000, "prompt": "mend the dam"}) + "\n" for n in range(6))
    line = shlex.split(by(summarizer, STAND_IN))
    ran = subprocess.run(line, input=jobs, capture_output=True, text=True, check=True)
    found = [parse_answer(raw.encode()) for raw in ran.stdout.splitlines()]
    assert sorted(result.job for result in found) == ["0", "1", "2", "3", "4", "5"]
    assert {result.text.strip() for result in found} == {ANSWER}


AGENT = """#!/bin/sh
for n in $(seq 40); do
  printf '{"role":"user","content":"mend plank %s %0800d"}\\n{"role":"assistant","content":"Done."}\\n' $n $n >> "$1"
done
for n in $(seq 600); do test -e session-memory.md && exit 0; sleep 0.2; done
exit 1
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Runs the README's Python that holds some words, as it stands there; what it prints."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-the-test")
    (example := tmp_path / "agent").write_text(AGENT, encoding="utf-8")
    example.chmod(0o755)

    def run(words: str) -> str:
        (block,) = (block for block in blocks("python") if words in block)
        ran = subprocess.run(
            [sys.executable, "-c", block], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    with Server(Talking()) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield run


def test_the_agent_of_the_readme_talks_and_its_session_is_kept(python: Callable[[str], str], tmp_path: Path) -> None:
    said = python("memcli.Session(")
    assert "Answer 1: I read that 'Which sluice is broken?'" in said
    assert "Answer 2: I read that 'Mend it, but leave the dam alone.'" in said
    assert len((tmp_path / "agent.jsonl").read_bytes().splitlines()) == 4


def test_the_list_of_the_readme_is_compacted(python: Callable[[str], str]) -> None:
    assert "Find out why, but do not touch the dam." in python("memcli.compact(messages)")


def test_the_watcher_of_the_readme_has_a_memory_ready_when_the_agent_is_done(
    python: Callable[[str], str], tmp_path: Path
) -> None:
    assert "was ready" in python("memcli.watch(")
    assert "mend plank 1 " in (tmp_path / "session-memory.md").read_text(encoding="utf-8")


def test_the_protocol_that_the_architecture_shows_is_the_one_we_read() -> None:
    text = (Path(__file__).parents[1] / "memcli" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    shown = [json.loads(line) for line in text.splitlines() if line.startswith('{"v":1')]
    assert len(shown) == 4
    assert set(shown[0]) <= set(Job.__struct_fields__)
