"""What a command line does to files."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.ledger.shell import (
    is_file,
    split,
    traffic,
    without_written,
)


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("rm -f src/old.py", [("deleted", "src/old.py")]),
        ("git rm docs/a.md docs/b.md", [("deleted", "docs/a.md"), ("deleted", "docs/b.md")]),
        ("cp a.py lib/", [("created", "lib/a.py")]),
        ("cp a.py b.py lib", [("created", "lib/a.py"), ("created", "lib/b.py")]),
        ("echo hi > out.txt && cat out.txt", [("written", "out.txt")]),
        ("make 2>&1 | tee build.log", [("written", "build.log")]),
        ("make 2>&1 | grep warning > build.log", [("written", "build.log")]),
        ("make &> build.log", [("written", "build.log")]),
        ("cp a.py lib/b.py 2>&1", [("created", "lib/b.py")]),
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
        ("mv a.py b.py 2>/dev/null || true", [("a.py", "b.py")]),
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
        "rm -rf /tmp/build",
        "rm -rf . ../",
        "rm build",
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


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("cp a.py b.py", [("created", "b.py")]),
        ("touch src/new.py", [("written", "src/new.py")]),
        ("echo x >> log.txt", [("written", "log.txt")]),
        ("sed --in-place=.bak 's/a/b/' one.py two.py", [("modified", "one.py"), ("modified", "two.py")]),
        ("env A=1 time rm old.py", [("deleted", "old.py")]),
        ("make && (cd web && rm -r app.js)", [("deleted", "web/app.js")]),
        ("cd a; cd b; rm c.py", [("deleted", "a/b/c.py")]),
        ("cd /srv/shop && rm c.py", [("deleted", "/srv/shop/c.py")]),
        ("rm 'my file.py' \"b.py\" c\\.py", [("deleted", "b.py"), ("deleted", "c.py")]),
        ("rm a.py \\\n  b.py\nrm c.py", [("deleted", "a.py"), ("deleted", "b.py"), ("deleted", "c.py")]),
        ("cat <<EOF > a.py\nrm b.py\nEOF\nrm c.py", [("written", "a.py"), ("deleted", "c.py")]),
        ("rm a.py > log.txt", [("written", "log.txt"), ("deleted", "a.py")]),
        ("rm -rf src/ lib", [("deleted", "src/"), ("deleted", "lib/")]),
        ("if [ -e a.py ]; then rm a.py; else { touch b.py; }; fi", [("deleted", "a.py"), ("written", "b.py")]),
        ('TO=lib; export AS=b; mv a.py "$TO/${AS}.py" && rm $AS.py', [("moved", "lib/b.py"), ("deleted", "b.py")]),
        ("A=$(ls); rm $A.py; B=b.py; for B in *.py; do rm $B; done", []),
        ("rm 1.2.3 v.x .env.x", [("deleted", "v.x"), ("deleted", ".env.x")]),
    ],
)
def test_writing_is_understood_however_it_is_put(command: str, effects: list[tuple[str, str]]) -> None:
    assert [effect[:2] for effect in traffic(command).effects] == effects


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("cat > a.py <<'E'\nrm b\nE\nls", "cat > a.py \nls"),
        ("cat <<-E > a.py\nrm b\n\tE\nls", "cat  > a.py\nls"),
        ("bash <<E 2>/dev/null\nrm b\nE", "bash <<E 2>/dev/null\nrm b\nE"),
        ("cat > a.py <<E\nrm b", "cat > a.py <<E\nrm b"),
        ("cat <<A > a.py; sh <<B\nE\nA\nrm b\nB", "cat  > a.py; sh <<B\nrm b\nB"),
    ],
)
def test_what_is_only_written_to_a_file_is_not_run(command: str, run: str) -> None:
    assert without_written(command) == run


@pytest.mark.parametrize(
    ("command", "deleted"),
    [
        ("git mv --cached a.py b.py", []),
        ("git log rm a.py", []),
        ("rm a.py 'b.py", ["a.py"]),
        ("<<E\nrm a.py\nE\nrm b.py", ["b.py"]),
    ],
)
def test_only_what_surely_runs_deletes(command: str, deleted: list[str]) -> None:
    assert [effect.path for effect in traffic(command).effects] == deleted


def test_a_source_moved_with_a_slash_behind_it_is_the_same_folder() -> None:
    (moved,) = traffic("cd src && mv tools/ ../core").effects

    assert (moved.state, moved.source, moved.path) == ("moved", "src/tools", "src/../core")


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("cat a.py b.py > c.py", ["a.py", "b.py"]),
        ("tail -n 5 /tmp/x.log; bat a.py", ["a.py"]),
        ("LANG=C nl a.py", ["a.py"]),
        ("cat < in.txt", []),
        ("python a.py; cat b.py", ["b.py"]),
        ("cat *.py", []),
    ],
)
def test_reading_counts_files_of_the_project_only(command: str, reads: list[str]) -> None:
    assert traffic(command).reads == reads


@pytest.mark.parametrize(
    ("path", "file"), [("a.py", True), (".a.py", True), (".env", False), ("a.", False), ("1.2", False), ("x", False)]
)
def test_a_file_has_a_name_with_an_ending(path: str, file: bool) -> None:
    assert is_file(path) is file


def test_a_command_longer_than_the_scan_is_read_up_to_there() -> None:
    assert [one.path for one in traffic(f"rm a.py; echo {'x' * 9_000}; rm b.py").effects] == ["a.py"]
