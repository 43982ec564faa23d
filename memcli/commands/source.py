"""Files with one whole conversation a line (`{"messages": [...]}`): each line is a transcript of its own.

Such a line is laid out as a transcript with one message a line; everything else then works as for any other file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.errors import NoMessages, Usage
from memcli.sidecar import files
from memcli.transcript.formats.conversations import conversation
from memcli.transcript.lines import Line
from memcli.transcript.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memcli.sidecar.place import Place

_SNIFFED_BYTES = 4096


def is_batch(path: Path) -> bool:
    """True if the file's first line is a whole conversation."""
    with path.open("rb") as file:
        beginning = file.read(_SNIFFED_BYTES)
    if b'"messages"' not in beginning or recognise(_first_line(path), str(path)) not in ("anthropic", "openai"):
        return False
    return next(conversations(path), None) is not None


def conversations(path: Path) -> Iterator[bytes]:
    """The conversations of a file, each as JSONL with one message a line; stops at the first line that is none."""
    offset = 0
    with path.open("rb") as file:
        for raw in file:
            messages = conversation(Line(offset, offset + len(raw), raw)) if raw.strip() else []
            offset += len(raw)
            if messages is None:
                return
            if messages:
                yield b"".join(message.data.strip() + b"\n" for message in messages)


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline()


def laid_out(path: Path, place: Place, line: int | None) -> str:
    """The path of what is to be read: the transcript, or the chosen conversation laid out in the sidecar.

    Raises Usage where a line has to be chosen, NoMessages where there is no such line.
    """
    if not is_batch(path):
        if line is not None:
            raise Usage(f"{path} is one conversation, it has no line to choose", f"memcli update {path}")
        return str(path)
    found = list(conversations(path))
    if line is None and len(found) > 1:
        raise Usage(f"{path} holds {len(found)} conversations, one a line", f"memcli update {path} --line 1")
    wanted = line or 1
    if not 1 <= wanted <= len(found):
        raise NoMessages(f"{path} has no conversation at line {wanted}", f"memcli update {path} --line {len(found)}")
    place.sidecar.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = place.sidecar / f"line-{wanted}.jsonl"
    if files.read(target) != found[wanted - 1]:
        files.write_atomic(target, found[wanted - 1], durable=False)
    return str(target)
