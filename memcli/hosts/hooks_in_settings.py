"""Hooks in the text of a client's settings: put in, found, and taken out, without touching a byte of the rest.

    {"hooks": {"SessionStart": [{"matcher": "...", "hooks": [{"type": "command", "command": "..."}]}]}}
      table     event           group                        handler

`added` only ever inserts, in as few places as it can, in the manner of the text (its line ends, its indent, on one line
if the text is). What it inserted is an `Edit` each; `undone` takes exactly these out again. Where others have changed
the text meanwhile, `removed` finds our handlers by their command, and takes out with them what they leave empty.
Pure: texts in, texts out. What is no JSON object, or holds hooks in another shape, raises ValueError with the reason.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from memcli.hosts import jsonc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memcli.hosts.jsonc import Value

HOOKS = "hooks"
_INDENT = re.compile(r"\n([ \t]+)\S")


class Edit(NamedTuple):
    """`text` was inserted at `offset` of the new text."""

    offset: int
    text: str


class Added(NamedTuple):
    """A text with hooks, and what was inserted."""

    text: str
    edits: tuple[Edit, ...]


def commands(text: str) -> dict[str, list[str]]:
    """The commands of all hooks, by event. Raises ValueError."""
    found: dict[str, list[str]] = {}
    for event, group in _groups(jsonc.read(text)):
        found.setdefault(event, []).extend(_command(handler) for handler in _handlers(group))
    return found


def added(text: str, hooks: Mapping[str, Mapping[str, object]]) -> Added:
    """The text with one more hook for each event; `hooks` are their handlers. Raises ValueError."""
    root = jsonc.read(text)
    groups = {event: {HOOKS: [handler]} for event, handler in hooks.items()}
    if root is None:
        line = _line_end(text)
        whole = json.dumps({HOOKS: {event: [group] for event, group in groups.items()}}, indent=2, ensure_ascii=False)
        return _inserted(text, [(len(text), whole.replace("\n", line) + line)])
    _require(root, "object", "the settings are")
    table = root.get(HOOKS)
    if table is None:
        fresh: object = {event: [group] for event, group in groups.items()}
        return _inserted(text, [_member(text, root, HOOKS, fresh)])
    _require(table, "object", f'"{HOOKS}" is')
    inserts = []
    missing = {event: [group] for event, group in groups.items() if table.get(event) is None}
    for event, group in groups.items():
        listed = table.get(event)
        if listed is not None:
            _require(listed, "array", f'"{event}" is')
            inserts.append(_into(text, listed, [group]))
    if missing:
        inserts.append(_members(text, table, missing))
    return _inserted(text, inserts)


def undone(text: str, edits: Sequence[Edit]) -> str | None:
    """The text as it was before `added`; None if what was inserted stands neither where it was put nor, whole and
    once, anywhere else."""
    for edit in sorted(edits, reverse=True):
        place = edit.offset
        if not text.startswith(edit.text, place):
            place = text.find(edit.text)
            if place < 0 or text.find(edit.text, place + 1) >= 0:
                return None
        text = text[:place] + text[place + len(edit.text) :]
    return text


def removed(text: str, is_ours: Callable[[str], bool]) -> str:
    """The text without the hooks whose command is ours, and without what they leave empty. Raises ValueError."""
    while True:
        root = jsonc.read(text)
        span = _first_ours(text, root, is_ours) if root else None
        if span is None:
            return text
        text = text[: span[0]] + text[span[1] :]


# ------------------------------------------------------------------ finding


def _groups(root: Value | None) -> Iterable[tuple[str, Value]]:
    if root is None:
        return
    _require(root, "object", "the settings are")
    table = root.get(HOOKS)
    if table is None:
        return
    _require(table, "object", f'"{HOOKS}" is')
    for member in table.members:
        for group in member.value.items:
            yield member.key, group


def _handlers(group: Value) -> tuple[Value, ...]:
    listed = group.get(HOOKS)
    return listed.items if listed else ()


def _command(handler: Value) -> str:
    command = handler.get("command")
    return command.text if command else ""


def _require(value: Value, kind: str, what: str) -> None:
    if value.kind != kind:
        raise ValueError(f"{what} no {kind}")


def _first_ours(text: str, root: Value, is_ours: Callable[[str], bool]) -> tuple[int, int] | None:
    """The span to cut for the first handler of ours: the outermost thing that it alone fills."""
    for _, group in _groups(root):
        listed = group.get(HOOKS)
        for place, handler in enumerate(listed.items if listed else ()):
            if listed is not None and is_ours(_command(handler)):
                table = root.get(HOOKS)
                assert table is not None  # the group stands in it
                return _outermost(text, root, table, group, listed, place)
    return None


# The way down from the settings to the handler; no fewer names say where each step lies.
def _outermost(text: str, root: Value, table: Value, group: Value, listed: Value, place: int) -> tuple[int, int]:
    if len(listed.items) > 1:
        return _span(text, listed, place)
    member = next(each for each in reversed(table.members) if group in each.value.items)
    if len(member.value.items) > 1:
        return _span(text, member.value, member.value.items.index(group))
    if len(table.members) > 1:
        return _span(text, table, table.members.index(member))
    return _span(text, root, next(n for n, each in enumerate(root.members) if each.value is table))


def _span(text: str, container: Value, place: int) -> tuple[int, int]:
    """What to cut so that a part goes with its comma and the white space before it."""
    parts = container.parts
    part = parts[place]
    if place:
        return parts[place - 1].end, part.end
    if len(parts) > 1:
        return part.start, parts[1].start
    end = part.end
    behind = jsonc.blank_end(text, end)
    if text[behind] == ",":
        end = behind + 1
    if not text[end : container.end - 1].strip():
        end = container.end - 1
    begin = container.start + 1
    return (begin if not text[begin : part.start].strip() else part.start), end


# ------------------------------------------------------------------ putting in


def _inserted(text: str, inserts: list[tuple[int, str]]) -> Added:
    edits = []
    grown = 0
    for offset, piece in sorted(inserts):
        edits.append(Edit(offset + grown, piece))
        text = text[: offset + grown] + piece + text[offset + grown :]
        grown += len(piece)
    return Added(text, tuple(edits))


def _member(text: str, container: Value, key: str, value: object) -> tuple[int, str]:
    return _members(text, container, {key: value})


def _members(text: str, container: Value, members: Mapping[str, object]) -> tuple[int, str]:
    manner = _Manner(text, container)
    return manner.insert([f"{json.dumps(key)}: {manner.dump(value)}" for key, value in members.items()])


def _into(text: str, container: Value, items: Sequence[object]) -> tuple[int, str]:
    manner = _Manner(text, container)
    return manner.insert([manner.dump(item) for item in items])


class _Manner:
    """How a text writes what stands in a container: on one line, or on lines of their own and how far in."""

    def __init__(self, text: str, container: Value) -> None:
        self._text = text
        self._container = container
        self._line = _line_end(text)
        found = _INDENT.search(text)
        self._unit = found[1] if found else "  "
        parts = container.parts
        inside = text[container.start : parts[0].start] if parts else ""
        self._inline = "\n" not in (inside if parts else text.strip())
        self._here = inside.rpartition("\n")[2] if parts and not self._inline else self._deeper()
        if self._here.strip():  # a comment stands before the first part
            self._here = self._deeper()

    def _deeper(self) -> str:
        """One step further in than the line on which the container begins."""
        line = self._text[self._text.rfind("\n", 0, self._container.start) + 1 :]
        return line[: len(line) - len(line.lstrip(" \t"))] + self._unit

    def dump(self, value: object) -> str:
        """A value, as it stands behind its key or in its place."""
        if self._inline:
            return json.dumps(value, ensure_ascii=False)
        unit = "\t" if self._unit.startswith("\t") else self._unit
        return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", self._line + self._here)

    def insert(self, pieces: list[str]) -> tuple[int, str]:
        """Where to insert, and what: behind the last part, or right behind the bracket of an empty container."""
        parts = self._container.parts
        between = ", " if self._inline else f",{self._line}{self._here}"
        joined = between.join(pieces)
        if parts:
            return parts[-1].end, between + joined
        if self._inline:
            return self._container.start + 1, joined
        closing = "" if self._breaks() else self._line + self._here[: -len(self._unit)]
        return self._container.start + 1, f"{self._line}{self._here}{joined}{closing}"

    def _breaks(self) -> bool:
        """True if the empty container already ends its line."""
        rest = self._text[self._container.start + 1 : self._container.end - 1]
        return rest.lstrip(" \t").startswith(("\n", "\r\n"))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
