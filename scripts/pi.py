"""The real pi client against a Messages API on loopback. Run by scripts/pi; the story is that of scripts/codex.

The client is installed by npm below .venv (once), or named by --client. Where it cannot be installed, or node is too
old for it, that is said and is no failure.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import codex
from messages_server import Server, blocks, said
from npm import Package
from trial import MARK, main


class Story(codex.Story):
    """One client whose every turn is a run."""

    package = Package("pi", "@earendil-works/pi-coding-agent", ".bin/pi")
    server_of = Server
    host = "pi"
    command = ("pi", "--session")
    pattern = "sessions/*/*_*.jsonl"

    def configure(self) -> dict[str, str]:
        """Write the client's settings; what it needs in the environment."""
        model = {"id": "loopback-1", "contextWindow": 200000, "maxTokens": 8000}
        provider = {"baseUrl": self.server.url, "api": "anthropic-messages", "apiKey": "none", "models": [model]}
        (self.kept / "models.json").write_text(json.dumps({"providers": {"loopback": provider}}))
        return {"PI_CODING_AGENT_DIR": str(self.kept), "PI_OFFLINE": "1", "PI_TELEMETRY": "0"}

    def ask(self, words: str, session: str = "") -> dict[str, Any]:
        """Run the client once; the first request it sent."""
        before = len(self.server.requests)
        model = ["--provider", "loopback", "--model", "loopback-1"]
        self.ran(self.client, "-p", *model, *(["--session", session] if session else []), words)
        return self.server.requests[before] if self.server.requests[before:] else {"messages": []}

    def sent(self, body: dict[str, Any]) -> list[str]:
        """What a request says, call by call and text by text."""
        return [atom for message in body["messages"] for block in blocks(message) for atom in atoms(block)]

    def recorded(self, session: str) -> list[str]:
        """What a session says, the same way."""
        found = []
        for line in self.path(session).read_text().splitlines():
            message = json.loads(line).get("message") or {"role": "", "content": []}
            result = message["role"] == "toolResult"
            found += [f"result {message['toolCallId']}"] if result else []
            found += [] if result else [atom for block in blocks(message) for atom in atoms(block)]
        return found

    def check_rules(self, body: dict[str, Any]) -> None:
        """The client's own rules are told where it always tells them."""
        whole = json.dumps(body.get("system", ""))
        self.check(
            "the client's own rules stand in the system prompt", "House rule: tabs." in whole and MARK not in whole
        )


def atoms(block: dict[str, Any]) -> list[str]:
    """A text, a call or a result."""
    match block["type"]:
        case "text":
            return [said(block)] if said(block) else []
        case "tool_use" | "toolCall":
            return [f"call {block['id']}"]
        case "tool_result":
            return [f"result {block['tool_use_id']}"]
    return [str(block["type"])]


if __name__ == "__main__":
    sys.exit(main(Story))
