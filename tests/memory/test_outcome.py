"""What of the work is safe, and what the world has seen."""

from __future__ import annotations

from memcli.memory import sections
from tests.ledger.builders import edited, place, ran, user
from tests.memory.test_render import text

COMMIT = ran("git commit -m Tax", "[main 1a2b3c4] Tax")


def active(*entries: object) -> str:
    return text(sections.ACTIVE_WORK, place(), user("add the tax"), *entries)  # type: ignore[arg-type]


def completed(*entries: object) -> str:
    return text(sections.COMPLETED, place(), user("add the tax"), *entries)  # type: ignore[arg-type]


def test_files_changed_after_the_newest_commit_are_said_not_to_be_committed() -> None:
    said = active(*edited("/home/dev/shop/a_one.py"), *COMMIT, *edited("/home/dev/shop/b_two.py"))

    assert "- only in the working tree, not committed since 1a2b3c4: b_two.py" in said


def test_a_session_without_commit_says_that_the_agent_made_none() -> None:
    assert "- the agent made no commit, whether the user did is not known; changed: a_one.py" in active(
        *edited("/home/dev/shop/a_one.py")
    )


def test_what_git_was_asked_about_is_known() -> None:
    both = (*edited("/home/dev/shop/a_one.py"), *edited("/home/dev/shop/b_two.py"))

    assert "- not committed when git was asked last, or changed since: b_two.py\n" in active(
        *both, *ran("git status --short", " M b_two.py")
    )
    assert "- git showed no change left without a commit\n" in active(*both, *ran("git status -s", ""))


def test_what_was_taken_back_is_told_and_waits_for_no_commit() -> None:
    said = active(*COMMIT, *edited("/home/dev/shop/a_one.py"), *ran("git checkout -- ."))

    assert "- changes since then taken back with git: a_one.py" in said
    assert "only in the working tree" not in said


def test_what_was_not_taken_back_is_in_the_commit() -> None:
    both = (*edited("/home/dev/shop/a_one.py"), *edited("/home/dev/shop/b_two.py"), *COMMIT)

    assert "- every other change is in 1a2b3c4\n- changes since then taken back with git: a_one.py" in active(
        *both, *edited("/home/dev/shop/a_one.py"), *ran("git checkout -- a_one.py")
    )


def test_what_was_put_aside_is_told() -> None:
    stash = (*COMMIT, *edited("/home/dev/shop/a_one.py"), *ran("git stash"))

    assert "- put aside with `git stash`: a_one.py" in active(*stash)
    assert "- every other change is in 2b3c4d5\n- put aside with `git stash`: a_one.py" in active(
        *stash, *edited("/home/dev/shop/b_two.py"), *ran("git commit -m Two", "[main 2b3c4d5] Two")
    )
    assert "- changes since then taken back with git: a_one.py" in active(*stash, *ran("git stash drop"))
    assert "put aside" not in active(*stash, *ran("git stash pop"))


def test_what_was_taken_back_before_the_newest_commit_is_past() -> None:
    said = active(*edited("/home/dev/shop/a_one.py"), *ran("git checkout -- ."), *COMMIT)

    assert "every known change is in 1a2b3c4" in said
    assert "taken back" not in said


def test_when_all_is_committed_that_is_said() -> None:
    assert "every known change is in 1a2b3c4" in active(*edited("/home/dev/shop/a_one.py"), *COMMIT)


def test_files_outside_the_project_are_nobodys_commit() -> None:
    assert "committed" not in active(*edited("/tmp/scratch_pad.py"))


def test_more_files_than_fit_are_said_to_be_more() -> None:
    many = [one for n in range(200) for one in edited(f"/home/dev/shop/module_number_{n}.py")]

    assert ", and others" in active(*many)


def test_a_deed_outside_stands_with_its_turn_and_address() -> None:
    said = completed(*ran("gh pr create --fill", "https://example.org/a/b/pull/7"))

    assert '- [t1] `gh pr create --fill` — output: "https://example.org/a/b/pull/7"' in said


def test_a_deed_done_again_is_told_once_with_how_often() -> None:
    opened, pushed = ran("gh pr create --fill", ""), ran("git push", "")
    said = completed(*opened, *pushed, *pushed)

    assert "`gh pr create --fill`\n" in said
    assert "`git push`, 2 times" in said


def test_a_rewritten_commit_names_the_one_it_replaced() -> None:
    said = completed(*COMMIT, *ran("git commit --amend -m Taxes", "[main 2b3c4d5] Taxes"))

    assert '2b3c4d5 — output: "Taxes", rewritten (before: 1a2b3c4)' in said


def test_a_commit_without_a_hash_is_told_in_the_agents_words() -> None:
    assert 'hash not printed — agent: "Add tax"' in completed(*ran("git commit -qm 'Add tax'", ""))


def test_a_commit_that_a_later_log_does_not_show_is_told_so() -> None:
    three = [
        ran(f"git commit -m {name}", f"[main {number}a2b3c4] {name}") for number, name in enumerate(("A", "B", "C"))
    ]
    said = completed(*(one for step in three for one in step), *ran("git log --oneline", "2a2b3c4 C\n0a2b3c4 A"))

    assert '1a2b3c4 — output: "B", not in the log printed later\n' in said
    assert said.count("not in the log") == 1


def test_of_commits_without_room_the_hashes_stand_before_the_newest_ones() -> None:
    many = [one for n in range(70) for one in ran(f"git commit -m {n}", f"[main {n:07x}] Sum of the cart number {n}")]
    said = completed(*many)

    assert "Commits:\n- earlier: 0000000, 0000001, 0000002, " in said
    assert all(f"{n:07x}" in said for n in range(70))
