"""How turns, paths and commands are spelled."""

from __future__ import annotations

import pytest

from memcli.memory.shown import local, shown_path

ROOT = "/srv/shop"


@pytest.mark.parametrize(
    ("path", "root", "shown"),
    [
        ("/srv/shop/src/a.py", ROOT, "src/a.py"),
        ("/srv/shop/src/a.py", "/srv/shop/", "src/a.py"),
        ("/srv/shopping/a.py", ROOT, "/srv/shopping/a.py"),
        ("/srv/shop/a.py", "", "/srv/shop/a.py"),
        ("a.py", ROOT, "a.py"),
    ],
)
def test_a_path_is_told_below_the_root(path: str, root: str, shown: str) -> None:
    assert shown_path(path, root) == shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("cd /srv/shop && make", "make"),
        ("cd /srv/shop/ && make", "make"),
        ("cd /srv/shop; make", "make"),
        ("cd /srv/shop/web && make", "cd …/web && make"),
        ("cd /srv/shopping && make", "cd /srv/shopping && make"),
        ("cat /srv/shop/a.py", "cat …/a.py"),
        ("make", "make"),
    ],
)
def test_a_command_is_told_as_typed_in_the_root(command: str, shown: str) -> None:
    assert local(command, ROOT) == shown
    assert local(command, "") == command
