"""`memcli compact` where a session goes on: the compacted transcript as a new session of its client, ready to resume.

The new file lies in the client's own folder under the session id that it carries, so that the client finds it.
Repeating gives the same bytes and so the same session; one that somebody has gone on in meanwhile is left as it is.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from memcli.commands.compact import compact, require_files
from memcli.commands.target import described, target
from memcli.errors import MemcliError, Usage
from memcli.hosts import known
from memcli.transcript.recognise import recognise

if TYPE_CHECKING:
    from pathlib import Path

    from memcli.commands.compact import Wish
    from memcli.hosts.host import Host

_FIRST_BYTES = 1 << 20


def wanted(path: str | None, wish: Wish) -> Path | None:
    """The session to be put where its client finds it, though nobody asked: somebody at a terminal named no file and
    meant the session of this directory. None where the transcript itself is to be printed."""
    if path is not None or wish.output or wish.to or wish.in_place or not sys.stdout.isatty():
        return None
    found = target(None, "compact", quiet=True)
    if not known.host_of(found):
        return None
    if not wish.quiet:
        print(f"memcli: taking {described(found)}", file=sys.stderr)
    return found


def session_file(path: Path | None, wish: Wish, *, resume: bool) -> int:
    """Write the new session, and print the command that resumes it; with `resume` become that command.

    Exit code 0. Raises Usage for what is no session of a client that resumes files, and MemcliError.
    """
    again = f"memcli compact {shlex.quote(str(path))} --session" if path else "memcli compact --session"
    if wish.output or wish.to or wish.in_place:
        raise Usage("--session and --resume put the result where the client looks for it", again)
    if resume and not sys.stdin.isatty():
        raise Usage("--resume needs a terminal to go on in", again)
    transcript = target(path, "compact", quiet=wish.quiet)
    host = _host(transcript)
    require_files(host, transcript)
    made = _written(transcript, host, wish)
    directory, command = host.directory_of(made), host.resume(made)
    if resume:
        return _become(command, directory, host.install)
    there = f"cd {shlex.quote(str(directory))} && " if directory else ""
    print(f"{there}{shlex.join(command)}")
    return 0


def _host(transcript: Path) -> Host:
    with transcript.open("rb") as file:
        format = recognise(file.read(_FIRST_BYTES), str(transcript))
    found = known.host_of(transcript) or next((host for host in known.HOSTS if host.format == format), None)
    if found is None:
        *titles, last = (host.title for host in known.HOSTS)
        whose = f"{', '.join(titles)} or {last}"
        name = shlex.quote(str(transcript))
        raise Usage(f"{transcript} is no session of {whose}, which resume files", f"memcli compact {name}")
    return found


def _written(transcript: Path, host: Host, wish: Wish) -> Path:
    """The new session. Dying before the link leaves a spare file that the next call replaces."""
    room, name = host.room_for(transcript), shlex.quote(str(transcript))
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    spare = room / f"{transcript.stem}.compacted.jsonl"
    compact(str(transcript), wish._replace(output=spare))
    try:
        data = spare.read_bytes()
        if why := host.refuses(data):
            raise Usage(why, f"memcli compact {name} --session{wish.longer}")
        path = None
        for path, content in host.placed(data, transcript):
            if content != data:
                spare.write_bytes(content)
            # Not newer than its source: that stays the newest of the project until somebody goes on in the new one.
            written = transcript.stat().st_mtime_ns - 1
            os.utime(spare, ns=(written, written))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_new(spare, path) or path.read_bytes().startswith(content):
                return path
    finally:
        spare.unlink(missing_ok=True)
    if path is None:
        raise Usage(f"{transcript} does not begin as a session of {host.title}", f"memcli compact {name}")
    raise MemcliError(f"{path} holds something else", f"memcli compact {name}")


def _is_new(spare: Path, fresh: Path) -> bool:
    try:
        os.link(spare, fresh)
    except FileExistsError:
        return False
    return True


def _become(command: list[str], directory: Path | None, install: str) -> int:
    """Be the client from now on. Raises MemcliError if there is none."""
    if directory and directory.is_dir():
        os.chdir(directory)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the client of the user's PATH
    except FileNotFoundError as error:
        raise MemcliError(
            f"no program `{command[0]}` is on PATH; the new session waits: {shlex.join(command)}",
            install,
        ) from error
