"""Commits that git does not announce, amended ones, branches, whole files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memcli.ledger.commits import Commit, subjects_in, whole_files
from tests.ledger.builders import done, edited, folded, place, ran, wrote

if TYPE_CHECKING:
    from memcli.ledger.ledger import Ledger


def made(ledger: Ledger) -> list[Commit]:
    return list(ledger.state.commits.made.values())


def test_a_quiet_commit_is_known_by_the_log_behind_it() -> None:
    ledger = folded(*ran("git commit -qm 'Add tax' && git log --oneline -2", "1a2b3c4 Add tax\n99999ab Before"))

    assert [(one.sha, one.subject) for one in made(ledger)] == [("1a2b3c4", "Add tax")]


def test_a_quiet_commit_without_a_log_is_known_by_its_subject() -> None:
    assert [(one.sha, one.subject) for one in made(folded(*ran("git commit -q -m 'Add tax'", "")))] == [("", "Add tax")]


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
