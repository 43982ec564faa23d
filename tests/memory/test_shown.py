"""How turns, paths and commands are spelled."""

from __future__ import annotations

import pytest

from memcli.memory.shown import local, shown_command, shown_path

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


LIST = "`grep -n total src/one src/one src/one src/one src/one src/one […] src/one src/one docs`"
FOLDER = "cd /opt/elsewhere/than/the/root"


@pytest.mark.parametrize(
    ("command", "limit", "shown"),
    [
        (f"{FOLDER} && make till", 80, f"`{FOLDER} && make till`"),
        (f"{FOLDER} && make the till of the shop and more", 40, "`make the till of the shop and more`"),
        (f"{FOLDER} && ls", 36, "`cd /opt/elsewhere/than/the/root […]`"),
        ("grep -n total " + "src/one " * 12 + "docs", 90, LIST),
        (f"show {'x' * 70} of the cart and all that is in it by name", 90, f"`show {'x' * 70} of the […]`"),
    ],
)
def test_a_command_too_long_loses_its_folder_then_its_middle(command: str, limit: int, shown: str) -> None:
    assert shown_command(command, ROOT, limit) == shown
