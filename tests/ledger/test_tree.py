"""What git takes back, puts aside, or says of the working tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledger.builders import agent, edited, flat, folded, place, ran, wrote

if TYPE_CHECKING:
    from memcli.ledger.files import File
    from memcli.transcript.entries import Entry

SHOP = "/home/dev/shop/"
CART, TAX, NEW = SHOP + "src/cart.py", SHOP + "src/tax.py", SHOP + "src/new.py"
COMMIT = ran("git commit -am 'Add tax to it'", "[main 1a2b3c4] Add tax to it")


def files(*entries: Entry | list[Entry]) -> dict[str, File]:
    return folded(place(), *flat(entries)).state.files.known


def waiting(*entries: Entry | list[Entry]) -> set[str]:
    state = folded(place(), *flat(entries)).state
    return {
        path.removeprefix(SHOP) for path, file in state.files.written.items() if file.uncommitted(state.commits.last)
    }


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("git checkout -- .", ["src/new.py"]),
        ("git checkout .", ["src/new.py"]),
        ("git checkout -- src/cart.py", ["src/new.py", "src/tax.py"]),
        ("git checkout src/cart.py", ["src/new.py", "src/tax.py"]),
        ("git checkout HEAD~1 -- src/cart.py", ["src/new.py", "src/tax.py"]),
        ("cd src && git restore cart.py tax.py", ["src/new.py"]),
        ("git restore src", ["src/new.py"]),
        ("cd docs; git reset -q --hard", ["src/new.py"]),
        ("git stash push -m x", ["src/new.py"]),
        ("git stash -- src/cart.py", ["src/new.py", "src/tax.py"]),
        ("git stash push src/cart.py", ["src/new.py", "src/tax.py"]),
        ("git stash push -q -m 'for later' src/cart.py", ["src/new.py", "src/tax.py"]),
        ("git -C src -c a=b checkout -- cart.py", ["src/new.py", "src/tax.py"]),
        ("git -C src stash", ["src/new.py"]),
        ("git stash 2>&1 | tail -1", ["src/new.py"]),
        ("git -C ../api checkout -- .", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git -C ../api reset --hard", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("cd ~/api && git stash", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ('git -C "$API" reset --hard', ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git checkout -b src", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git checkout main", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git restore --staged .", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git checkout -p -- .", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git reset HEAD~1", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git stash list", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("cd ../api && git checkout -- .", ["src/cart.py", "src/new.py", "src/tax.py"]),
        ("git stash && make test && git stash pop", ["src/cart.py", "src/new.py", "src/tax.py"]),
    ],
)
def test_what_git_takes_back_of_tracked_files_waits_for_no_commit(command: str, left: list[str]) -> None:
    assert sorted(waiting(COMMIT, edited(CART), edited(TAX), wrote(NEW), ran(command))) == left


def test_a_command_that_failed_takes_nothing_back() -> None:
    assert waiting(edited(CART), ran("git checkout -- .", failed=True)) == {"src/cart.py"}


def test_a_file_changed_again_waits_again() -> None:
    assert waiting(edited(CART), ran("git checkout -- ."), edited(CART)) == {"src/cart.py"}
    assert waiting(edited(CART), ran("git checkout -- . && sed -i s/a/b/ src/cart.py")) == {"src/cart.py"}


def test_what_the_same_command_commits_is_not_known_to_be_taken_back() -> None:
    both = ran("git commit -m x src/cart.py && git checkout -- .", "[main 2b3c4d5] x")

    assert not files(edited(CART), both)[CART].taken_back


def test_names_and_purposes_of_what_was_taken_back_are_forgotten() -> None:
    before = (agent("Adding the total:"), edited(CART, "def sum_of_total(): pass"), COMMIT)
    after = (agent("Adding the discount:"), edited(CART, "def discount_of_cart(): pass"))
    cart = files(*before, *after, ran("git checkout -- ."))[CART]

    assert list(cart.names) == ["sum_of_total"]
    assert [touch.why for touch in cart.touches] == ["Adding the total"]


def test_what_was_put_aside_keeps_its_names_and_comes_back_with_them() -> None:
    aside = files(edited(CART, "def sum_of_total(): pass"), ran("git stash"))[CART]

    assert (list(aside.names), aside.taken_back, aside.aside) == (["sum_of_total"], True, True)
    assert not files(edited(CART), ran("git stash"), ran("git stash pop"))[CART].taken_back


def test_a_deleted_file_is_there_again_when_that_was_taken_back() -> None:
    assert files(wrote(CART), COMMIT, ran("rm src/cart.py"), ran("git checkout -- ."))[CART].state == "created"
    assert files(COMMIT, ran("rm src/cart.py"), ran("git checkout -- ."))[CART].state == ""


def test_a_new_file_that_was_committed_is_tracked() -> None:
    assert files(wrote(NEW), COMMIT, edited(NEW), ran("git reset --hard"))[NEW].taken_back


@pytest.mark.parametrize(
    ("command", "output", "left"),
    [
        ("git status", "On branch main\nnothing to commit, working tree clean", []),
        ("git status", "Changes not staged for commit:\n  (use)\n\tmodified:   src/tax.py\n", ["src/tax.py"]),
        ("git status", "Untracked files:\n  (use)\n\tsrc/\n", ["src/cart.py", "src/tax.py"]),
        ("git status --short", "", []),
        ("git status -s", " M src/cart.py\n?? other.py", ["src/cart.py"]),
        ("git status -s", "R  old.py -> src/cart.py", ["src/cart.py"]),
        ("cd src && git status --short", "M  cart.py", ["src/cart.py"]),
        ("git commit -m x && git status --short", "[main 1a2b3c4] x\n M src/cart.py", ["src/cart.py"]),
        ("git status --short && rm -f x", "", []),
        ("git status --short src", "", ["src/cart.py", "src/tax.py"]),
        ("git status --short | head -3", "", ["src/cart.py", "src/tax.py"]),
        ("git -C ../api status --short", "", ["src/cart.py", "src/tax.py"]),
        ("cd ~/api && git status --short", "", ["src/cart.py", "src/tax.py"]),
        ('cd "$API"; git status --short', "", ["src/cart.py", "src/tax.py"]),
        ("git status --short && git checkout x", "", ["src/cart.py", "src/tax.py"]),
        ("git status", "", ["src/cart.py", "src/tax.py"]),
        ("git status --short && sed -i s/a/b/ src/cart.py", "", ["src/cart.py"]),
    ],
)
def test_a_status_says_what_waits_for_a_commit(command: str, output: str, left: list[str]) -> None:
    assert sorted(waiting(edited(CART), edited(TAX), ran(command, output))) == left


@pytest.mark.parametrize("output", ["?? a.py\n" * 401, f"?? {'very/' * 20}long.py\n" * 300])
def test_a_status_too_long_to_be_read_whole_says_nothing(output: str) -> None:
    assert waiting(edited(CART), ran("git status -s", output)) == {"src/cart.py"}


def test_what_changes_after_a_status_waits_again() -> None:
    assert waiting(edited(CART), ran("git status -s", ""), edited(TAX)) == {"src/tax.py"}


def test_a_status_that_lists_what_was_taken_back_is_believed() -> None:
    assert waiting(edited(CART), ran("git checkout -- ."), ran("git status -s", "M  src/cart.py")) == {"src/cart.py"}


def test_a_status_says_nothing_of_files_outside_the_project() -> None:
    elsewhere = "/home/dev/api/serve.py"

    assert waiting(edited(CART), edited(elsewhere), ran("git status -s", "")) == {elsewhere}


def test_bringing_back_what_was_put_aside_brings_back_nothing_else() -> None:
    undone = (edited(CART), ran("git checkout -- ."), edited(TAX), ran("git stash"), ran("git stash pop"))

    assert waiting(*undone) == {"src/tax.py"}
