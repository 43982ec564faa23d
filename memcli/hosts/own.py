"""Sessions that memcli itself has caused: those its summarizer left behind, and those that `compact` writes."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from memcli.transcript.encode.common import derive

if TYPE_CHECKING:
    from pathlib import Path

OWN_WORDS = b"You keep the written part of a session memory for a coding agent."
"""How a session begins that a summarizer of ours has left behind: with the first words of our prompt."""

_OWN_PROMPT = re.compile(rb'"(?:content|text)":\s*"' + re.escape(OWN_WORDS))
_FIRST_BYTES = 1 << 18


def is_own(path: Path) -> tuple[bool, bool]:
    """If a session is one that a summarizer of ours left behind, and if that is certain: until there is an answer in
    it, our prompt may still come. Behind an answer it is only quoted."""
    first = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        first = file.read(_FIRST_BYTES)
    asked, answered, _ = first.partition(b'"assistant"')
    own = _OWN_PROMPT.search(asked) is not None
    return own, own or bool(answered) or len(first) == _FIRST_BYTES


def another(session: str, data: bytes) -> str:
    """Another id for a compacted transcript, made of what it says: the same moment was compacted otherwise before."""
    return derive(session, "", len(data), data.decode("utf-8", "replace"))
