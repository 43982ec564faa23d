from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.shell import command_key, looks_only, split, traffic


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("rm -f src/old.py", [("deleted", "src/old.py")]),
        ("git rm docs/a.md docs/b.md", [("deleted", "docs/a.md"), ("deleted", "docs/b.md")]),
        ("cp a.py lib/", [("created", "lib/a.py")]),
        ("cp a.py b.py lib", [("created", "lib/a.py"), ("created", "lib/b.py")]),
        ("echo hi > out.txt && cat out.txt", [("written", "out.txt")]),
        ("make 2>&1 | tee build.log", [("written", "build.log")]),
        ("sed -i 's/a/b/' src/cart.py", [("modified", "src/cart.py")]),
        ("cd web && rm app.js", [("deleted", "web/app.js")]),
        ("LANG=C sudo rm x.conf", [("deleted", "x.conf")]),
        ("rm Makefile && cp a/LICENSE b/", [("deleted", "Makefile"), ("created", "b/LICENSE")]),
        ("cat > notes.md <<'EOF'\nrm nothing.py\nEOF\n", [("written", "notes.md")]),
    ],
)
def test_what_a_command_writes_is_read_from_its_line(command: str, effects: list[tuple[str, str]]) -> None:
    assert [effect[:2] for effect in traffic(command).effects] == effects


@pytest.mark.parametrize(
    ("command", "moves"),
    [
        ("mv a.py b.py", [("a.py", "b.py")]),
        ("cd src && git mv -k a.py b.py lib", [("src/a.py", "src/lib/"), ("src/b.py", "src/lib/")]),
        ("mv tools/ core", [("tools", "core")]),
        ("mv lib/a.py .", [("lib/a.py", "./")]),
        ("mv theme/* web/", []),
        ("mv $f web/", []),
        ("mv deploy/Dockerfile deploy/Containerfile", [("deploy/Dockerfile", "deploy/Containerfile")]),
    ],
)
def test_a_move_is_read_with_where_to_and_not_what_is_there(command: str, moves: list[tuple[str, str]]) -> None:
    assert [(effect.source, effect.path) for effect in traffic(command).effects] == moves


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf build",
        "echo x > /dev/null",
        "echo x > /tmp/scratch.txt",
        "git rm --cached a.py",
        "rm *.py",
        "grep rm a.py",
        "echo 'rm a.py'",
    ],
)
def test_scratch_patterns_and_mere_words_change_nothing(command: str) -> None:
    assert traffic(command).effects == []


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("cat src/cart.py", ["src/cart.py"]),
        ("sed -n '1,20p' src/cart.py", ["src/cart.py"]),
        ("cd web && head -5 app.js", ["web/app.js"]),
        ("make | tail -5", []),
        ("sed 's/a/b/' cart.py", []),
    ],
)
def test_printing_a_file_is_reading_it(command: str, reads: list[str]) -> None:
    assert traffic(command).reads == reads


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
    ("command", "looks"), [("grep -n x y", True), ("cd a && ls", True), ("make", False), ("", False)]
)
def test_lookers_are_told_from_doers(command: str, looks: bool) -> None:
    assert looks_only(command) is looks


def _standard(command: str) -> list[str]:
    """The words that the standard library finds, up to a quote that is not closed."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[str] = []
    try:
        for word in lexer:
            found.append(word)  # noqa: PERF402  (what came before an error counts)
    except ValueError:
        pass
    return found


@given(st.lists(st.sampled_from([*"ab \t\n\"'\\<>|&;()#=~-é", "&&", ">>", '"x y"', "'x y'"])).map("".join))
def test_a_command_is_parted_as_the_standard_library_parts_it(command: str) -> None:
    assert list(split(command)) == _standard(command)
