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

import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

from messages_server import SUMMARY, Server, asks_for_summary, blocks, said

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
VERSIONS = ("2.1.197", "latest")
TURNS = 30
MODEL = "claude-sonnet-4-6"
MARK = "<!-- memcli generation="
HOOK = "<!-- memcli hook -->"
INSTALL_SECONDS = 240
TRIAL_SECONDS = 600
PATIENCE_SECONDS = 60
ROUNDS = 15
SETTINGS = '{\r\n\t"model": "sonnet",\r\n\t"hooks": {\r\n\t\t"Stop": []\r\n\t}\r\n}\r\n'
WORDS = {
    1: "Always keep notes as plain text, never as JSON.",
    4: "No, that is wrong: the notes go below notes/ and nowhere else.",
    9: "Remember that the release is called Bramble.",
}
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


def main() -> int:
    """Try every client; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/claude-code", description="The real client with memcli's hooks.")
    parser.add_argument("--version", action="append", help=f"a version to install (default: {' and '.join(VERSIONS)})")
    parser.add_argument("--client", action="append", type=Path, help="a client that is installed already")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, _too_long)
    clients = wish.client or [found for version in wish.version or VERSIONS if (found := installed(version))]
    failed = 0
    for client in clients:
        with tempfile.TemporaryDirectory(prefix="memcli-claude-") as room, Server() as server:
            signal.alarm(TRIAL_SECONDS)
            failed += Trial(client, Path(os.path.realpath(room)), server).run()
            signal.alarm(0)
    return 1 if failed else 0


def _too_long(*_: object) -> None:
    raise TimeoutError(f"a client took more than {TRIAL_SECONDS} s")


def installed(version: str) -> Path | None:
    """The client of that version, from npm; None, with a line that says why, where that cannot be."""
    place = ROOT / ".venv" / "claude-code" / version
    found = next(iter(place.glob("node_modules/@anthropic-ai/claude-code-*/claude")), None)
    if found and version != "latest":
        return found
    why = npm_failed(place, version)
    found = next(iter(place.glob("node_modules/@anthropic-ai/claude-code-*/claude")), None)
    if why or not found:
        print(f"skipped: Claude Code {version} cannot be installed here ({why or 'no program for this machine'})")
    return None if why else found


def npm_failed(place: Path, version: str, package: str = "@anthropic-ai/claude-code") -> str:
    """Install this version of a package; "" if npm did, else why not. It gives up soon where there is no network."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    quick = ["--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000", "--ignore-scripts"]
    command = [
        npm,
        "install",
        *quick,
        "--loglevel=error",
        "--prefix",
        str(place),
        f"{package}@{version}",
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        return next(iter(str(error.stderr).splitlines()), "npm failed")
    except subprocess.TimeoutExpired:
        return f"npm took more than {INSTALL_SECONDS} s"
    return ""


class Spent(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float


class Trial:
    """One client in a home and a project of its own."""

    def __init__(self, client: Path, room: Path, server: Server) -> None:
        self.client = client
        self.home = room / "home"
        self.project = room / "project"
        self.server = server
        self.failed = 0
        self.last_words = ""
        for directory in (self.home / ".claude", self.project):
            directory.mkdir(parents=True)
        self.settings = self.home / ".claude" / "settings.json"
        self.settings.write_bytes(SETTINGS.encode())
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.home), "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "none"}
        self.environment = {**kept, **QUIET, **own, "SHELL": "/bin/bash"}

    # ---------------------------------------------------------------- the story

    def run(self) -> int:
        """All of it; how many checks failed."""
        print(f"Claude Code {self.ran(self.client, '--version').strip()}", flush=True)
        try:
            self.install()
            middle = self.follow()
            self.resume(middle)
            self.summarise()
            self.measure()
        finally:
            self.uninstall()
        return self.failed

    def check(self, what: str, holds: object, detail: object = "") -> None:
        """Print one line, and count it if it does not hold."""
        self.failed += not holds
        print(f"  {'ok  ' if holds else 'FAIL'}  {what}{f': {detail}' if detail else ''}", flush=True)

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
            "session-start, startup": (self.hook("session-start"), {**payload, "source": "startup"}),
            "session-start, compact": (self.hook("session-start"), {**payload, "source": "compact"}),
            "pre-compact": (self.hook("pre-compact"), payload),
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

    def ran(self, *line: object, stdin: str = "") -> str:
        """What a program prints, in the project."""
        done = subprocess.run(
            [str(word) for word in line],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.project,
            env=self.environment,
            timeout=PATIENCE_SECONDS * 2,
            check=False,
        )
        self.last_words = done.stderr.strip().rpartition("\n")[2]
        if done.returncode and not done.stdout:
            print(f"        {line[0]} ended with {done.returncode}: {self.last_words[:300]}")
        return done.stdout

    def memcli(self, *words: str) -> str:
        """What memcli prints."""
        return self.ran(sys.executable, "-P", "-m", "memcli", *words)

    def hook(self, event: str) -> list[str]:
        """The command line of a hook, without the shell around it."""
        return [sys.executable, "-P", "-m", "memcli", "hook", event]

    def asked(self, *words: str) -> list[dict[str, Any]]:
        """Run the client once; the requests it sent that carry the conversation."""
        before = len(self.server.requests)
        self.ran(self.client, "-p", "--model", MODEL, "--dangerously-skip-permissions", *words)
        return [body for body in self.server.requests[before:] if body.get("tools") or asks_for_summary(body)]

    def session(self) -> Path:
        """The transcript of the one client that ran."""
        folder = next((self.home / ".claude" / "projects").iterdir())
        return max(folder.glob("*-*.jsonl"), key=lambda path: path.stat().st_size)

    def status(self) -> dict[str, Any]:
        """What `memcli status` says of it."""
        found = json.loads(self.memcli("status", "--json") or "{}")
        return {name: found.get(name) for name in ("state", "messages", "covered_messages", "watched_by")}

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

    def __init__(self, trial: Trial) -> None:
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


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask until it holds, or the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
