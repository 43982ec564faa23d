"""Prompts typed while the agent works (Claude Code's queue lines and queued_command attachments).

An enqueued prompt that is *dequeued* comes again as a user record. One that is *removed* was taken into the running
turn: newer clients then write it as an attachment too, before or after the queue line, older ones nowhere else. Which
of the two stands first gives the words, and the other is recognised as its twin; a prompt typed twice is given twice.
"""

from __future__ import annotations

import msgspec

_WAITING = 256  # prompts in the queue
_UNPAIRED = 16  # twins stand a few records apart; an old one without a twin must not swallow a new prompt


class Queue(msgspec.Struct):
    """The prompts waiting, and the words already given whose twin has not come yet."""

    waiting: list[str] = []
    by_line: list[str] = []
    by_attachment: list[str] = []

    def step(self, operation: str, content: str) -> str:
        """Takes one queue line; returns words that the running turn received by it, or an empty string."""
        if operation == "enqueue":
            self.waiting = [*self.waiting[1 - _WAITING :], content]
        elif operation == "popAll":
            self.waiting.clear()
        elif operation in ("dequeue", "remove"):
            words = self._leave(content)
            if operation == "remove" and words.strip():
                return _once(words, self.by_line, self.by_attachment)
        return ""

    def attached(self, words: str) -> str:
        """Takes a queued_command attachment; returns its words, or an empty string if a queue line gave them."""
        return _once(words, self.by_attachment, self.by_line) if words.strip() else ""

    def shown(self, words: str) -> None:
        """The words stand in a message of their own, which a swap made of the first of two twins."""
        for known in (self.by_line, self.by_attachment):
            _put(words.strip(), known)

    def _leave(self, content: str) -> str:
        if not self.waiting:
            return content
        return self.waiting.pop(self.waiting.index(content) if content and content in self.waiting else 0)


def _once(words: str, own: list[str], other: list[str]) -> str:
    key = words.strip()
    if key in other:
        other.remove(key)
        return ""
    _put(key, own)
    return words


def _put(key: str, known: list[str]) -> None:
    known.append(key)
    del known[:-_UNPAIRED]
