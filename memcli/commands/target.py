"""Which transcript is meant: the one that was named, or the only one that can be meant.

Without a path: the one watched transcript of the current directory, else the one that holds a conversation, else the
newest session of an agent for this directory, else the one in which nothing was said yet. Which one was taken, and of
which agent, is said on stderr.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.commands import packed
from memcli.errors import IsDirectory, MemcliError, NoMemory, NoMessages, NotATranscript, NoTranscript, Usage
from memcli.sidecar.lock import holder
from memcli.sidecar.place import Place, is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST_BYTES = 64 * 1024

TAKE_DIRECTORIES = ("compact", "stop", "update", "watch")
"""Verbs that say themselves what is to be done about one."""


def target(path: Path | None, verb: str, *, quiet: bool = False) -> Path:
    """The transcript to work on; of a compressed one what it says, laid out.

    Raises NoTranscript if there is none, Usage if there are several to choose from, and what `packed` raises.
    """
    if path is not None:
        if str(path) == "-" and not path.exists():
            raise Usage(f"{verb} needs a file: what comes on stdin has no place for a memory", f"memcli {verb} --help")
        if not path.exists():
            raise NoTranscript(f"no such file: {path}", _near(path, verb))
        if path.is_dir() and verb not in TAKE_DIRECTORIES:
            raise IsDirectory(f"{path} is a directory", _near(path / "transcript", verb))
        return packed.unpacked(path) if packed.is_packed(path) else path
    found = _only_one(Path.cwd(), verb)
    if not quiet:
        print(f"memcli: taking {described(found)}", file=sys.stderr)
    return found


def described(transcript: Path) -> str:
    """Its path, and whose session it is."""
    from memcli.hosts import known  # here, not above: mostly the path was given

    host = known.host_of(transcript)
    return f"{transcript}, a session of {host.title}" if host else str(transcript)


def transcripts_in(directory: Path) -> list[Path]:
    """The JSONL files of a directory that are not our own."""
    return sorted(path for path in directory.glob("*.jsonl") if path.is_file() and not is_ours(path))


def refusal(path: Path) -> MemcliError | OSError | None:
    """Why a file is no transcript with a conversation, by its beginning; None if it is one, or no file to look into."""
    from memcli.transcript.recognise import recognise

    if not path.is_file():
        return None  # a pipe is read once, by whoever means it
    try:
        with path.open("rb") as file:
            head = file.read(_FIRST_BYTES)
        recognise(head, str(path), ended=len(head) < _FIRST_BYTES)
    except (OSError, MemcliError) as error:
        return error
    return None


def no_memory(transcript: Path) -> MemcliError | OSError:
    """Why a file has no memory: it is no transcript, or nobody has made one."""
    again = f"memcli update {shlex.quote(str(transcript))}"
    return refusal(transcript) or NoMemory(f"no session memory beside {transcript}", again)


def first_transcript(paths: Iterable[Path]) -> Path | None:
    """The first of some files that is a transcript with a conversation."""
    return next((path for path in paths if refusal(path) is None), None)


def _near(path: Path, verb: str) -> str:
    """A command with a transcript that is there: the one with the name most like that of the one that is not."""
    from difflib import get_close_matches

    names = [one.name for one in transcripts_in(path.parent)]
    likely = get_close_matches(path.name, names, len(names) or 1, cutoff=0.0)
    found = first_transcript(path.parent / name for name in likely)
    return f"memcli {verb} {shlex.quote(str(found))}" if found else f"memcli {verb} --help"


def _only_one(directory: Path, verb: str) -> Path:
    looked = {path: refusal(path) for path in transcripts_in(directory)}
    # JSONL that is no transcript is data of the project, which nobody means who names no file. What is done with an
    # unreadable one says so.
    here = [path for path, error in looked.items() if not isinstance(error, NotATranscript)]
    silent = [path for path in here if isinstance(looked[path], NoMessages)]
    speaking = [path for path in here if path not in silent]
    watched = [path for path in here if holder(Place.of(path).lock)]
    for candidates in (watched, speaking):
        if len(candidates) == 1:
            return candidates[0]
    if speaking:
        raise _several(speaking, verb)
    from memcli.hosts import known

    newest = known.newest_session(directory)
    if newest is None and len(silent) > 1:
        raise _several(silent, verb)
    found = newest or next(iter(silent), None)
    if found is None:
        raise NoTranscript("no transcript in this directory, and no agent has a session of it", f"memcli {verb} --help")
    return found


def _several(there: list[Path], verb: str) -> Usage:
    names = ", ".join(path.name for path in there[:4])
    # Beside those that are remembered often lies a compacted copy of them.
    likely = next((path for path in there if (Place.of(path).sidecar / "head").exists()), there[0])
    return Usage(f"several transcripts here: {names}", f"memcli {verb} {shlex.quote(likely.name)}")
