"""The real Claude Code client as the command that writes: MEMCLI_CLAUDE=/path/to/claude, else nothing is tested here.

It asks our own server on loopback. Its home and its project have hooks, each of which leaves a file behind, and
instructions with a word that must not be sent.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.builders import session_file
from tests.cli.command import ROOT, command
from tests.messages_api import Server
from tests.messages_api.answers import Fixed
from tests.messages_api.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT = os.environ.get("MEMCLI_CLAUDE", "")  # before the tests' own settings are scrubbed
pytestmark = pytest.mark.skipif(not CLIENT, reason="MEMCLI_CLAUDE names no client")

# Its key comes in x-api-key, with the version of the API that it was built for.
SERVICE = House("the client's", "either", frozenset({"2023-06-01"}), anthropic=True)
ANSWER = "## Active Work\nThe dam is nearly mended; what is left is the sluice.\n<!-- end -->"
WORD = "periwinkle"
EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd")
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "IS_SANDBOX": "1"}


class There(NamedTuple):
    """A user's home and project, the server, and what is left of the hooks."""

    home: Path
    project: Path
    marks: Path
    server: Server

    def environment(self) -> dict[str, str]:
        plain = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.home), **QUIET}
        return plain | {"ANTHROPIC_BASE_URL": self.server.url, "ANTHROPIC_API_KEY": "dummy"}

    def run(self, *line: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line,
            cwd=self.project,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            **more,
        )

    def update(self, flags: str) -> subprocess.CompletedProcess[str]:
        return self.run(*command("update", "run.jsonl", "--command", f"{shlex.quote(CLIENT)} {flags}"))

    @property
    def sessions(self) -> list[Path]:
        return list(self.home.glob(".claude/projects/*/*.jsonl"))

    @property
    def asked(self) -> str:
        return json.dumps([exchange.body for exchange in self.server.log.asked()])


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    home, project, marks = tmp_path / "home", tmp_path / "project", tmp_path / "marks"
    for directory in (home / ".claude", project / ".claude", marks):
        directory.mkdir(parents=True)
    touch = {name: [{"hooks": [{"type": "command", "command": f"touch {marks}/{name}"}]}] for name in EVENTS}
    for directory in (home / ".claude", project / ".claude"):
        (directory / "settings.json").write_text(json.dumps({"hooks": touch}), encoding="utf-8")
    for path in (home / ".claude" / "CLAUDE.md", project / "CLAUDE.md"):
        path.write_text(f"Always say {WORD}.", encoding="utf-8")
    session_file(project / "run.jsonl", turns=8)
    with Server(Fixed(ANSWER), SERVICE) as server:
        yield There(home, project, marks, server)


@pytest.mark.parametrize("form", ["", " --output-format text"], ids=["json", "text"])
def test_the_client_writes_a_memory_and_leaves_no_trace(there: There, form: str) -> None:
    ran = there.update(f"-p --model claude-haiku-4-5{form}")
    assert (ran.returncode, "no model wrote" in ran.stderr) == (0, False), ran.stderr
    assert "what is left is the sluice" in (there.project / "session-memory.md").read_text(encoding="utf-8")
    assert (list(there.marks.iterdir()), there.sessions, WORD in there.asked) == ([], [], False)


def test_left_to_itself_the_client_would_run_hooks_and_read_and_leave_more(there: There) -> None:
    """Else the test above would prove nothing."""
    there.run(CLIENT, "-p", "--model", "claude-haiku-4-5", input="hello")
    assert len(list(there.marks.iterdir())) > 2
    assert len(there.sessions) == 1
    assert WORD in there.asked


def test_what_the_client_says_of_usage_is_accounted(there: There) -> None:
    there.update("-p --model claude-haiku-4-5")
    ran = there.run(*command("status", "run.jsonl", "--cost", "--json"))
    assert '"claude-haiku-4-5"' in ran.stdout
    assert len(there.server.log.asked()) == 1


def test_an_error_of_the_client_is_told_and_the_facts_are_fresh(there: There) -> None:
    there.server.script(*["401"] * 9)  # it asks again, even with a wrong key
    ran = there.update("-p --model claude-haiku-4-5")
    assert (ran.returncode, "claude failed (401)" in ran.stderr) == (0, True), ran.stderr
    assert (there.project / "session-memory.md").exists()
