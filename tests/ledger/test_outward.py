"""Deeds that others see."""

from __future__ import annotations

import pytest

from memcli.ledger.outward import Outward, deeds_in
from tests.ledger.builders import folded, ran


@pytest.mark.parametrize(
    "command",
    [
        "git push -u origin main",
        "git -C sub push",
        "gh pr create --fill",
        "gh issue comment 12 --body done",
        "glab mr merge 3",
        "gh api -X POST repos/a/b/issues",
        "gh api repos/a/b/issues -f title=x",
        "gh api graphql -f query='mutation { add }'",
        "npm publish",
        "twine upload dist/one.whl",
        "curl -X POST https://hooks.example.org/run",
    ],
)
def test_a_command_that_changes_something_outside_counts(command: str) -> None:
    assert deeds_in(command) == [command]


@pytest.mark.parametrize(
    "command",
    [
        "git pull",
        "git push --dry-run",
        "gh pr view 3",
        "gh api repos/a/b",
        "gh api graphql -f query='query { x }'",
        "echo git push",
        "grep 'npm publish' README.md",
        "curl -X POST http://localhost:80/run",
        "cat <<EOF > notes.md\ngit push\nEOF",
    ],
)
def test_looking_and_talking_does_not(command: str) -> None:
    assert deeds_in(command) == []


def test_each_deed_of_a_list_is_told_without_the_rest() -> None:
    assert deeds_in("git add . && git push && gh pr create --fill 2>&1 | tail -3") == [
        "git push",
        "gh pr create --fill",
    ]


def test_the_printed_address_belongs_to_the_deed() -> None:
    outward = Outward()
    outward.happened(["gh pr comment 3"], "see https://example.org/a/b/pull/3#comment-1", 4)

    assert outward.done["gh pr comment 3"].url == "https://example.org/a/b/pull/3#comment-1"


def test_the_page_for_a_pull_request_that_could_be_made_is_no_address() -> None:
    outward = Outward()
    outward.happened(["git push"], "remote: https://example.org/a/b/pull/new/topic\nTo https://example.org/a/b.git", 4)

    assert outward.done["git push"].url == ""


def test_a_refused_push_did_not_happen_though_its_pipe_succeeded() -> None:
    ledger = folded(*ran("git push | tail -2", " ! [rejected] main -> main (fetch first)"))

    assert ledger.state.outward.done == {}


def test_a_failed_command_did_nothing_outside() -> None:
    assert folded(*ran("gh pr create --fill", "HTTP error", failed=True)).state.outward.done == {}


def test_the_same_deed_again_is_counted() -> None:
    ledger = folded(*ran("git push"), *ran("ls"), *ran("git push"))

    assert ledger.state.outward.done["git push"].times == 2
