from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.root import MAX_SEEN, Root
from tests.ledger.builders import Ledger, edited, folded, place, presented, ran, wrote


def root(ledger: Ledger) -> str:
    return ledger.state.commits.root


def test_where_no_directory_is_recorded_the_common_folder_of_written_files_is_the_root() -> None:
    written = [edited("/home/dev/shop/src/cart.py"), wrote("/home/dev/shop/docs/a/tax.md")]

    assert root(folded(written)) == presented(written).root == "/home/dev/shop"


def test_a_recorded_directory_counts_before_any_file() -> None:
    assert root(folded(place("/home/dev/shop"), edited("/home/dev/other/x.py"))) == "/home/dev/shop"
    assert root(folded(edited("/home/dev/other/x.py"), place("/home/dev/shop"), place("/a/b"))) == "/home/dev/shop"


def test_files_all_over_the_disk_have_no_root() -> None:
    assert root(folded(edited("/home/dev/a/x.py"), edited("/srv/www/y.py"), edited("/home/dev/a/z.py"))) == ""


def test_a_path_used_whole_and_relative_shows_the_root() -> None:
    both = [edited("/home/dev/shop/src/web/cart.py"), ran("sed -i s/a/b/ src/web/cart.py")]

    assert root(folded(both)) == root(folded(both, edited("/srv/www/y.py"))) == "/home/dev/shop"
    assert root(folded(both[0], ran("sed -i s/a/b/ cart.py"))) == "/home/dev/shop/src/web"


def test_scratch_and_failed_writes_do_not_widen_the_root() -> None:
    more = [wrote("/tmp/notes.md"), edited("/srv/y.py", is_error=True)]

    assert root(folded(edited("/home/dev/shop/src/x.py"), more)) == "/home/dev/shop/src"


def test_what_is_taken_back_or_deleted_with_a_folder_shows_no_root() -> None:
    steps = [edited("/home/dev/shop/src/x.py"), ran("rm -rf /srv/www/cache"), ran("cd /srv/api && git checkout -- .")]

    assert root(folded(steps)) == presented(steps).root == "/home/dev/shop/src"


def test_the_branch_is_what_git_said_last() -> None:
    commit = ran("git commit -m x", "[fix 1a2b3c4] Add the tax")
    switch = ran("git checkout -b tax", "Switched to a new branch 'tax'")

    assert presented(commit, switch).state.branch == folded(commit, switch).state.commits.branch == "tax"
    assert presented(switch, commit).state.branch == "fix"


def stood(*steps: str) -> Root:
    """A root after files were written; one in brackets is a working directory."""
    base = Root()
    for step in steps:
        base.stands(step[1:-1]) if step.startswith("[") else base.wrote(step)
    return base


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (["/a/b/c/x.py"], "/a/b/c"),
        (["/a/b/x.py"], ""),
        (["/a/b/c/d/x.py", "/a/b/c/e/y.py"], "/a/b/c"),
        (["/a/b/c/x.py", "/a/b/d/y.py"], ""),
        (["/a/b/c/x.py", "[]"], "/a/b/c"),
        (["/a/b/c/x.py", "[/srv]", "/z/y/x/w.py"], "/srv"),
        (["x.py", "src/x.py"], ""),
        (["/a/b/c/src/x.py", "./src/x.py"], "/a/b/c"),
        (["/a/b/c/src/x.py", "/a/b/d/src/x.py", "src/x.py"], ""),
        (["/tmp/a/b/c.py"], ""),
    ],
)
def test_the_root_is_what_files_and_directories_show(steps: list[str], path: str) -> None:
    assert stood(*steps).path == path


def test_once_scattered_only_a_proof_gives_a_root_again() -> None:
    scattered = ["/a/b/c/x.py", "/z/y/x/w.py"]

    assert stood(*scattered, "/a/b/c/d.py").path == ""
    assert stood(*scattered, "/a/b/c/src/d.py", "src/d.py").path == "/a/b/c"


def test_paths_that_are_remembered_are_bounded_and_forgotten_once_the_root_is_told() -> None:
    many = [f"/a/b/c/{number}.py" for number in range(MAX_SEEN + 9)]

    assert stood(*many).seen == many[-MAX_SEEN:]
    assert stood(*many, "[/srv]").seen == []


@given(st.permutations(["/a/b/c/x.py", "/a/b/c/d/y.py", "/a/b/c/d/e/z.py", "/a/b/c/f/z.py"]))
def test_the_order_of_writes_makes_no_difference_to_a_common_folder(paths: list[str]) -> None:
    assert stood(*paths).path == "/a/b/c"
