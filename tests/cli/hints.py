"""Every hint of the source: where a failure is made, and what it says and offers."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from memcli import errors
from tests.cli.command import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Test = TypeVar("Test", bound="Callable[..., Any]")

KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.MemcliError)}
DEFAULT = "memcli --help"

OF: set[str] = set()
"""The failures that a test makes which says so (`of`)."""


class Site(NamedTuple):
    """A failure in the source: `sentence` and `hint` with {} for what is known only when it happens."""

    file: str
    function: str
    sentence: str
    hint: str

    @property
    def name(self) -> str:
        """Its file and what it says; where that is known only when it happens, its function."""
        return f"{self.file}: {self.sentence if re.search('[a-z]', self.sentence) else f'{self.function}()'}"


def of(*names: str) -> Callable[[Test], Test]:
    """Said of a test that makes these failures, and does what they offer."""
    OF.update(names)
    return lambda test: test


@cache
def sites() -> dict[str, tuple[Site, ...]]:
    """All of them by name; those that say the same in one file have one."""
    found: dict[str, tuple[Site, ...]] = {}
    for path in sorted((ROOT / "memcli").rglob("*.py")):
        for site in _in(path):
            found[site.name] = (*found.get(site.name, ()), site)
    return found


def spoke(name: str, sentence: str, hint: str) -> bool:
    """True if these words are of the place of that name."""
    sentence = sentence.removesuffix(f"; {errors.SUPPORTED}")
    return any(_fits(site.sentence, sentence) and _fits(site.hint, hint) for site in sites()[name])


def _in(path: Path) -> Iterator[Site]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = {alias.name for node in ast.walk(tree) if _is_ours(node) for alias in node.names}
    file = str(path.relative_to(ROOT / "memcli"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _called(node) in ours & KINDS and node.args:
                hint = node.args[1] if len(node.args) > 1 else None
                yield Site(file, function.name, _template(node.args[0]), _template(hint) if hint else DEFAULT)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "error.hint":
                yield Site(file, function.name, "{}", _template(node.value))


def _is_ours(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "memcli.errors"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return "{}"


def _fits(template: str, text: str) -> bool:
    return re.fullmatch(re.escape(template).replace(re.escape("{}"), ".*"), text, re.DOTALL) is not None
