"""Files with one whole conversation a line (`{"messages": [...]}`): each line is a transcript of its own.

Such a line is laid out as a transcript with one message a line; everything else then works as for any other file.
"""

from __future__ import annotations

import shlex
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


def is_batch(path: Path) -> bool:
    """True if the file's first record is a whole conversation."""
    with path.open("rb") as file:
        first = next((raw for raw in file if raw.strip()), b"")
    # Only then the vote, which raises for single records that look like one: logs of a model call, other programs'.
    return bool(conversation(Line(0, len(first), first))) and recognise(first, str(path)) in ("anthropic", "openai")


def conversations(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, its conversation as JSONL with one message a line); b"" for a line that holds none.

    Blank lines and empty conversations are passed over.
    """
    offset = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            messages = conversation(Line(offset, offset + len(raw), raw)) if raw.strip() else []
            offset += len(raw)
            if messages is None:
                yield number, b""
            elif messages:
                yield number, b"".join(message.data.strip() + b"\n" for message in messages)


def laid_out(path: Path, place: Place, line: int | None) -> str:
    """The path of what is to be read: the transcript, or the chosen conversation laid out in the sidecar.

    Raises Usage where a line has to be chosen, NoMessages where there is no such line.
    """
    again = f"memcli update {shlex.quote(str(path))}"
    if not is_batch(path):
        if line is not None:
            raise Usage(f"{path} is one conversation, it has no line to choose", again)
        return str(path)
    found = {number: text for number, text in conversations(path) if text}
    if line is None and len(found) > 1:
        raise Usage(f"{path} holds {len(found)} conversations, one a line", f"{again} --line {min(found)}")
    wanted = min(found) if line is None else line
    if wanted not in found:
        raise NoMessages(f"{path} has no conversation at line {wanted}", f"{again} --line {max(found)}")
    place.sidecar.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = place.sidecar / f"line-{wanted}.jsonl"
    if files.read(target) != found[wanted]:
        files.write_atomic(target, found[wanted], durable=False)
    return str(target)
