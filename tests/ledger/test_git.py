"""Which git commands a command line runs."""

from __future__ import annotations

import pytest

from memcli.ledger.git import MAX_RUNS, runs_in


@pytest.mark.parametrize(
    ("command", "runs"),
    [
        ("git add -A && git commit -m 'Tax' 2>&1 | tail -3", [("commit", "", "")]),
        ("cd web && git -C ../api --no-pager log --oneline -5", [("log", "web/../api", "")]),
        ("git log -n 5 topic", [("log", "", "topic")]),
        ("git log main..HEAD -- src && git log main..topic", [("log", "", ""), ("log", "", "topic")]),
        ("git log --oneline --all; git reflog", []),
        ("git status --short && git status", [("status", "", "short"), ("status", "", "")]),
        ("git status --short src; git status -s | head -3; git status -uno", []),
        ('if [ -z "$(git status --porcelain)" ]; then echo clean; fi', []),
        ("bash -c 'git pull' && gh pr checkout 7", [("pull", "", ""), ("checkout", "", "")]),
        ("echo digit checkout", []),
        ("git show HEAD", []),
        ("cat > a.sh <<E\ngit commit\nE\ngit merge x", [("merge", "", "")]),
        ("bash <<'E'\ngit merge x\nE", [("merge", "", "")]),
        ("git clone x /tmp/a && cd /tmp/a && git commit -m x", []),
        ("cd /tmp/a && git commit -m x", [("commit", "/tmp/a", "")]),
    ],
)
def test_git_is_found_in_a_command(command: str, runs: list[tuple[str, str, str]]) -> None:
    assert [(run.verb, run.where, run.what) for run in runs_in(command)] == runs


def test_of_many_commands_the_last_are_known() -> None:
    assert [run.verb for run in runs_in("git commit\n" + "git log\n" * MAX_RUNS)] == ["log"] * MAX_RUNS
