"""Patterns that are compiled when they are first used.

To compile a pattern costs as much as to search a long text with it, and of the two hundred that the fold knows, one
run of a verb needs a quarter or none.
"""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


def pattern(text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """What `re.compile` gives, as far as its methods go. A wrong pattern raises `re.error` at its first use."""
    return cast("re.Pattern[str]", Pattern(text, flags))


class Pattern:
    """Not compiled as long as nobody asks for a method; then it has those of the compiled one, at no more cost."""

    def __init__(self, text: str, flags: re.RegexFlag) -> None:
        self.pattern = text
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self.flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
