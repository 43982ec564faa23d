"""Snapshots of the fold, one a turn: the way back when the person rewinds, and after a restart.

Most of a snapshot stands in the one before it, so each is kept as its difference to that one: a list of (from, length,
new bytes), meaning "copy so many bytes from there, then these". Every `GROUP`th is whole, so that getting one back
takes few steps and the oldest can be dropped. Content comes back byte for byte.

Memory: at most `KEPT + GROUP` differences, and the newest content. Time: what is alike is compared in large slices; a
place that changed costs a few searches near by.
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
        self.items = list(items)
        self._newest = self._content(len(self.items) - 1) if self.items else b""

    def add(self, offset: int, content: bytes) -> None:
        """Keep a snapshot; nothing for an offset that is not behind all others."""
        if self.items and self.items[-1].offset >= offset:
            return
        whole = not any(item.whole for item in self.items[1 - GROUP :])
        packed = zlib.compress(difference(b"" if whole else self._newest, content), 1)
        self.items.append(Snapshot(offset, whole, packed))
        self._newest = content
        if whole:
            self._drop_oldest()

    def at(self, offset: int) -> bytes | None:
        """The content of the snapshot taken just there; None without one."""
        index = next((place for place, item in enumerate(self.items) if item.offset == offset), None)
        return None if index is None else self._content(index)

    def cut(self, offset: int) -> None:
        """Forget the snapshots taken at `offset` or later."""
        kept = [item for item in self.items if item.offset < offset]
        if len(kept) < len(self.items):
            self.items = kept
            self._newest = self._content(len(kept) - 1) if kept else b""

    @property
    def newest(self) -> bytes:
        """The content of the last snapshot; b"" without one."""
        return self._newest

    def _content(self, index: int) -> bytes:
        start = index
        while start and not self.items[start].whole:
            start -= 1
        content = b""
        for item in self.items[start : index + 1]:
            content = patched(b"" if item.whole else content, _unpacked(item.payload))
        return content

    def _drop_oldest(self) -> None:
        spare = len(self.items) - KEPT
        first = max((place for place, item in enumerate(self.items) if item.whole and place <= spare), default=0)
        del self.items[:first]


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
