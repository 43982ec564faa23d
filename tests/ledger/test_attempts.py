"""Which commands are the same thing tried again, and what a success proves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.attempts import (
    command_key,
    covers,
    first_run,
    looks_only,
    parts,
    recorded,
    stages,
    whole_check,
)
from memcli.ledger.shell import traffic


@given(st.text(alphabet="rm'\"<>|&;() \n\\$a./EOF-", max_size=80))
def test_no_command_line_is_too_odd(command: str) -> None:
    traffic(command)
    command_key(command)


@pytest.mark.parametrize(
    "again",
    [
        "cd /x && make test",
        "make test 2>&1 | tail -20",
        "CI=1 make test",
        "make   test",
        "sleep 2; make test",
        "cd /x && sleep 0.5 && make test",
        "make test > /dev/null; echo done",
    ],
)
def test_the_same_command_has_one_key(again: str) -> None:
    assert command_key(again) == "make test"


def test_figures_do_not_part_commands() -> None:
    assert command_key("run --port 8080") == command_key("run --port 9090")


def test_other_commands_have_other_keys() -> None:
    assert command_key("make test") != command_key("make lint")


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        ("grep -n x y", True),
        ("cd a && ls", True),
        ("ls a; echo b && find c | wc -l", True),
        ("grep -E 'a && make; b' c", True),
        ("make", False),
        ("ls a && make", False),
        ("cat a || make", False),
        ("cat a\nmake", False),
        ("ls a; " + "cat the/bill " * 20 + "; make", False),
        ("", False),
    ],
)
def test_lookers_are_told_from_doers(command: str, looks: bool) -> None:
    assert looks_only(command) is looks


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("go test -race ./cart | tail -#", ("go", "test", "./cart")),
        ("cmd:make all > out", ("make", "all", "out")),
        ("make lint && make test", ()),
        ("make; make", ()),
        ("make || true", ()),
    ],
)
def test_the_first_run_is_a_program_with_its_operands(key: str, words: tuple[str, ...]) -> None:
    assert first_run(key) == words


@pytest.mark.parametrize(
    ("key", "program"),
    [
        ("go test ./...", ("go", "test")),
        ("go test -v -count=# ./...", ("go", "test")),
        ("cargo test --workspace", ("cargo", "test")),
        ("npm test", ("npm", "test")),
        ("go test -run TestSum ./...", ()),
        ("go test ./cart", ()),
        ("pytest -k total", ()),
        ("make", ()),
        ("", ()),
    ],
)
def test_a_whole_check_leaves_nothing_out(key: str, program: tuple[str, ...]) -> None:
    assert whole_check(key) == program


@pytest.mark.parametrize("failed", ["go test ./cart -run TestSum", "cmd:go test -v ./cart", "go test ./..."])
def test_a_check_of_everything_covers_what_only_chooses(failed: str) -> None:
    assert covers("cmd:go test ./...", failed)


@pytest.mark.parametrize("failed", ["go test -tags=e2e ./cart", "go vet ./cart", "npm test", "go test ./a && go vet"])
def test_it_covers_nothing_that_asks_for_more_or_for_something_else(failed: str) -> None:
    assert not covers("go test ./...", failed)


@pytest.mark.parametrize("worked", ["make", "ls", "go test ./cart", "make && go test ./..."])
def test_what_does_not_check_everything_covers_nothing(worked: str) -> None:
    assert not covers(worked, "go test ./cart")
    assert not covers(worked, worked)


def test_what_git_records_is_told_by_the_command() -> None:
    assert recorded("git -C shop add a.py && git commit -m x") == {"add", "commit"}
    assert recorded("git -c user.name=x commit --amend") == {"commit"}
    assert recorded("git log --oneline; echo git; commit") == set()


@given(st.text(alphabet="abc ;|&>12\n", max_size=60))
def test_where_a_command_runs_is_no_part_of_its_key(rest: str) -> None:
    key = command_key(f"make {rest}")

    assert len(key) <= 160
    assert key == command_key(f"cd /srv/shop && make {rest}") == command_key(f"CI=1 make {rest}")


def test_of_a_list_only_what_does_something_is_a_part() -> None:
    assert parts("cmd:cd till && mkdir -p out && make cart && make till && ls") == ("make cart", "make till")
    assert parts("make cart") == parts("make cart; make till") == ()


def test_a_command_that_may_be_cut_off_is_no_stage_and_leaves_the_parts_unknown() -> None:
    key = command_key("make cart && make till && go test " + "./cart/" * 40)

    assert stages(key) == ("make cart", "make till")
    assert parts(key) == ()
