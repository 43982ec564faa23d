"""The real OpenClaw client against a Messages API on loopback. Run by scripts/openclaw.

The story is that of scripts/codex, shorter, for this client takes its time; then a compaction in place is gone on in.

The client is installed by npm below .venv (once), or named by --client; node, which it wants newer than most systems
have it, comes from npm, too. Where that cannot be, it is said and is no failure. The default version is the last one
whose sessions are files.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import codex
from messages_server import Server, blocks
from npm import Package
from pi import atoms
from trial import MARK, main

if TYPE_CHECKING:
    from pathlib import Path

_SYSTEM = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "other")
_MACHINE = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
NODE = Package("node", f"node-{_SYSTEM}-{_MACHINE}", f"node-{_SYSTEM}-{_MACHINE}/bin/node")
NODE_VERSION = "24"
# What the client puts around the words of a user, and beside them; it writes none of it into the session.
_WHEN = re.compile(r"^\[[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d [^]]*\] ")
_BESIDE = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"


class Story(codex.Story):
    """One client whose every turn is a run."""

    package = Package("OpenClaw", "openclaw", ".bin/openclaw")
    versions = ("2026.7.35",)
    server_of = Server
    host = "openclaw"
    command = ("openclaw", "agent", "--agent", "main", "--session-id")
    pattern = "agents/main/sessions/*.jsonl"
    turns = 6
    more = 1
    patience = 3

    def configure(self) -> dict[str, str]:
        """Write the client's settings; what it needs in the environment."""
        model = {"id": "loopback-1", "name": "loopback-1", "contextWindow": 200000, "maxTokens": 8000}
        provider = {"baseUrl": self.server.url, "api": "anthropic-messages", "apiKey": "none", "models": [model]}
        defaults = {"workspace": str(self.project), "skipBootstrap": True, "model": {"primary": "loopback/loopback-1"}}
        settings = {
            "models": {"mode": "replace", "providers": {"loopback": provider}},
            "agents": {"defaults": defaults},
            "plugins": {"enabled": False},
        }
        (self.kept / "openclaw.json").write_text(json.dumps(settings))
        node = NODE.installed(NODE_VERSION)
        path = f"{node.parent}{os.pathsep}{os.environ['PATH']}" if node else os.environ["PATH"]
        return {"OPENCLAW_STATE_DIR": str(self.kept), "PATH": path}

    def run(self) -> None:
        """All of it."""
        super().run()
        self.in_place()

    def in_place(self) -> None:
        """The client goes on in its own session, which was compacted where it lies."""
        session = self.session()
        self.memcli("compact", "--in-place", "-q", self.path(session))
        self.resume(session)

    def compacted(self, session: str) -> str:
        """The id of the new session, by the command that was printed."""
        told = self.memcli("compact", "--session", str(self.path(session))).strip()
        words = shlex.split(told)
        given = len(self.command)
        self.check("a new session is there, with the client's own command", (*words[:given],) == self.command, told)
        return words[given]

    def ask(self, words: str, session: str = "") -> dict[str, Any]:
        """Run the client once; the first request it sent."""
        before = len(self.server.requests)
        there = ["--session-id", session] if session else []
        self.ran(self.client, "agent", "--local", "--agent", "main", *there, "--message", words)
        return self.server.requests[before] if self.server.requests[before:] else {"messages": []}

    def sent(self, body: dict[str, Any]) -> list[str]:
        """What a request says, call by call and text by text, without what the client puts around it."""
        found = [_plain(atom) for message in body["messages"] for block in blocks(message) for atom in atoms(block)]
        return [atom for atom in found if not atom.startswith(_BESIDE)]

    def recorded(self, session: str) -> list[str]:
        """What a session says, the same way."""
        found: list[str] = []
        for line in self.path(session).read_text().splitlines():
            message = json.loads(line).get("message") or {"role": "", "content": []}
            if message["role"] == "toolResult":
                found.append(f"result {message['toolCallId']}")
            else:
                found += [atom for block in blocks(message) for atom in atoms(block)]
        return [_plain(atom) for atom in found]

    def check_rules(self, body: dict[str, Any]) -> None:
        """The client's own rules are told where it always tells them."""
        whole = json.dumps(body.get("system", ""))
        told = "House rule: tabs." in whole and MARK not in whole
        self.check("the client's own rules stand in the system prompt", told)

    def rollouts(self) -> list[Path]:
        """All sessions, the largest last; not what the client records of its own runs."""
        return [path for path in super().rollouts() if not path.name.endswith(".trajectory.jsonl")]

    def session(self) -> str:
        """The id of the session that the client began."""
        return self.rollouts()[-1].stem


def _plain(atom: str) -> str:
    """Without the time before a prompt; the client sends ids without dashes and the like."""
    if atom.startswith(("call ", "result ")):
        return re.sub(r"[^0-9A-Za-z ]", "", atom)
    return _WHEN.sub("", atom)


if __name__ == "__main__":
    sys.exit(main(Story))
