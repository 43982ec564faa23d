"""`memcli.Session`: a conversation that remembers itself, for authors of agents.

    add(message) ─► the transcript ─► a watcher in a process of its own ─► session-memory.md, ready at any time
    compact()    ─► [memory] + tail ─► the transcript, replaced; what stood there is kept for `memcli undo`

The transcript is the context: after a compaction it begins with the memory, whose mark names where it comes from, so
the facts are those of one uncut session however often it is swapped. The watcher is the one of `memcli watch`, and
notices that the file was replaced; where another one watches the file already, that one will do.

What happens if we die: the watcher ends with us, and the file is as the last `add` or the last swap left it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from memcli.agent.background import Background
from memcli.agent.compaction import Compaction, kept, made, making, paid_since, trouble_since
from memcli.agent.conversation import Conversation, without_usage
from memcli.agent.place import quoted
from memcli.agent.rules import checked, rules
from memcli.errors import AlreadyWatched, NoMessages, TryAgain, Usage
from memcli.sidecar import backups
from memcli.sidecar.lock import Lock
from memcli.sidecar.place import Place
from memcli.sidecar.store import Store
from memcli.watch.taking import bare, taken

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from memcli.watch.taking import Taken

ROOM = 0.5
"""Where a compaction would leave more of the limit than this, and nobody said how much of the end is to be kept, only
what the memory does not cover is."""
GROWTH = 1.25
"""A compaction that left more than the limit is not asked for again before the context has grown so much."""


class Session:
    """A conversation on a transcript, which is gone on with if it is there. A context manager, `async` or not.

    `strategy` is how its memory is made: "instant" (in the background, from what is new), "cached" (the same, through
    the prompt cache of the service), "traditional" (not before it is asked for; then everybody waits).
    `context_limit` is how many tokens the context may have before it is `full`. `settings` are those of
    `memcli config show`, with underscores. Not for several threads at a time; `add` and `messages` never wait for a
    model, and nothing here blocks an event loop but a write to a local file.

    Raises NotATranscript for a file of another format, Usage for settings that cannot work.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        strategy: str = "instant",
        context_limit: int | None = None,
        **settings: Any,
    ) -> None:
        self.strategy = checked(strategy)
        found = rules({**settings, "context_limit": context_limit}, self.strategy)
        self._given = {**settings, **found.given}
        self.limit = found.limit
        """Tokens at which it is full; 0 for no limit."""
        self.path = Path(path)
        self._conversation = Conversation(self.path)
        self._place = Place.of(self.path)
        self._changing = threading.Lock()
        self._compacting = threading.Lock()
        self._began = self._paid = time.time()
        self._left = 0
        self._background = None if self.strategy == "traditional" else Background([self.path], found.followed)

    # ------------------------------------------------------------------ the conversation

    def add(self, message: Mapping[str, Any]) -> None:
        """Append a message (`role`, `content`) or a whole answer of the Messages API; it is in the file when this
        returns. With an answer's `usage` the size of the context is known and not estimated.

        Raises Usage for what is no message; MemcliError if somebody else wrote into the file; OSError.
        """
        with self._changing:
            self._conversation.add(message)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The context as the messages of the next request, roles alternating."""
        return self._conversation.messages

    @property
    def waits(self) -> bool:
        """True if the last word is the user's: a request can be made."""
        return self._conversation.waits

    @property
    def tokens(self) -> int:
        """Size of the context: exact up to the last answer that told its `usage`, estimated from there."""
        return self._conversation.tokens

    @property
    def full(self) -> bool:
        """True if it is time to compact."""
        return bool(self.limit) and self.tokens >= max(self.limit, self._left * GROWTH)

    @property
    def memory(self) -> str:
        """The session memory as it stands, Markdown: that of the file beside the transcript, else the one that the
        context begins with; "" if there is none yet."""
        try:
            return Place.of(self.path).memory.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return self._conversation.memory

    # ------------------------------------------------------------------ compacting

    async def compact(
        self, strategy: str | None = None, *, keep_turns: int | None = None, keep_tokens: int | None = None
    ) -> Compaction:
        """Swap the memory in; the next `messages` begin with it. The event loop goes on meanwhile, and messages may be
        added.

        `strategy` is the session's own if it is left out. "instant" and "cached" take the memory that the background
        has ready, "traditional" asks a model now. Cancelled while it waits for a model, it ends the model's process and
        leaves the conversation as it is; the loop need not wait for an answer, also at its end.
        Raises NoMessages if nothing was said yet.
        """
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(self._compact, strategy, (keep_turns, keep_tokens), given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def compact_now(
        self, strategy: str | None = None, *, keep_turns: int | None = None, keep_tokens: int | None = None
    ) -> Compaction:
        """The same for a program without an event loop: returns when it is done."""
        return self._compact(strategy, (keep_turns, keep_tokens), threading.Event())

    def _compact(
        self, strategy: str | None, keep: tuple[int | None, int | None], given_up: threading.Event
    ) -> Compaction:
        way = checked(strategy or self.strategy)
        if way != "traditional" and self._background is not None and way != self.strategy:
            raise Usage(
                f"this session keeps its memory the {self.strategy} way",
                f"memcli.Session({str(self.path)!r}, strategy={way!r})",
            )
        began, before = time.monotonic(), self.tokens
        fresh = way == "traditional"
        with self._compacting:
            if not self._conversation.count:
                raise NoMessages(f"nothing was said in {self.path} yet", f"memcli chat {quoted(self.path)}")
            wall = time.time()
            maker = making(self._given, self._place.sidecar, fresh=fresh, given_up=given_up)
            found = taken(self.path, maker, kept(*keep), fresh=fresh)
            if self.limit and found.report.tokens_after > self.limit * ROOM and kept(*keep) is None:
                found = bare(found, self.path)
            if given_up.is_set():
                raise TryAgain("the compaction was given up", f"memcli compact {quoted(self.path)} --fresh")
            self._replace(found)
            trouble = trouble_since(self._place.sidecar, wall if fresh else self._began) or self._silenced
            done = made(found, way, began, paid_since(self._place.sidecar, self._paid), trouble)
            self._paid, self._left = time.time(), self.tokens
        return dataclasses.replace(done, tokens_before=before, tokens_after=self._left)

    def _replace(self, found: Taken) -> None:
        """Put the compacted conversation in the transcript's place, and behind it what was added meanwhile.

        Dying before the rename leaves the file as it was, after it the new one. A watcher notices by itself.
        """
        with self._changing:
            late = self._conversation.since(found.end)
            head, *tail = found.lines
            content = b"".join([head, *map(without_usage, tail)]) + late
            self._place.make()
            try:
                with Lock.acquire(self._place.lock, "compact", time.time()):
                    backups.replace(self._place, content, self._conversation.size)
                    Store(self._place).forget()
            except AlreadyWatched:
                backups.replace(self._place, content, self._conversation.size)
            self._conversation.began_anew(content)

    @property
    def _silenced(self) -> str:
        """Why nobody keeps the memory, if nobody does; "" if another watcher has the file."""
        failure = self._background.failure if self._background else None
        return "" if failure is None or isinstance(failure, AlreadyWatched) else failure.sentence

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """End the watcher and wait for it, some seconds at most; what it read is kept. Closing twice is fine."""
        if self._background is not None:
            self._background.stop()

    async def aclose(self) -> None:
        """The same, without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
