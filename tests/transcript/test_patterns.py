"""Patterns: compiled late, and without what some versions of Python have wrong."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import memcli
from memcli.transcript.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = sorted(Path(memcli.__file__).parent.rglob("*.py"))
CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
WRONG = re.compile(r"[*+?}]\+|\(\?>")


def patterns_in(source: str) -> Iterator[str]:
    """Every literal text in the arguments of a call that makes a pattern of it."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and re.match(r"re\.|pattern$|_token$", ast.unparse(call.func)):
            parts = (part for given in call.args for part in ast.walk(given))
            yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def repeats_wrongly(text: str) -> bool:
    return bool(WRONG.search(CLASS.sub("x", text)))


def test_a_late_pattern_finds_what_one_of_re_finds() -> None:
    late = pattern(r"(?P<word>[a-z]+)=(\d)", re.IGNORECASE)

    assert [match["word"] for match in late.finditer("a=1 B=2 c")] == ["a", "B"]
    assert late.sub(r"\2", "A=1 c") == "1 c"


def test_a_wrong_pattern_raises_when_it_is_used_first() -> None:
    late = pattern("(")

    with pytest.raises(re.error):
        late.match("")


@pytest.mark.parametrize("text", ["a++", "[a-z]{3,}+", "(?>ab)", r"\s*+", "(ab)?+"])
def test_possessive_repeats_and_atomic_groups_are_told_from_others(text: str) -> None:
    assert repeats_wrongly(text)
    assert not repeats_wrongly(r"[*+]+ \++ [^]}+]+ a+b*c?")


def test_no_pattern_has_a_possessive_repeat_or_an_atomic_group() -> None:
    """Python 3.11.2 takes them for something else."""
    found = {path.name: text for path in SOURCES for text in patterns_in(path.read_text()) if repeats_wrongly(text)}

    assert not found
