"""What `import memcli` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import memcli

HEAVY = {"typer", "click", "rich", "pydantic", "anthropic", "jsonlines"}


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_else() -> None:
    assert python("import sys; had = set(sys.modules); import memcli; print(*set(sys.modules) - had)") == "memcli\n"


def test_every_public_name_is_there_and_none_brings_what_only_programs_need() -> None:
    code = "import memcli, sys; [getattr(memcli, name) for name in memcli.__all__]; print(*sys.modules)"
    loaded = set(python(code).split())
    assert "memcli.agent.session" in loaded
    assert not loaded & HEAVY


def test_a_name_that_there_is_none_of_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compress'"):
        memcli.compress  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("first", ["import memcli", "import memcli.watch.loop", "from memcli import watch"])
def test_watch_is_a_function_and_a_room_whatever_was_imported_first(first: str) -> None:
    code = f"{first}; import memcli, memcli.watch.tail as t; print(callable(memcli.watch), t.__name__)"
    assert python(code) == "True memcli.watch.tail\n"
