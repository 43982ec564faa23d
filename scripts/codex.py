"""The real Codex client against a Responses API on loopback. Run by scripts/codex.

    follow    30 turns, each a run of the client that resumes the session; `memcli watch --codex` follows it
    compact   in the middle, `memcli compact --session`; the client resumes it: its first request is checked
    again     the resumed session goes on, is compacted in its turn, and resumed: the memory stands in it once

The client is installed by npm below .venv (once), or named by --client. Where it cannot be installed, that is said and
is no failure. One client process a turn: `codex exec` takes one prompt; its file is the same one all the time.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from npm import Package
from responses_server import Server, texts
from trial import MARK, MEMCLI, PATIENCE_SECONDS, TURNS, WORDS, Trial, main, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import loopback

QUESTION = "What is the release called?"
CONFIG = """\
model = "gpt-5.1-codex"
model_provider = "loopback"
check_for_update_on_startup = false
approval_policy = "never"
sandbox_mode = "danger-full-access"
[model_providers.loopback]
name = "loopback"
base_url = "{url}"
wire_api = "responses"
env_key = "LOOPBACK_KEY"
request_max_retries = 0
stream_max_retries = 0
[analytics]
enabled = false
[projects."{project}"]
trust_level = "trusted"
"""
# What the client tells the model of itself and its place, before each conversation and anew on resume.
HARNESS = ("<", "# AGENTS.md")


class Story(Trial):
    """One client whose every turn is a run."""

    package = Package("Codex", "@openai/codex", ".bin/codex")
    server_of: ClassVar[Callable[[], loopback.Server]] = Server
    host = "codex"
    command: ClassVar[tuple[str, ...]] = ("codex", "resume")
    pattern = "sessions/*/*/*/rollout-*.jsonl"
    turns = TURNS
    more = 3

    def begin(self) -> dict[str, str]:
        """Write the client's settings, in a directory of its own, and a house rule."""
        self.kept = self.room / "client"
        self.kept.mkdir()
        (self.project / "AGENTS.md").write_text("House rule: tabs.\n")
        return self.configure()

    def configure(self) -> dict[str, str]:
        """Write the client's settings; what it needs in the environment."""
        (self.kept / "config.toml").write_text(CONFIG.format(url=self.server.url, project=self.project))
        return {"CODEX_HOME": str(self.kept), "LOOPBACK_KEY": "none"}

    def run(self) -> None:
        """All of it."""
        watcher = subprocess.Popen(
            [*MEMCLI, "watch", f"--{self.host}", "--every-turn", "--init-tokens", "1", "-q"],
            cwd=self.project,
            env=self.environment,
            start_new_session=True,
        )
        try:
            middle = self.follow()
            self.resume(middle)
            self.again(middle)
        finally:
            watcher.terminate()
            self.check("`memcli watch` ends when asked to", watcher.wait(PATIENCE_SECONDS) == 143)

    def follow(self) -> str:
        """Play the session; the compacted one of its middle."""
        self.prompt(1)
        original = self.session()
        middle = ""
        for number in range(2, self.turns + 1):
            self.prompt(number, original)
            if number == self.turns // 2:
                self.check("it is followed from day to day's folder", self.covered(), self.status())
                middle = self.compacted(original)
        self.check("and followed to its end", self.covered(), self.status())
        self.check("all of it is one file of the client", self.session() == original)
        return middle

    def compacted(self, session: str) -> str:
        """The id of the new session, by the command that was printed."""
        told = self.memcli("compact", "--session", str(self.path(session)))
        words = shlex.split(told)
        self.check(
            "a new session is there, with the client's own command", (*words[:-1],) == self.command, told.strip()
        )
        return words[-1]

    def resume(self, session: str) -> None:
        """Resume our file: its first request is the memory, the tail, the prompt, and nothing else."""
        wanted = [*self.recorded(session), QUESTION]
        body = self.ask(QUESTION, session)
        sent = self.sent(body)
        self.check("the first request begins with the memory", sent[:1] == wanted[:1] and MARK in "".join(sent[:1]))
        self.check("then comes the tail and the prompt, and nothing else", sent == wanted, f"{len(sent)} pieces")
        whole = json.dumps(body)
        self.check("the memory stands in it once", whole.count(MARK) == 1)
        self.check_rules(body)
        kept = all(words in whole for turn, words in WORDS.items() if turn <= self.turns // 2)
        self.check("it holds what the user said in the first half", kept, f"{len(whole)} characters")

    def again(self, session: str) -> None:
        """The resumed session is one like any other: it goes on, is compacted in its turn, and resumed."""
        for number in range(self.turns + 1, self.turns + 1 + self.more):
            self.prompt(number, session)
        second = self.compacted(session)
        self.check("it is another session", second != session)
        self.resume(second)

    # ---------------------------------------------------------------- means

    def prompt(self, number: int, session: str = "") -> None:
        """One turn."""
        self.ask(f"step {number} {WORDS.get(number, 'of the plan')}", session)

    def ask(self, words: str, session: str = "") -> dict[str, Any]:
        """Run the client once; the first request it sent."""
        before = len(self.server.requests)
        there = ["resume", "--skip-git-repo-check", session] if session else ["--skip-git-repo-check"]
        self.ran(self.client, "exec", *there, words)
        return self.server.requests[before] if self.server.requests[before:] else {"input": []}

    def sent(self, body: dict[str, Any]) -> list[str]:
        """What a request says, call by call and text by text."""
        return conversation(body["input"])

    def recorded(self, session: str) -> list[str]:
        """What a session says, the same way."""
        records = [json.loads(line) for line in self.path(session).read_text().splitlines()]
        return conversation([record["payload"] for record in records if record["type"] == "response_item"])

    def check_rules(self, body: dict[str, Any]) -> None:
        """The client tells its own rules anew, and nobody else does; it did not compact."""
        self.check("and the client's own rules once", json.dumps(body["input"]).count("House rule: tabs.") == 1)
        self.check("the client did not compact by itself", not [path for path in self.server.others if "comp" in path])

    def rollouts(self) -> list[Path]:
        """All sessions, the largest last."""
        return sorted(self.kept.glob(self.pattern), key=lambda path: path.stat().st_size)

    def session(self) -> str:
        """The id of the session that the client began."""
        return self.rollouts()[-1].stem[-36:]

    def path(self, session: str) -> Path:
        """Where a session lies."""
        return next(path for path in self.rollouts() if path.stem.endswith(session))

    def covered(self) -> bool:
        """Wait until the memory covers all but the last turns, in the hands of the watcher."""
        return wait_until(lambda: self._is_covered(self.status()))

    def _is_covered(self, found: dict[str, Any]) -> bool:
        behind = (found.get("messages") or 0) - (found.get("covered_messages") or 0)
        return bool(found.get("watched_by") and found.get("covered_messages") and behind <= 30)


def conversation(items: list[dict[str, Any]]) -> list[str]:
    """What items say, call by call and text by text, without what the client tells of itself and its place."""
    found = []
    for item in items:
        kind = str(item.get("type", "message"))
        if kind == "message" and item.get("role") in ("user", "assistant"):
            found += [text for text in texts(item) if text.startswith("<!--") or not text.startswith(HARNESS)]
        elif kind.endswith(("_call", "_output")):
            found.append(f"{'result' if kind.endswith('_output') else 'call'} {item.get('call_id')}")
        elif kind != "message":
            found.append(kind)
    return found


if __name__ == "__main__":
    sys.exit(main(Story))
