"""Prompts: from a job's material to the question for a model.

The words are in `prompts/*.md`, one file a piece; this module only puts them together: the conversation, the memory as
it stands, and last what is to be done, so that the last word is ours. The conversation is rendered as text in one
message of the user: each of its messages begins with a line like `[7f3a91 user]`, and the mark in it is made for this
one job, so that no text in the conversation can begin a message of its own.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from memcli.memory.prose import schema
from memcli.memory.sections import CHARS_PER_TOKEN, PROSE_SHARE, Sections
from memcli.summarize.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memcli.memory.document import Document
    from memcli.memory.jobs import Job, Message

CHARS_PER_WORD = 6
THINKING_TOKENS = 4_096
"""Room for what a model thinks before it answers; at low effort it takes a fraction of it."""


class Prompts:
    """The pieces of a question. `own` is the user's prompt, in place of ours for creating and updating."""

    def __init__(self, own: str = "") -> None:
        self._own = own

    def question(
        self,
        job: Job,
        shown: Iterable[Message],
        prose: Mapping[str, str],
        facts: Document,
        mark: str,
        *,
        structured: bool,
    ) -> Request:
        """One user message: the new messages, the memory as it stands, the task, the rules, the form of the answer."""
        head = piece("told_new" if prose else "told_whole").replace("{mark}", mark)
        told = "\n".join([head, *(spoken(one, mark) for one in shown), f"[/{mark}]"])
        parts = [told, *_memory(prose, facts, mark), *self._task(job, prose, structured=structured)]
        return request_of([{"role": "user", "content": "\n\n".join(parts)}], job, structured=structured)

    def instruction(
        self, job: Job, new: int, prose: Mapping[str, str], facts: Document, mark: str, *, structured: bool
    ) -> str:
        """The same for a request that holds the conversation as messages, of which the last `new` are new."""
        head = piece("told_above").replace("{mark}", mark).replace("{new}", str(new))
        return "\n\n".join([head, *_memory(prose, facts, mark), *self._task(job, prose, structured=structured)])

    def _task(self, job: Job, prose: Mapping[str, str], *, structured: bool) -> list[str]:
        task = self._own or piece("update" if prose else "create")
        extra = f"- The user of this project adds: {job.instructions}" if job.instructions else ""
        rules = piece("rules").replace("{sections}", _sections(job)).replace("{instructions}", extra).rstrip()
        return [task, rules, piece("answer_edits" if structured else "answer_text")]


def request_of(messages: list[dict[str, object]], job: Job, *, structured: bool) -> Request:
    """A question that consists of these messages."""
    room = int(job.budget * PROSE_SHARE * 2) + THINKING_TOKENS
    return Request(piece("system"), tuple(messages), room, schema(Sections(job.sections)) if structured else None)


def spoken(one: Message, mark: str) -> str:
    """A message of the conversation as a model is shown it."""
    return f"[{mark} {one.role}] {one.text.replace(mark, '')}"


def correction(reason: str) -> str:
    """What a model is told whose answer was not taken."""
    return piece("correct").replace("{reason}", reason)


def new_mark() -> str:
    """Six hexadecimal digits that nobody could have foreseen."""
    return os.urandom(3).hex()


@cache
def piece(name: str) -> str:
    """One of our own prompt files."""
    return files("memcli.summarize").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()


def _sections(job: Job) -> str:
    chars = job.budget * CHARS_PER_TOKEN * PROSE_SHARE
    return "\n".join(
        f"  ## {section.name} ({max(30, int(chars * section.prose / CHARS_PER_WORD))} words): {section.writes}"
        for section in Sections(job.sections).prose
    )


def _memory(prose: Mapping[str, str], facts: Document, mark: str) -> list[str]:
    known = [f"## {block.name}\n{block.ledger}" for block in facts.blocks if block.ledger]
    notes = [f"## {name}\n{text}" for name, text in prose.items() if text] or ["(none yet)"]
    return [
        "\n".join([f"<facts kept by the program {mark}>", *known, f"</facts kept by the program {mark}>"]),
        "\n".join([f"<notes as they stand {mark}>", *notes, f"</notes as they stand {mark}>"]),
    ]
