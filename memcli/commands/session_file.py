"""`memcli compact` where a session goes on: the compacted transcript as a new session of its client, ready to resume.

The new file lies in the client's own folder under the session id that its records carry, so that the client finds it.
Repeating gives the same bytes and so the same session; one that somebody has gone on in meanwhile is left as it is.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.commands.compact import compact
from memcli.commands.target import target
from memcli.errors import MemcliError, Usage
from memcli.hosts import claude_code
from memcli.sidecar.place import ROOM
from memcli.transcript.encode.common import derive
from memcli.transcript.recognise import recognise

if TYPE_CHECKING:
    from memcli.commands.compact import Wish

_FIRST_BYTES = 1 << 20


def wanted(path: str | None, wish: Wish) -> Path | None:
    """The session to be put where its client finds it, though nobody asked: somebody at a terminal named no file and
    meant the session of this directory. None where the transcript itself is to be printed."""
    if path is not None or wish.output or wish.to or wish.in_place or not sys.stdout.isatty():
        return None
    found = target(None, "compact", quiet=True)
    if not claude_code.is_session(found):
        return None
    if not wish.quiet:
        print(f"memcli: taking {found}", file=sys.stderr)
    return found


def session_file(path: Path | None, wish: Wish, *, resume: bool) -> int:
    """Write the new session, and print the command that resumes it; with `resume` become that command.

    Exit code 0. Raises Usage for what is no session of a client that resumes files, and MemcliError.
    """
    if wish.output or wish.to or wish.in_place:
        raise Usage("--session and --resume put the result where the client looks for it", "memcli compact --session")
    if resume and not sys.stdin.isatty():
        raise Usage("--resume needs a terminal to go on in", "memcli compact --session")
    transcript = target(path, "compact", quiet=wish.quiet)
    _require_session(transcript)
    folder = transcript.parent if claude_code.is_session(transcript) else claude_code.project_dir(Path.cwd())
    made = _written(transcript, folder, wish)
    directory = _directory(made, folder)
    command = ["claude", "--resume", made.stem]
    if resume:
        return _become(command, directory)
    there = f"cd {shlex.quote(str(directory))} && " if directory else ""
    print(f"{there}{shlex.join(command)}")
    return 0


def _require_session(transcript: Path) -> None:
    name = shlex.quote(str(transcript))
    with transcript.open("rb") as file:
        format = recognise(file.read(_FIRST_BYTES), str(transcript))
    if format != "claude-code":
        raise Usage(f"{transcript} is no session of Claude Code, which alone resumes files", f"memcli compact {name}")


def _written(transcript: Path, folder: Path, wish: Wish) -> Path:
    """The new session in `folder`. Dying before the link leaves a spare file that the next call replaces."""
    room = folder / ROOM / claude_code.NAME
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    spare = room / f"{transcript.stem}.compacted.jsonl"
    compact(str(transcript), wish._replace(output=spare))
    try:
        data = spare.read_bytes()
        # Not newer than its source: that stays the newest of the project until somebody goes on in the new one.
        written = transcript.stat().st_mtime_ns - 1
        os.utime(spare, ns=(written, written))
        session = str(json.loads(data[: data.index(b"\n")])["sessionId"])
        first = folder / f"{session}.jsonl"
        if _is_new(spare, first) or first.read_bytes().startswith(data):
            return first
        # The same moment was compacted otherwise before (another tail): the same ids inside, another name.
        other = folder / f"{derive(session, '', len(data), data.decode('utf-8', 'replace'))}.jsonl"
        if _is_new(spare, other) or other.read_bytes().startswith(data):
            return other
    finally:
        spare.unlink(missing_ok=True)
    raise MemcliError(f"{other} holds something else", f"memcli compact {shlex.quote(str(transcript))}")


def _is_new(spare: Path, fresh: Path) -> bool:
    try:
        os.link(spare, fresh)
    except FileExistsError:
        return False
    return True


def _directory(session: Path, folder: Path) -> Path | None:
    """Where the client must be started to find the session; None for right here."""
    if claude_code.project_dir(Path.cwd()) == folder:
        return None
    for line in reversed(session.read_bytes().splitlines()):
        cwd = json.loads(line).get("cwd")
        if isinstance(cwd, str) and claude_code.project_dir(Path(cwd)) == folder:
            return Path(cwd)
    return None


def _become(command: list[str], directory: Path | None) -> int:
    """Be the client from now on. Raises MemcliError if there is none."""
    if directory and directory.is_dir():
        os.chdir(directory)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the client of the user's PATH
    except FileNotFoundError as error:
        raise MemcliError(
            f"no program `{command[0]}` is on PATH; the new session waits: {shlex.join(command)}",
            "npm install --global @anthropic-ai/claude-code",
        ) from error
