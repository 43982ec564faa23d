"""The real Claude Code client with memcli's hooks, against a server on loopback. Run by scripts/claude-code.

    install     hooks go into the settings of a home of its own
    follow      30 turns in one client; the watcher that the hook started follows them
    compact     in the middle, `memcli compact --session`; the client resumes it: its first request is checked
    summarise   the client's own /compact is told what to keep, and the memory comes back after it
    uninstall   every byte is as it was

Clients are installed by npm below .venv (once), or named by --client. Where one cannot be installed, that is said and
is no failure.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

from messages_server import SUMMARY, Server, asks_for_summary, blocks, said
from npm import Package
from trial import MARK, MEMCLI, PATIENCE_SECONDS, TURNS, WORDS, Trial, main, wait_until

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "claude-sonnet-4-6"
HOOK = "<!-- memcli hook -->"
ROUNDS = 15
SETTINGS = '{\r\n\t"model": "sonnet",\r\n\t"hooks": {\r\n\t\t"Stop": []\r\n\t}\r\n}\r\n'
# A client that stays alone: no update, no telemetry, no title asked of a model.
QUIET = dict.fromkeys(
    (
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "DISABLE_AUTOUPDATER",
        "DISABLE_TELEMETRY",
        "DISABLE_ERROR_REPORTING",
        "IS_SANDBOX",
    ),
    "1",
)


class Spent(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float


class Story(Trial):
    """One client with hooks."""

    package = Package("Claude Code", "@anthropic-ai/claude-code", "@anthropic-ai/claude-code-*/claude")
    server_of = Server
    versions = ("2.1.197", "latest")

    def begin(self) -> dict[str, str]:
        """Settings with a hook in them; a client that stays alone."""
        self.settings = self.home / ".claude" / "settings.json"
        self.settings.parent.mkdir()
        self.settings.write_bytes(SETTINGS.encode())
        return {**QUIET, "ANTHROPIC_BASE_URL": self.server.url, "ANTHROPIC_API_KEY": "none"}

    # ---------------------------------------------------------------- the story

    def run(self) -> None:
        """All of it."""
        try:
            self.install()
            middle = self.follow()
            self.resume(middle)
            self.summarise()
            self.measure()
        finally:
            self.uninstall()

    def install(self) -> None:
        """Hooks go beside those that stand there."""
        self.memcli("install", "claude-code", "--yes")
        hooks = json.loads(self.settings.read_text())["hooks"]
        self.check("hooks are installed, none at a prompt", sorted(hooks) == ["PreCompact", "SessionStart", "Stop"])

    def follow(self) -> str:
        """Play the session in one client; the compacted one of its middle, and what its first request must hold."""
        with Client(self) as client:
            for number in range(1, TURNS // 2 + 1):
                client.prompt(f"step {number} {WORDS.get(number, 'of the plan')}")
            self.original = self.session()
            self.check("the hook's watcher follows the session while it runs", self.covered(TURNS), self.status())
            pid = self.status().get("watched_by")
            self.check("it is detached, in a session of its own", pid and os.getsid(pid) == pid)
            middle = self.memcli("compact", "--session").split()[-1]
            self.check("it is compacted while it runs", middle, self.last_words)
            for number in range(TURNS // 2 + 1, TURNS + 1):
                client.prompt(f"step {number} {WORDS.get(number, 'of the plan')}")
        self.check("and followed to its end", self.covered(2 * TURNS), self.status())
        self.check("the watcher survives the client, and there is one", self.watchers() == [pid], self.watchers())
        return middle

    def resume(self, session: str) -> None:
        """Resume our file: its first request is the memory, the tail, the prompt, and nothing else."""
        lines = self.original.with_name(f"{session}.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        tail = [atom for one in records if one["type"] in ("user", "assistant") for atom in atoms(one["message"])]
        body = self.asked("--resume", session, "What is the release called?")[0]
        sent = [atom for one in body["messages"] for atom in atoms(one)]
        self.check("the first request begins with the memory", tail and tail[0] in sent[:1] and MARK in tail[0])
        self.check(
            "then comes the tail and the prompt, and nothing else", sent == [*tail, "What is the release called?"]
        )
        whole = json.dumps(body["messages"])
        self.check("the memory stands in it once", whole.count(MARK) == 1 and HOOK not in whole)
        kept = all(words in whole for words in WORDS.values())
        self.check("it holds what the user said in the first half", kept, f"{len(body['messages'])} messages")

    def summarise(self) -> None:
        """The client's own compaction of the original session."""
        session = self.original.stem
        bodies = self.asked("--resume", session, "/compact")
        told = next((json.dumps(body["messages"][-1]) for body in bodies if asks_for_summary(body)), "")
        self.check(
            "the client's own summary is told what to keep", HOOK in told and WORDS[4] in told and WORDS[9] in told
        )
        body = self.asked("--resume", session, "step 31 of the plan")[0]
        sent = json.dumps(body["messages"])
        self.check("the memory comes back after it", SUMMARY in sent and "Session memory of this conversation" in sent)
        self.check("once", sent.count("Session memory of this conversation") == 1)
        self.check("with the user's words", WORDS[1] in sent and WORDS[4] in sent and WORDS[9] in sent)
        again = self.asked("--resume", session, "step 32 of the plan")[0]
        self.check("a later resume does not repeat it", json.dumps(again).count("Session memory of this") == 1)

    def measure(self) -> None:
        """What a hook costs beside Python itself, in rounds that take turns."""
        payload = {"transcript_path": str(self.original), "cwd": str(self.project), "hook_event_name": "SessionStart"}
        runs = {
            "python -c pass": ([sys.executable, "-c", "pass"], {}),
            "session-start, startup": ([*MEMCLI, "hook", "session-start"], {**payload, "source": "startup"}),
            "session-start, compact": ([*MEMCLI, "hook", "session-start"], {**payload, "source": "compact"}),
            "pre-compact": ([*MEMCLI, "hook", "pre-compact"], payload),
        }
        spent: dict[str, list[Spent]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, (command, given) in runs.items():
                spent[name].append(self.spent(command, json.dumps(given)))
        floor = statistics.median(one.cpu for one in spent["python -c pass"])
        for name, all_ in spent.items():
            cpu, wall = statistics.median(one.cpu for one in all_), statistics.median(one.wall for one in all_)
            print(f"        {name:24}{cpu * 1000:6.1f} ms CPU ({(cpu - floor) * 1000:+.1f}), {wall * 1000:.1f} ms wall")
        print("        added to a prompt        0.0 ms: no hook runs there")

    def uninstall(self) -> None:
        """Stop the watcher and take the hooks out."""
        self.memcli("stop", "-q")
        self.check("`memcli stop` ends the watcher", wait_until(lambda: not self.watchers()))
        self.memcli("uninstall", "claude-code", "--yes")
        self.check("uninstall leaves the settings byte for byte", self.settings.read_bytes() == SETTINGS.encode())
        left = [path.name for path in (self.home / ".claude").glob("commands")]
        self.check("and nothing beside them", not left, left)

    # ---------------------------------------------------------------- means

    def asked(self, *words: str) -> list[dict[str, Any]]:
        """Run the client once; the requests it sent that carry the conversation."""
        before = len(self.server.requests)
        self.ran(self.client, "-p", "--model", MODEL, "--dangerously-skip-permissions", *words)
        return [body for body in self.server.requests[before:] if body.get("tools") or asks_for_summary(body)]

    def session(self) -> Path:
        """The transcript of the one client that ran."""
        folder = next((self.home / ".claude" / "projects").iterdir())
        return max(folder.glob("*-*.jsonl"), key=lambda path: path.stat().st_size)

    def covered(self, messages: int) -> bool:
        """Wait until the memory covers so many messages of the session."""
        return wait_until(lambda: (self.status().get("covered_messages") or 0) >= messages)

    def watchers(self) -> list[int]:
        """The watchers of this home, by the argument that names their project."""
        lines = self.ran("ps", "-axww", "-o", "pid=,command=").splitlines()
        found = [line.split(None, 1) for line in lines if "memcli.watch.daemon" in line and str(self.home) in line]
        return [int(pid) for pid, _ in found]

    def spent(self, command: list[str], given: str) -> Spent:
        """Run it to its end."""
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        self.ran(*command, stdin=given)
        wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


class Client:
    """One client process that is given prompts, as a program that drives it does."""

    def __init__(self, trial: Story) -> None:
        form = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
        line = [str(trial.client), "-p", *form, "--model", MODEL, "--dangerously-skip-permissions"]
        self.process = subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=trial.project,
            env=trial.environment,
            text=True,
        )

    def prompt(self, words: str) -> None:
        """Say this, and wait for the end of the turn."""
        given, answers = self._pipes()
        record = {"type": "user", "message": {"role": "user", "content": words}}
        given.write(json.dumps(record) + "\n")
        given.flush()
        for line in answers:
            if json.loads(line).get("type") == "result":
                return
        raise RuntimeError("the client ended in the middle of a turn")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        given, answers = self._pipes()
        given.close()
        answers.read()
        self.process.wait(PATIENCE_SECONDS)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout


def atoms(message: dict[str, Any]) -> list[str]:
    """What a message says, call by call and text by text, without what the client puts around it."""
    found = []
    for block in blocks(message):
        match block["type"]:
            case "text":
                found += [said(block)] if said(block) else []
            case "tool_use":
                found.append(f"call {block['id']}")
            case "tool_result":
                found.append(f"result {block['tool_use_id']}")
    return found


if __name__ == "__main__":
    sys.exit(main(Story))
