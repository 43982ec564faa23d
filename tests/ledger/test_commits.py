"""Commits that git does not announce, amended ones, branches, whole files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.ledger.commits import Commit, branch_in, whole_files
from memcli.ledger.git import runs_in, subjects_in
from memcli.transcript.entries import Link
from tests.ledger.builders import done, edited, entry, folded, place, ran, wrote

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger


def made(ledger: Ledger) -> list[Commit]:
    return list(ledger.state.commits.made.values())


def test_a_quiet_commit_is_known_by_the_log_behind_it() -> None:
    ledger = folded(*ran("git commit -qm 'Add tax' && git log --oneline -2", "1a2b3c4 Add tax\n99999ab Before"))

    assert [(one.sha, one.subject) for one in made(ledger)] == [("1a2b3c4", "Add tax")]


def test_a_quiet_commit_without_a_log_is_known_by_its_subject() -> None:
    assert [(one.sha, one.subject) for one in made(folded(*ran("git commit -q -m 'Add tax'", "")))] == [("", "Add tax")]


def test_a_quiet_commit_is_known_by_a_single_word_too() -> None:
    assert [(one.sha, one.subject) for one in made(folded(*ran("git commit -qm wip", "")))] == [("", "wip")]


def test_a_log_without_a_commit_makes_none() -> None:
    assert made(folded(*ran("git log --oneline", "1a2b3c4 Add tax"))) == []


def test_nothing_to_commit_makes_none() -> None:
    assert made(folded(*ran("git commit -qm x; true", "nothing to commit, working tree clean"))) == []


def test_an_amended_commit_replaces_its_parent_and_remembers_it() -> None:
    ledger = folded(
        *ran("git commit -m Tax", "[main 1a2b3c4] Tax"), *ran("git commit --amend -m Taxes", "[main 2b3c4d5] Taxes")
    )

    assert [(one.sha, one.replaced) for one in made(ledger)] == [("2b3c4d5", "1a2b3c4")]


def test_subjects_are_read_from_all_the_ways_to_write_them() -> None:
    assert subjects_in('git commit -am "Add tax"') == ["Add tax"]
    assert subjects_in("git commit -q -m \"$(cat <<'EOF'\nAdd tax\n\nMore\nEOF\n)\"") == ["Add tax"]
    assert subjects_in("git commit -F - <<'EOF'\nAdd tax\n\nMore\nEOF") == ["Add tax"]
    assert subjects_in("git commit --amend --no-edit") == [""]
    assert subjects_in("git commit -qm wip && git commit --message=tax; git push") == ["wip", "tax"]
    assert subjects_in("git status") == []


def test_the_branch_is_known_from_the_commit_and_the_switch() -> None:
    session = (place(), *ran("git commit -m x", "[topic/a 1a2b3c4] x"))

    assert folded(*session).state.commits.branch == "topic/a"
    assert (
        folded(*session, *ran("git switch -c b", "Switched to a new branch 'topic/b'")).state.commits.branch
        == "topic/b"
    )


def test_whole_files_are_read_from_the_summary_of_a_commit() -> None:
    output = (
        " create mode 100644 src/new.py\n delete mode 100644 old.py\n"
        " rename src/{a => b}/one.py (97%)\n rename two.py => three.py (100%)\n"
    )

    assert whole_files(output) == [
        ("created", "src/new.py", ""),
        ("deleted", "old.py", ""),
        ("created", "src/b/one.py", "src/a/one.py"),
        ("created", "three.py", "two.py"),
    ]


def test_a_file_that_only_the_commit_tells_of_is_listed() -> None:
    ledger = folded(place(), *ran("git commit -m x", "[main 1a2b3c4] x\n create mode 100644 src/new.py"))

    assert ledger.state.files.written["/home/dev/shop/src/new.py"].state == "created"


def test_a_file_that_was_read_before_is_new_to_git_alone() -> None:
    ledger = folded(
        place(),
        *done("Read", {"file_path": "/home/dev/shop/notes.md"}, "# Notes"),
        *ran("git commit -m x", "[main 1a2b3c4] x\n create mode 100644 notes.md"),
    )

    assert ledger.state.files.written == {}


def test_a_file_whose_change_was_seen_keeps_its_state() -> None:
    ledger = folded(
        place(),
        *edited("/home/dev/shop/src/new.py"),
        *ran("git commit -m x", "[main 1a2b3c4] x\n create mode 100644 src/new.py"),
    )

    assert ledger.state.files.written["/home/dev/shop/src/new.py"].state == "modified"


def test_a_change_remembers_when_it_was_made_not_when_the_file_was_read() -> None:
    ledger = folded(*wrote("/a/b.py"))
    before = ledger.state.files.known["/a/b.py"].changed
    for one in ran("cat /a/b.py", "x = 1"):
        ledger.fold(one)

    assert ledger.state.files.known["/a/b.py"].changed == before


def test_a_file_known_from_git_alone_was_written_by_no_call() -> None:
    ledger = folded(place(), *ran("git commit -m x", "[main 1a2b3c4] x\n create mode 100644 src/new.py"))

    assert ledger.state.files.written["/home/dev/shop/src/new.py"].writes == 0


def test_a_commit_that_takes_its_time_is_known_once_it_has_ended() -> None:
    begun = done("exec_command", {"cmd": "git commit -m 'Sum'"}, "Process running with session ID 7\nOutput:\n")
    ended = done("write_stdin", {"session_id": 7}, "Process exited with code 0\nOutput:\n[main 1234567] Sum\n")

    assert folded(begun).state.commits.made == {}
    assert [one.sha for one in folded(begun, ended).state.commits.made.values()] == ["1234567"]


def test_a_commit_seen_first_without_its_hash_stands_once() -> None:
    quiet, printed = ran("git commit -q -m 'Sum'"), ran("git commit -m 'Sum'", "[main 1234567] Sum")

    assert [one.sha for one in folded(quiet, printed).state.commits.made.values()] == ["1234567"]
    assert [one.sha for one in folded(printed, quiet).state.commits.made.values()] == ["1234567"]
    assert len(folded(quiet, ran("git commit -q -m 'Tax'")).state.commits.made) == 2


def test_the_same_subject_long_after_is_another_commit() -> None:
    printed = ran("git commit -m 'Sum'", "[main 1234567] Sum")
    later = [one for n in range(30) for one in ran(f"ls {n}")]

    assert len(folded(printed, later, ran("git commit -q -m 'Sum'")).state.commits.made) == 2


def test_the_same_hash_printed_again_is_the_same_commit() -> None:
    again = ran("git commit -m x; git log", "[main 1a2b3c4] Tax\n[main 1a2b3c4] Other words")

    assert [(one.sha, one.subject) for one in made(folded(*again))] == [("1a2b3c4", "Tax")]


def test_a_log_shows_as_many_commits_as_were_made() -> None:
    two = ran("git commit -qm A && git commit -qm B; git log --oneline", "2b2b2b2 B\n1a1a1a1 A\n0c0c0c0 Old")

    assert {one.sha for one in made(folded(*two))} == {"2b2b2b2", "1a1a1a1"}


def test_a_log_of_known_commits_tells_of_no_new_one() -> None:
    ledger = folded(
        *ran("git commit -m A", "[main 1a1a1a1] A"), *ran("git commit -qm 'B'; git log --oneline -1", "1a1a1a1 A")
    )

    assert [(one.sha, one.subject) for one in made(ledger)] == [("1a1a1a1", "A"), ("", "B")]


@pytest.mark.parametrize("output", ["fatal: no lock", "error: pathspec x", "no changes added to commit"])
def test_a_commit_that_git_refused_was_not_made(output: str) -> None:
    assert made(folded(*ran("git commit -qm x || true", output))) == []


def test_a_commit_that_amends_what_nobody_saw_replaces_nothing() -> None:
    (one,) = made(folded(*ran("git commit --amend -m Tax", "[main 2b3c4d5] Tax")))

    assert (one.sha, one.replaced) == ("2b3c4d5", "")


def test_amending_again_and_again_remembers_the_latest_hashes() -> None:
    hashes = [f"{number:07x}" for number in range(10, 22)]
    steps = [ran(f"git commit --amend -m {sha}", f"[main {sha}] x{sha}") for sha in hashes]
    (one,) = made(folded(*(part for step in steps for part in step)))

    assert one.sha == hashes[-1]
    assert one.replaced.split() == hashes[-9:-1]


def test_a_subject_is_told_on_one_line_and_shortened() -> None:
    (one,) = made(folded(*ran("git commit -m x", "[main 1a2b3c4] " + "Add   the tax " * 20)))

    assert one.subject.startswith("Add the tax Add")
    assert len(one.subject) <= 120


@pytest.mark.parametrize(
    ("output", "branch"),
    [
        ("Switched to branch 'main'\nSwitched to a new branch 'fix'", "fix"),
        ("Switched to branch 'main'\n[fix 1a2b3c4] x", "fix"),
        ("[detached HEAD 1a2b3c4] x", ""),
        ("Switched to branch 'a b'", ""),
        ("On branch main", ""),
    ],
)
def test_the_branch_git_named_last_counts(output: str, branch: str) -> None:
    assert branch_in(output, runs_in("git switch fix")) == branch


@pytest.mark.parametrize(
    ("command", "subjects"),
    [
        ("git commit -m 'A' && git -C web commit -m 'B'", ["A", "B"]),
        ("git commit --message='A b'", ["A b"]),
        ("git commit -sm 'A'", ["A"]),
        ("git add . && git commit -m 'A'; git commit --no-edit", ["A", ""]),
        ("git log --grep commit", []),
        ("echo git commit -m 'A'", ["A"]),
        ("git commit -m 'A\\nB'", ["A"]),
        ("git commit -mA", ["A"]),
        ("bash -c 'git commit -m A'", ["A"]),
        ("git commit -m $A", [""]),
        ("git commit -m A\\ B", [""]),
        ("git commit -m --amend", [""]),
    ],
)
def test_each_commit_of_a_command_has_its_subject_or_none(command: str, subjects: list[str]) -> None:
    assert subjects_in(command) == subjects


@pytest.mark.parametrize(
    ("command", "links"),
    [("gh pr create", 2), ("glab mr create -f", 2), ("gh pr view", 0), ("gh pr list && gh pr create", 2)],
)
def test_pull_requests_are_those_that_a_creation_prints(command: str, links: int) -> None:
    output = "\n".join(f"https://git.example/a/b/{kind}/7" for kind in ("pull", "merge_requests", "issues"))

    assert len(folded(*ran(command, output)).state.commits.links) == links


def test_the_first_label_of_a_link_stays() -> None:
    ledger = folded(entry("", Link("https://x.example/1", "PR 1")), entry("", Link("https://x.example/1", "other")))

    assert ledger.state.commits.links == {"https://x.example/1": "PR 1"}


def test_the_newest_commit_is_that_of_the_latest_event() -> None:
    assert folded().state.commits.last == -1
    ledger = folded(*ran("git commit -m x", "[main 1a2b3c4] x"), *ran("git commit -m y", "[main 2b3c4d5] y"))
    assert ledger.state.commits.last == made(ledger)[-1].index


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (" rename {a => b}/one.py (97%)", [("created", "b/one.py", "a/one.py")]),
        (" rename src/{ => sub}/one.py (97%)", [("created", "src/sub/one.py", "src/one.py")]),
        (" rename src/{one.py => two.py} (50%)", [("created", "src/two.py", "src/one.py")]),
        (" mode change 100644 => 100755 run.sh", []),
        ("create mode 100644 not indented", []),
        (" create mode 100644 with blank.py", [("created", "with blank.py", "")]),
    ],
)
def test_a_rename_is_read_with_both_its_paths(line: str, found: list[tuple[str, str, str]]) -> None:
    assert whole_files(line) == found


SCRIPT = "[main (root-commit) 2c2202f] Begin\n 1 file changed\n[main 98fac2b] Add numbers"


def test_what_a_script_commits_elsewhere_is_no_commit_of_the_session() -> None:
    for branch in ("topic", "main"):
        where = folded(place(branch=branch), *ran("./try-it.sh --keep", SCRIPT)).state.commits

        assert (list(where.made), where.branch) == ([], branch)


def test_a_script_may_commit_on_the_branch_the_harness_told() -> None:
    assert [one.sha for one in made(folded(place(), *ran("make release", "[main 98fac2b] Release 2")))] == ["98fac2b"]


def test_to_look_for_a_commit_makes_none() -> None:
    assert made(folded(place(), *ran("grep -rn 'git commit -m \"Add tax\"' docs", "docs/a.md: git commit"))) == []
    assert len(made(folded(place(), *ran("ls; git commit -qm 'Add tax'", "a.py")))) == 1


def test_the_branch_the_harness_told_counts_before_that_of_a_switch() -> None:
    switch, script = ran("git switch -c fix", "Switched to a new branch 'fix'"), ran("./save.sh", "[fix 98fac2b] Tax")

    assert made(folded(place(branch="main"), *switch, *script)) == []


def test_without_a_branch_of_the_harness_that_of_the_last_switch_counts() -> None:
    switch, script = ran("git switch -c fix", "Switched to a new branch 'fix'"), ran("./save.sh", "[fix 98fac2b] Tax")

    assert made(folded(*script)) == []
    assert [one.sha for one in made(folded(*switch, *script))] == ["98fac2b"]


def test_a_commit_is_seen_however_deep_in_a_command_it_stands() -> None:
    command = (
        "git stash\n" + "echo going on\n" * 60 + "GIT_EDITOR=true git -c core.x=1 rebase --continue 2>&1 | tail -3"
    )

    assert [one.sha for one in made(folded(place(branch="topic"), *ran(command, "[detached HEAD 98fac2b] Tax")))] == [
        "98fac2b"
    ]


def test_a_script_that_is_only_written_commits_nothing() -> None:
    command = "cat > try.sh <<'EOF'\ngit commit -qm 'Begin'\nEOF\nbash try.sh"

    assert made(folded(place(), *ran(command, "done"))) == []


@pytest.mark.parametrize("start", ["cd /tmp/try", 'T=$(mktemp -d); cd "$T"'])
def test_a_repository_made_for_a_while_is_not_that_of_the_session(start: str) -> None:
    where = folded(place(), *ran(f"{start} && git init -b other && git commit -qm Begin", SCRIPT)).state.commits

    assert (list(where.made), where.branch) == ([], "main")


TAX = ran("git commit -m 'Add tax to it'", "[main 1a2b3c4] Add tax to it")
CART = ran("git commit -m 'Add the cart too'", "[main 2b3c4d5] Add the cart too")


def test_a_log_that_shows_a_commit_under_another_hash_tells_of_a_rewritten_one() -> None:
    log = ran(
        "git rebase x; git log --oneline -3", "9f8e7d6 (HEAD -> main) Add the cart too\n8f7e6d5 Add tax to it\n0 x"
    )

    assert [(one.sha, one.replaced) for one in made(folded(place(), TAX, CART, log))] == [
        ("8f7e6d5", "1a2b3c4"),
        ("9f8e7d6", "2b3c4d5"),
    ]


def test_a_rewritten_commit_is_no_other_when_git_prints_it_again() -> None:
    log = ran("git log --oneline", "9f8e7d6 Add tax to it")
    ledger = folded(place(), TAX, log, *ran("git cherry-pick x", "[main 9f8e7d6] Add tax to it"))

    assert list(ledger.state.commits.made) == ["9f8e7d6"]


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("git log --oneline topic", "9f8e7d6 Add tax to it"),
        ("git log --oneline --all", "9f8e7d6 Add tax to it"),
        ("git log --oneline", "9f8e7d6 Add tax to it\n1a2b3c4 Add tax to it"),
        ("git log --oneline", "9f8e7d6 Add tax to it\n8f7e6d5 Add tax to it"),
        ("git log --oneline", "1a2b3c4 Add tax to it\n9f8e7d6 Add tax to all"),
        ("cat log.txt", "9f8e7d6 Add tax to it"),
    ],
)
def test_a_log_that_may_show_another_commit_rewrites_none(command: str, output: str) -> None:
    assert [(one.sha, one.replaced) for one in made(folded(place(), TAX, *ran(command, output)))] == [("1a2b3c4", "")]


def test_a_subject_that_says_little_may_be_that_of_another_commit() -> None:
    few = ran("git commit -m wip", "[main 1a2b3c4] wip"), ran("git log --oneline", "9f8e7d6 wip")

    assert [one.sha for one in made(folded(place(), *few))] == ["1a2b3c4"]


def test_a_commit_without_a_hash_finds_it_in_a_later_log() -> None:
    quiet = ran("git commit -qm 'Add tax to it'", ""), ran("git log --oneline main", "9f8e7d6 Add tax to it")

    assert [(one.sha, one.replaced) for one in made(folded(place(), *quiet))] == [("9f8e7d6", "")]


SUM = ran("git commit -m Sum", "[main 3c4d5e6] Sum")


@pytest.mark.parametrize(
    ("command", "output", "gone"),
    [
        ("git log --oneline --decorate -5", "3c4d5e6 (HEAD -> main) Sum\n7777777 Cart\n1a2b3c4 Add tax to it", True),
        ("git log --oneline", "3c4d5e6 Sum\n2b3c4d5 Add the cart too\n1a2b3c4 Add tax to it", False),
        ("git log --oneline -1", "3c4d5e6 Sum", False),
        ("git log --oneline -- src", "3c4d5e6 Sum\n1a2b3c4 Add tax to it", False),
        ("git log --oneline --grep Sum", "3c4d5e6 Sum\n1a2b3c4 Add tax to it", False),
        ("git log --oneline | grep -v x", "3c4d5e6 Sum\n1a2b3c4 Add tax to it", False),
        ("git log --oneline", "3c4d5e6 Sum\n[… 3 lines …]\n1a2b3c4 Add tax to it", False),
        ("git log --oneline; git log --oneline -1", "3c4d5e6 Sum\n1a2b3c4 Add tax to it", False),
    ],
)
def test_a_commit_that_a_whole_log_does_not_show_is_gone(command: str, output: str, gone: bool) -> None:
    ledger = folded(place(), TAX, CART, SUM, *ran(command, output))

    assert [one.sha for one in made(ledger) if one.gone] == ["2b3c4d5"] * gone


def test_a_commit_that_a_later_log_shows_is_there_again() -> None:
    without = ran("git log --oneline", "3c4d5e6 Sum\n1a2b3c4 Add tax to it")
    whole = ran("git log --oneline", "3c4d5e6 Sum\n2b3c4d5 Add the cart too\n1a2b3c4 Add tax to it")

    assert not any(one.gone for one in made(folded(place(), TAX, CART, SUM, without, whole)))
