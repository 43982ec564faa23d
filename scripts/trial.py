"""A real client in a home and a project of its own, with memcli beside it; what must hold is printed line by line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback import Server
    from npm import Package

TURNS = 30
MARK = "<!-- memcli generation="
MEMCLI = (sys.executable, "-P", "-m", "memcli")
PATIENCE_SECONDS = 180
TRIAL_SECONDS = 900
WORDS = {
    1: "Always keep notes as plain text, never as JSON.",
    4: "No, that is wrong: the notes go below notes/ and nowhere else.",
    9: "Remember that the release is called Bramble.",
}


class Trial:
    """One client. Its story is told by whoever inherits: `begin`, then `run`."""

    package: ClassVar[Package]
    server_of: ClassVar[Callable[[], Server]]
    versions: ClassVar[tuple[str, ...]] = ("latest",)
    patience: ClassVar[int] = 1  # so many times as long as others a client may take

    def __init__(self, client: Path, room: Path, server: Server) -> None:
        self.client = client.absolute()
        self.room = room
        self.home = room / "home"
        self.project = room / "project"
        self.server = server
        self.failed = 0
        self.last_words = ""
        self.home.mkdir()
        self.project.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        self.environment = {**kept, "HOME": str(self.home), "SHELL": "/bin/bash", **self.begin()}

    def begin(self) -> dict[str, str]:
        """Write the client's settings; what it needs in the environment."""
        raise NotImplementedError

    def run(self) -> None:
        """The story."""
        raise NotImplementedError

    def check(self, what: str, holds: object, detail: object = "") -> None:
        """Print one line, and count it if it does not hold."""
        self.failed += not holds
        print(f"  {'ok  ' if holds else 'FAIL'}  {what}{f': {detail}' if detail else ''}", flush=True)

    def ran(self, *line: object, stdin: str = "") -> str:
        """What a program prints, in the project."""
        given: dict[str, Any] = {"input": stdin} if stdin else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(
            [str(word) for word in line],
            capture_output=True,
            text=True,
            cwd=self.project,
            env=self.environment,
            timeout=PATIENCE_SECONDS * 2 * self.patience,
            check=False,
            **given,
        )
        self.last_words = done.stderr.strip().rpartition("\n")[2]
        if done.returncode and not done.stdout:
            print(f"        {line[0]} ended with {done.returncode}: {self.last_words[:300]}")
        return done.stdout

    def memcli(self, *words: object) -> str:
        """What memcli prints."""
        return self.ran(*MEMCLI, *words)

    def status(self) -> dict[str, Any]:
        """What `memcli status` says of the session of this project."""
        found = json.loads(self.memcli("status", "--json") or "{}")
        return {name: found.get(name) for name in ("state", "messages", "covered_messages", "watched_by")}


def main(trial: type[Trial]) -> int:
    """Try the client, each version of it in turn; the exit code."""
    title, default = trial.package.title, " and ".join(trial.versions)
    parser = argparse.ArgumentParser(
        prog=f"scripts/{Path(sys.argv[0]).stem.replace('_', '-')}",
        description=f"The real {title} client with memcli, against a server on loopback.",
    )
    parser.add_argument("--version", action="append", help=f"a version to install (default: {default})")
    parser.add_argument("--client", action="append", type=Path, help="a client that is installed already")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, _too_long)
    found = (trial.package.installed(version) for version in wish.version or trial.versions)
    failed = 0
    for client in wish.client or filter(None, found):
        with tempfile.TemporaryDirectory(prefix="memcli-trial-") as room, trial.server_of() as server:
            signal.alarm(TRIAL_SECONDS * trial.patience)
            one = trial(client, Path(os.path.realpath(room)), server)
            version = one.ran(one.client, "--version").strip()
            print(f"{title}: {version}" if version else f"skipped: {title} does not start here", flush=True)
            if version:
                one.run()
            signal.alarm(0)
            failed += one.failed
    return 1 if failed else 0


def _too_long(*_: object) -> None:
    raise TimeoutError("a client took too long")


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask until it holds, or the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return bool(found)
