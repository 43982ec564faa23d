"""Deeds that others see."""

from __future__ import annotations

import pytest

from memcli.ledger.outward import Outward, deeds_in
from tests.ledger.builders import done, folded, ran


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


def test_a_text_that_is_handed_over_is_passed_by_and_what_stands_beside_its_mark_is_not() -> None:
    assert deeds_in("gh pr comment 3 -F - <<E\ngit push\nE\ngit push") == ["gh pr comment 3 -F -", "git push"]
    assert deeds_in("cat <<'E' | gh pr comment 3 -F -\nnpm publish\nE") == ["gh pr comment 3 -F -"]


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


@pytest.mark.parametrize(
    "command",
    [
        "CI=1 git push",
        "sudo docker push shop/till",
        "if make; then git push; fi",
        "(cd web; npm publish)",
        "git commit -m x\ngit push",
        "terraform apply -auto-approve",
        "kubectl rollout restart deploy/till",
        "gh release create v1 --notes x",
        "gh api --method DELETE repos/a/b/labels/x",
        "curl --request PUT https://x.example/a",
    ],
)
def test_a_deed_counts_wherever_a_command_may_stand(command: str) -> None:
    assert len(deeds_in(command)) == 1


@pytest.mark.parametrize(
    "command",
    [
        "gh release list",
        "gh api -X GET repos/a/b -f x=1",
        "docker pull shop/till",
        "kubectl get pods",
        "curl https://x.example/a",
        "curl -X POST http://127.0.0.1:1/a",
        "npm publish --dry-run",
        "git push --help",
        "git commit -m 'git push'",
    ],
)
def test_reading_trying_and_local_servers_do_not(command: str) -> None:
    assert deeds_in(command) == []


def test_a_deed_typed_twice_in_one_command_is_one_and_few_are_told() -> None:
    assert deeds_in("git push; git push") == ["git push"]
    assert len(deeds_in("; ".join(f"git push origin branch_{letter}" for letter in "abcdefghij"))) == 6


def test_a_long_deed_is_clipped() -> None:
    (deed,) = deeds_in("gh pr create --body " + "word " * 200)

    assert deed.endswith("[…]")
    assert len(deed) <= 160


def happened(*outputs: str) -> tuple[str, int]:
    outward = Outward()
    for index, output in enumerate(outputs):
        outward.happened(["gh pr create"], output, index)
    (done,) = outward.done.values()
    return done.url, done.times


@pytest.mark.parametrize(
    ("outputs", "url"),
    [
        (["https://x.example/1 and https://x.example/2."], "https://x.example/2"),
        (["https://x.example/1", "done"], "https://x.example/1"),
        (["https://x.example/1", "https://x.example/2"], "https://x.example/2"),
        (["done"], ""),
    ],
)
def test_the_last_address_that_was_printed_stays(outputs: list[str], url: str) -> None:
    assert happened(*outputs) == (url, len(outputs))


@pytest.mark.parametrize("output", ["error: failed to push", "fatal: no remote", "remote: error: hook", "HTTP 422"])
def test_a_deed_that_was_refused_did_not_happen(output: str) -> None:
    outward = Outward()
    outward.happened(["git push"], output, 1)

    assert outward.done == {}


def test_the_oldest_deeds_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memcli.ledger.outward.MAX_DEEDS", 2)
    outward = Outward()
    for index, name in enumerate(["a", "b", "a", "c"]):
        outward.happened([f"git push {name}"], "", index)

    assert list(outward.done) == ["git push a", "git push c"]


def test_a_deed_that_takes_its_time_is_done_when_it_has_ended_only() -> None:
    running = done("exec_command", {"cmd": "git push"}, "Process running with session ID 7")

    assert folded(*running).state.outward.done == {}
