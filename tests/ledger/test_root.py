from __future__ import annotations

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


def test_the_branch_is_what_git_said_last() -> None:
    commit = ran("git commit -m x", "[fix 1a2b3c4] Add the tax")
    switch = ran("git checkout -b tax", "Switched to a new branch 'tax'")

    assert presented(commit, switch).state.branch == folded(commit, switch).state.commits.branch == "tax"
    assert presented(switch, commit).state.branch == "fix"
