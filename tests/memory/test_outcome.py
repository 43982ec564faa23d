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


def test_a_session_without_commit_says_so() -> None:
    assert "nothing was committed in this session; only in the working tree: a_one.py" in active(
        *edited("/home/dev/shop/a_one.py")
    )


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


def test_an_amended_commit_names_the_one_it_replaced() -> None:
    said = completed(*COMMIT, *ran("git commit --amend -m Taxes", "[main 2b3c4d5] Taxes"))

    assert '2b3c4d5 — output: "Taxes", amended (before: 1a2b3c4)' in said


def test_a_commit_without_a_hash_is_told_in_the_agents_words() -> None:
    assert 'hash not printed — agent: "Add tax"' in completed(*ran("git commit -qm 'Add tax'", ""))
