"""JSON as people keep it in settings files, and where each piece of it stands: comments, trailing commas, a BOM, any
white space. Made for changing a text in a few places without touching the rest, so values are spans, not objects.

Wanted: the span of every value, and of every member with its key. Not wanted: what a number is worth. What JSON and
these liberties do not allow raises ValueError, with the line.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DEEPEST = 200


class Value(NamedTuple):
    """A value of the text from `start` to `end`: an object has `members`, an array `items`, a string its `text`."""

    kind: str
    start: int
    end: int
    members: tuple[Member, ...] = ()
    items: tuple[Value, ...] = ()
    text: str = ""

    def get(self, key: str) -> Value | None:
        """The member of that name; the last one, as parsers take it."""
        return next((member.value for member in reversed(self.members) if member.key == key), None)

    @property
    def parts(self) -> tuple[Member, ...] | tuple[Value, ...]:
        """What the container holds."""
        return self.members or self.items


class Member(NamedTuple):
    """A key and its value, from `start` to `end`."""

    key: str
    value: Value
    start: int
    end: int


def read(text: str) -> Value | None:
    """The value that is the whole text; None if nothing but white space and comments is there. Raises ValueError."""
    place = blank_end(text, 0)
    if place == len(text):
        return None
    value = _value(text, place, 0)
    if blank_end(text, value.end) != len(text):
        raise _wrong(text, blank_end(text, value.end))
    return value


def blank_end(text: str, place: int) -> int:
    """Where white space and comments from `place` on end."""
    found = _BLANK.match(text, place)
    assert found is not None  # it may be empty
    return found.end()


def _value(text: str, place: int, depth: int) -> Value:
    if depth > _DEEPEST:
        raise _wrong(text, place)
    start = text[place : place + 1]
    if start == "{":
        members, end = _sequence(text, place, "}", lambda at: _member(text, at, depth))
        return Value("object", place, end, members=tuple(members))
    if start == "[":
        items, end = _sequence(text, place, "]", lambda at: _value(text, at, depth + 1))
        return Value("array", place, end, items=tuple(items))
    if start == '"':
        found, string = _string(text, place)
        return Value("string", place, found, text=string)
    scalar = _SCALAR.match(text, place)
    if scalar is None:
        raise _wrong(text, place)
    return Value("scalar", place, scalar.end())


def _sequence(text: str, place: int, closing: str, part: Callable[[int], Any]) -> tuple[list[Any], int]:
    """The parts of a container that opens at `place`, and where it ends. A comma may stand behind the last part."""
    found: list[Any] = []
    place = blank_end(text, place + 1)
    while text[place : place + 1] != closing:
        found.append(part(place))
        place = blank_end(text, found[-1].end)
        if text[place : place + 1] == ",":
            place = blank_end(text, place + 1)
        elif text[place : place + 1] != closing:
            raise _wrong(text, place)
    return found, place + 1


def _member(text: str, place: int, depth: int) -> Member:
    end, key = _string(text, place)
    colon = blank_end(text, end)
    if text[colon : colon + 1] != ":":
        raise _wrong(text, colon)
    value = _value(text, blank_end(text, colon + 1), depth + 1)
    return Member(key, value, place, value.end)


def _string(text: str, place: int) -> tuple[int, str]:
    found = _STRING.match(text, place)
    if found is None:
        raise _wrong(text, place)
    try:
        return found.end(), json.loads(found[0])
    except ValueError:
        raise _wrong(text, place) from None


def _wrong(text: str, place: int) -> ValueError:
    return ValueError(f"line {text.count(chr(10), 0, place) + 1} is no JSON")
