"""The demo: a recorded session grows under a real `memcli watch`, then `memcli compact` swaps it. Run by scripts/demo.

Lines arrive with pauses where the user thinks, and now and then in two halves, as a host's buffer writes them.
Everything happens in a temporary directory with a home of its own; no key, no network.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "claude-code-2.1.330-shelfmark.jsonl"
SECONDS = 20.0

# A host is silent while its user thinks. A pause shorter than this would hide it from the daemon, which takes a file as
# at rest only when it has been quiet for longer than a host's flush.
_LEAST_PAUSE = 0.3
_LAST_PAUSE = 1.5
_PATIENCE = 120.0
_SHOWN_LINES = 32


def main() -> int:
    """Show it; the exit code of the demo."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="A session is remembered while it grows.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long the replay takes (default: 20)")
    parser.add_argument("recorded", nargs="?", type=Path, default=RECORDED, help="another recorded session")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="memcli-demo-") as room:
            return show(wish.recorded, Path(room), wish.seconds)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def show(recorded: Path, room: Path, seconds: float) -> int:
    """Replay, compact, and show what came of it."""
    transcript = room / "session.jsonl"
    transcript.touch()
    environment = own_environment(room)
    say(f"$ memcli watch {transcript.name} &")
    watch = subprocess.Popen(
        memcli("watch", transcript.name), cwd=room, env=environment, stderr=subprocess.PIPE, text=True, process_group=0
    )
    try:
        assert watch.stderr is not None
        follows, remembers = threading.Event(), threading.Event()
        teller = threading.Thread(target=tell, args=(watch.stderr, room, follows, remembers), daemon=True)
        teller.start()
        follows.wait(_PATIENCE)
        replay(recorded, transcript, seconds)
        remembers.wait(_PATIENCE)
        code = compact(transcript, room, environment)
    finally:
        stop(watch)
    teller.join()
    return code


def own_environment(room: Path) -> dict[str, str]:
    """The environment without the user's settings, and with a home that goes away with the demo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MEMCLI_", "ANTHROPIC_", "XDG_"))}
    return kept | {"HOME": str(room / "home")}


def memcli(*arguments: str) -> list[str]:
    """The command line of memcli itself."""
    return [sys.executable, "-m", "memcli", *arguments]


def tell(lines: IO[str], room: Path, follows: threading.Event, remembers: threading.Event) -> None:
    """Print what `watch` says, as it says it; set the one with its word that it follows the transcript, the other with
    that of a memory."""
    for line in lines:
        say(f"  {line.rstrip().replace(f'{room}{os.sep}', '')}")
        if " following " in line:
            follows.set()
        if " updated " in line:
            remembers.set()
    follows.set()  # it has ended: nobody need wait for it
    remembers.set()


def replay(recorded: Path, transcript: Path, seconds: float) -> None:
    """Append the recorded lines to `transcript`, in about `seconds`."""
    lines = recorded.read_bytes().splitlines(keepends=True)
    with transcript.open("ab", buffering=0) as host:
        for number, (line, pause) in enumerate(zip(lines, paced(lines, seconds), strict=True)):
            time.sleep(pause)
            middle = len(line) // 2 if number % 10 == 0 else 0
            host.write(line[:middle])
            if middle:
                time.sleep(0.02)
            host.write(line[middle:])
            if words := prompt(json.loads(line)):
                say(f"user: {words}")
    time.sleep(_LAST_PAUSE)


def paced(lines: list[bytes], seconds: float) -> list[float]:
    """The pause before each line, `seconds` in all: most of it while the user thinks, before a prompt."""
    prompts = [bool(prompt(json.loads(line))) for line in lines]
    thinking = max(_LEAST_PAUSE, seconds * 0.7 / max(1, sum(prompts)))
    working = seconds * 0.3 / len(lines)
    return [thinking if starts else working for starts in prompts]


def prompt(record: dict[str, object]) -> str:
    """The user's own words in a line of a Claude Code transcript, short; empty if it holds none."""
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) and record.get("type") == "user" else None
    if not isinstance(content, str) or content.startswith("<") or record.get("isMeta"):
        return ""
    words = " ".join(content.split())
    return words if len(words) <= 100 else words[:99] + "…"


def compact(transcript: Path, room: Path, environment: dict[str, str]) -> int:
    """Compact and show before, after and the memory."""
    small = room / "compacted.jsonl"
    say(f"\n$ memcli compact {transcript.name} > {small.name}")
    begun = time.perf_counter()
    with small.open("wb") as out:
        ran = subprocess.run(
            memcli("compact", transcript.name),
            cwd=room,
            env=environment,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    took = time.perf_counter() - begun
    say(ran.stderr.decode().rstrip())
    if ran.returncode:
        return ran.returncode
    say(f"\n{'':8}{'lines':>8}{'bytes':>12}")
    for name, path in (("before", transcript), ("after", small)):
        data = path.read_bytes()
        say(f"{name:8}{len(data.splitlines()):>8,}{len(data):>12,}")
    say(f"the whole command, start of Python included: {took * 1000:.0f} ms\n")
    memory = (room / "session-memory.md").read_text(encoding="utf-8").splitlines()
    say("$ head session-memory.md")
    for line in memory[:_SHOWN_LINES]:
        say(f"  {line if len(line) <= 118 else line[:117] + '…'}")
    say(f"  … {max(0, len(memory) - _SHOWN_LINES)} more lines\n")
    return ran.returncode


def stop(process: subprocess.Popen[str]) -> None:
    """End the daemon as a user would, and wait for it."""
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def say(text: str) -> None:
    """One line, at once: there may be a pipe behind us."""
    sys.stdout.write(f"{text}\n")  # in one piece: two threads speak
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
