"""Snapshots of the fold, one a turn: the way back when the person rewinds, and after a restart.

Most of a snapshot stands in the one before it, so each is kept as its difference to that one: a list of (from, length,
new bytes), meaning "copy so many bytes from there, then these". Every `GROUP`th is whole, so that getting one back
takes few steps and the oldest can be dropped. Content comes back byte for byte.

A snapshot waits as it is until somebody asks for the `items`, and only the newest `FRESH` of those that wait are packed
then: a backlog of turns that is read in one go costs no difference for each. Turns before them have no snapshot; to
return to one of those the file is read again.

Memory: at most `KEPT + GROUP` differences, what waits (`KEPT` contents, and beyond `GROUP` no more than `HELD` bytes),
and the newest content. Time: what is alike is compared in large slices; a place that changed costs a few searches near
by.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEPT = 64
"""Turns that can be returned to; an older one is reached by reading the file again. As many as `head` names."""

GROUP = 16
"""Snapshots from one that is whole to the next."""

FRESH = 4
"""So many are packed of those that came in one go: most rewinds go back one turn or two."""

HELD = 4 * 1024 * 1024
"""Bytes of contents that wait, if they are more than `GROUP`."""

_ANCHOR = 16  # bytes that must be alike for two places to be taken for the same
_NEAR = 8_192  # bytes of the older content searched for a place; whatever moved further is written anew
_STEPS = (8, 24, 64, 160, 384, 1_024)  # bytes after a change where the contents may be alike again


class Snapshot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fold at `offset`, everything before it taken in. `whole`: it needs no other; `payload` is compressed."""

    offset: int
    whole: bool
    payload: bytes


class Past(NamedTuple):
    """What a log holds of a session: its snapshots, and the ids its thread has seen, `known` so many, part by part."""

    snapshots: Sequence[Snapshot] = ()
    ids: Sequence[bytes] = ()
    known: int = 0


class History:
    """The snapshots of one conversation, ascending by offset."""

    def __init__(self, items: Iterable[Snapshot] = ()) -> None:
        """`items` must begin with a whole one. Raises ValueError if their content cannot be had back."""
        self._items = list(items)
        self._waiting: list[tuple[int, bytes]] = []
        self._held = 0
        """Bytes of the contents that wait."""
        self._packed = self._content(len(self._items) - 1) if self._items else b""
        """The content of the last item."""

    @property
    def items(self) -> list[Snapshot]:
        """What is to be stored; nothing waits any more."""
        for offset, content in self._waiting[-FRESH:]:
            self._pack(offset, content)
        self._waiting.clear()
        self._held = 0
        return self._items

    def add(self, offset: int, content: bytes) -> None:
        """Keep a snapshot; nothing for an offset that is not behind all others."""
        if offset <= self.last:
            return
        self._waiting.append((offset, content))
        self._held += len(content)
        while len(self._waiting) > (KEPT if self._held <= HELD else GROUP):
            self._held -= len(self._waiting.pop(0)[1])

    def at(self, offset: int) -> bytes | None:
        """The content of the snapshot taken just there; None without one."""
        waiting = next((content for place, content in self._waiting if place == offset), None)
        index = next((place for place, item in enumerate(self._items) if item.offset == offset), None)
        return waiting if index is None else self._content(index)

    def cut(self, offset: int) -> None:
        """Forget the snapshots taken at `offset` or later."""
        self._waiting = [one for one in self._waiting if one[0] < offset]
        self._held = sum(len(content) for _, content in self._waiting)
        kept = [item for item in self._items if item.offset < offset]
        if len(kept) < len(self._items):
            self._items = kept
            self._packed = self._content(len(kept) - 1) if kept else b""

    @property
    def last(self) -> int:
        """The offset of the last snapshot; -1 without one."""
        return self._waiting[-1][0] if self._waiting else self._items[-1].offset if self._items else -1

    @property
    def newest(self) -> bytes:
        """The content of the last snapshot; b"" without one."""
        return self._waiting[-1][1] if self._waiting else self._packed

    def _pack(self, offset: int, content: bytes) -> None:
        whole = not any(item.whole for item in self._items[1 - GROUP :])
        packed = zlib.compress(difference(b"" if whole else self._packed, content), 1)
        self._items.append(Snapshot(offset, whole, packed))
        self._packed = content
        if whole:
            self._drop_oldest()

    def _content(self, index: int) -> bytes:
        start = index
        while start and not self._items[start].whole:
            start -= 1
        content = b""
        for item in self._items[start : index + 1]:
            content = patched(b"" if item.whole else content, _unpacked(item.payload))
        return content

    def _drop_oldest(self) -> None:
        spare = len(self._items) - KEPT
        first = max((place for place, item in enumerate(self._items) if item.whole and place <= spare), default=0)
        del self._items[:first]


def difference(before: bytes, after: bytes) -> bytes:
    """How to make `after` of `before` (`patched`)."""
    steps: list[tuple[int, int, bytes]] = []
    here = there = written = 0  # in after, in before; up to `written` all of `after` is told
    source = length = 0
    while here < len(after):
        alike = _alike(before, there, after, here)
        if alike >= _ANCHOR or (alike and here + alike == len(after)):
            steps.append((source, length, after[written:here]))
            source, length = there, alike
            here, there = here + alike, there + alike
            written = here
        here, there = _next_place(before, there, after, here)
    steps.append((source, length, after[written:]))
    return msgspec.msgpack.encode(steps)


def patched(before: bytes, told: bytes) -> bytes:
    """`after`, of which `told` is the `difference` to `before`. Raises ValueError for bytes that are none."""
    try:
        steps = msgspec.msgpack.decode(told, type=list[tuple[int, int, bytes]])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return b"".join([piece for start, length, new in steps for piece in (before[start : start + length], new)])


def _unpacked(payload: bytes) -> bytes:
    try:
        return zlib.decompress(payload)
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _alike(before: bytes, there: int, after: bytes, here: int) -> int:
    """So many bytes are the same from both places on."""
    most = min(len(before) - there, len(after) - here)
    done, size = 0, 64
    while done < most:
        size = min(size, most - done)
        if before[there + done : there + done + size] == after[here + done : here + done + size]:
            done, size = done + size, size * 2
        elif size == 1:
            break
        else:
            size = max(1, size // 8)
            most = min(most, done + size * 8 + 7)
    return done


def _next_place(before: bytes, there: int, after: bytes, here: int) -> tuple[int, int]:
    """Where both are alike again, in `after` and in `before`; else a place further on in `after`."""
    for step in _STEPS:
        anchor = after[here + step : here + step + _ANCHOR]
        if len(anchor) < _ANCHOR:
            return len(after), there
        found = before.find(anchor, there, there + step + _NEAR)
        if found >= 0:
            back = 0
            while back < step and found > there + back and before[found - back - 1] == after[here + step - back - 1]:
                back += 1
            return here + step - back, found - back
    return here + _STEPS[-1], there
