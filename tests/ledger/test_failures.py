"""What failed, what became of it, and what is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memcli.ledger import failures
from tests.ledger.builders import agent, call, done, edited, folded, ran, result, user

if TYPE_CHECKING:
    from memcli.ledger.failures import Failure
    from memcli.transcript.entries import Entry

FAILS = "--- FAIL: TestSum (0.00s)\ncart_test.go:9: expected 3 items, got 2 in the cart"
BROKEN = "Exit code 2\nsrc/a.c:3:1: error: expected ';' before the closing brace\nmake: *** [all] Error 1"


def opened(*entries: Entry | list[Entry]) -> list[Failure]:
    return folded(*entries).state.work.failures.open


def fixed(*entries: Entry | list[Entry]) -> list[Failure]:
    return folded(*entries).state.work.failures.fixed


def test_a_failure_is_open_until_its_command_succeeds() -> None:
    assert [one.what for one in opened(ran("make", BROKEN, failed=True))] == ["make"]
    assert opened(ran("make", BROKEN, failed=True), ran("make 2>&1 | tail -3")) == []


def test_another_command_fixes_nothing() -> None:
    assert len(opened(ran("make", BROKEN, failed=True), ran("make clean"))) == 1


def test_a_fixed_failure_remembers_what_was_done() -> None:
    (one,) = fixed(ran("make", BROKEN, failed=True), agent("Adding the missing semicolon:"), ran("make"))

    assert one.cure == "Adding the missing semicolon"


def test_failing_again_opens_it_anew_and_counts() -> None:
    (one,) = opened(ran("make", BROKEN, failed=True), ran("make"), ran("make", BROKEN, failed=True))

    assert one.count == 2


def test_an_edit_that_succeeds_fixes_the_failed_edit() -> None:
    assert opened(edited("a.py", text="the disk is full: cannot write", is_error=True), edited("a.py")) == []


@pytest.mark.parametrize(
    "output",
    [
        "File has not been read yet. Read it first",
        "String to replace not found in file.",
        "<tool_use_error>No such tool</tool_use_error>",
    ],
)
def test_slips_of_the_harness_are_no_failures(output: str) -> None:
    assert opened(edited("a.py", text=output, is_error=True)) == []


def test_a_look_up_without_a_find_is_no_failure() -> None:
    assert opened(ran("grep -rn nothing src", "Exit code 1: no match found here", failed=True)) == []


@pytest.mark.parametrize("command", ["cat src/a.c && make", "cat src/a.c\nmake"])
def test_what_fails_behind_a_look_up_is_a_failure(command: str) -> None:
    assert len(opened(ran(command, BROKEN, failed=True))) == 1


def test_a_refused_call_is_no_failure() -> None:
    assert opened(done("Bash", {"command": "make"}, "error: refused by the user", is_error=True, rejected=True)) == []


def test_a_program_in_the_background_fails_under_its_own_name() -> None:
    started = done("exec_command", {"cmd": "cargo test"}, "Process running with session ID 7")
    ended = done("write_stdin", {"session_id": 7}, "error: test failed in the cart module", is_error=True)

    assert [one.what for one in opened(started, ended)] == ["cargo test"]
    assert opened(started, ended, ran("cargo test")) == []


def test_starting_a_program_again_does_not_prove_it_works() -> None:
    running = done("exec_command", {"cmd": "cargo test"}, "Process running with session ID 7")

    assert len(opened(ran("cargo test", "error: it does not compile", failed=True), running)) == 1


def test_a_result_that_comes_before_its_call_counts_when_the_call_comes() -> None:
    late = [result("c-late", BROKEN, is_error=True), call("Bash", {"command": "make"}, "c-late")]

    assert [one.what for one in opened(late)] == ["make"]


def test_beyond_the_cap_fixed_failures_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MAX_FAILURES", 2)
    first, second, third = (ran(name, BROKEN, failed=True) for name in ("first", "second", "third"))
    all_of_them = [first, second, ran("second"), third]

    assert [one.what for one in opened(*all_of_them)] == ["third", "first"]
    assert fixed(*all_of_them) == []


WENT_ON = [[user(f"go on {turn}"), [ran(f"do {name}") for name in "abcdefghijklmnopqrst"]] for turn in range(3)]
NO_PAGE = "Request failed: error 404, the page was not found"


def left(*entries: Entry | list[Entry]) -> list[tuple[str, str]]:
    return [(one.what, one.instead) for one in folded(*entries).state.work.failures.left]


def test_what_failed_once_and_was_not_needed_for_two_turns_is_no_open_error() -> None:
    once = ran("curl https://shop.example/a", NO_PAGE, failed=True)

    assert left(user("look"), once, WENT_ON) == [("curl https://shop.example/a", "")]
    assert left(user("look"), once, WENT_ON[:1], user("next")) == []  # two turns, but too few calls
    assert left(user("look"), once, ran("curl https://shop.example/a", NO_PAGE, failed=True), WENT_ON) == []


@pytest.mark.parametrize("check", ["pytest tests/a.py", "make", "npm run lint", "mise run test:cart", "make <<E\ny\nE"])
def test_a_check_that_failed_stays_open_however_long_nobody_runs_it(check: str) -> None:
    assert left(user("test it"), ran(check, BROKEN, failed=True), WENT_ON) == []


def test_a_misspelt_check_is_forgotten_like_any_other_slip() -> None:
    slip = ran("cargo test a:: b::", "error: unexpected argument 'b::' found in the command", failed=True)

    assert left(user("test it"), slip, WENT_ON) == [("cargo test a:: b::", "")]


def test_the_first_program_of_a_pipe_that_works_alone_settles_the_pipe() -> None:
    pipe = ran("lint run --json ./... | python3 -c 'x'", "No version is set for command python3", failed=True)

    assert left(pipe, ran("lint run --timeout=9m ./...")) == [
        ("lint run --json ./... | python3 -c 'x'", "lint run --timeout=9m ./...")
    ]
    assert left(pipe, ran("lint format ./...")) == []


def test_other_operands_settle_nothing_and_other_options_do() -> None:
    failed = ran("gh view 7 --fields all", "error: the field all cannot be viewed here", failed=True)

    assert left(failed, ran("gh view")) == []
    assert left(failed, ran("gh view 7 --fields=some")) == []
    assert left(ran("rm a.lock", "rm: a.lock: No such file or directory", failed=True), ran("rm -f a.lock")) == [
        ("rm a.lock", "rm -f a.lock")
    ]


def test_a_check_run_with_other_options_is_not_the_same_check() -> None:
    assert left(ran("go test ./a -race", BROKEN, failed=True), ran("go test ./a")) == []


@pytest.mark.parametrize(
    ("failed", "worked"),
    [
        ("cargo test -p cart totals::", "cargo fmt && cargo test -p cart totals::"),
        ("cargo test -p cart totals::", "cargo test -p cart"),
        ("make site", "make clean && make site && ls site"),
    ],
)
def test_what_worked_as_one_of_several_commands_or_with_less_left_out_is_open_no_more(failed: str, worked: str) -> None:
    assert left(ran(failed, BROKEN, failed=True), ran(worked)) == [(failed, worked)]


@pytest.mark.parametrize(
    ("failed", "worked", "output"),
    [
        ("make site", "make clean || make site", "ok"),
        ("make site", "make clean; make site", "ok"),
        ("make site", "make clean && make site && make test 2>&1 | tail -3", FAILS),
        ("cargo test -p cart totals::", "cargo test -p cart prices::", "ok"),
        ("go test -run A ./cart", "go test -run A", "ok"),
        ("pytest a.py b.py", "pytest a.py", "ok"),
        ("pytest a.py --strict", "pytest", "ok"),
    ],
)
def test_what_may_not_have_run_or_left_out_more_proves_nothing(failed: str, worked: str, output: str) -> None:
    assert left(ran(failed, BROKEN, failed=True), ran(worked, output)) == []


@pytest.mark.parametrize(("before", "after"), [("", "sleep 3; "), ("sleep 3; ", ""), ("sleep 3 && ", "sleep 9; ")])
def test_a_probe_that_waited_and_worked_is_the_one_that_failed(before: str, after: str) -> None:
    probe = "curl -s http://localhost:8080/health"
    refused = ran(before + probe, "curl: (7) Failed to connect to localhost: Connection refused", failed=True)

    assert len(fixed(refused, ran(after + probe))) == 1
    assert len(opened(refused, ran(f"{after}curl -s http://localhost:8080/other"))) == 1


def test_what_was_left_opens_again_when_it_fails_again_and_is_fixed_when_it_works() -> None:
    before = [user("look"), ran("curl https://shop.example/a", NO_PAGE, failed=True), WENT_ON]

    assert len(opened(*before, ran("curl https://shop.example/a", NO_PAGE, failed=True))) == 1
    assert len(fixed(*before, ran("curl https://shop.example/a"))) == 1


@pytest.mark.parametrize(
    ("failed", "worked"),
    [
        ("go test ./cart", "go test ./..."),
        ("env GOCACHE=/c go test -run TestSum ./cart", "go test -race ./... 2>&1 | tail -20"),
        ("cargo test cart::sum", "cargo test"),
        ("pytest tests/test_cart.py -k total", "pytest -q"),
    ],
)
def test_a_check_that_passes_over_everything_fixes_its_parts(failed: str, worked: str) -> None:
    assert len(fixed(ran(failed, FAILS, failed=True), ran(worked))) == 1
    assert folded(ran(failed, FAILS, failed=True), ran(worked)).state.work.checks.names == []


@pytest.mark.parametrize(
    ("failed", "worked"),
    [
        ("go test ./cart", "go test -run TestOther ./..."),
        ("go test -race ./cart", "go test ./..."),
        ("go test ./cart", "go vet ./..."),
        ("make lint", "make"),
        ("npm run test:cart", "npm run"),
    ],
)
def test_a_check_of_other_or_fewer_things_fixes_nothing(failed: str, worked: str) -> None:
    assert len(opened(ran(failed, FAILS, failed=True), ran(worked))) == 1


def test_a_pipe_that_hides_a_failure_fixes_no_parts() -> None:
    hidden = ran("go test ./... 2>&1 | tail -5", "--- FAIL: TestOther (0.00s)\nFAIL")

    assert len(opened(ran("go test ./cart", FAILS, failed=True), hidden)) == 1


def test_a_pipe_that_hides_a_failure_fixes_nothing_and_clears_no_test_it_shows() -> None:
    failed, piped = ran("go test ./cart", FAILS, failed=True), ran("go test ./cart 2>&1 | tail -5", FAILS)

    assert len(opened(failed, piped)) == 1
    assert folded(piped).state.work.checks.names == ["TestSum"]
    assert opened(failed, piped, ran("go test ./cart 2>&1 | tail -5", "ok shop/cart")) == []
    assert folded(ran("gh run view 7 | grep FAIL", FAILS)).state.work.checks.names == []


def test_changes_that_git_took_in_later_leave_no_open_error_of_git() -> None:
    locked = ran("git commit -m 'Sum'", "fatal: Unable to create '.git/index.lock': File exists.", failed=True)

    assert opened(locked, ran("git add a.go && git commit -m 'Sum of all'", "[main 1234567] Sum of all")) == []
    assert len(opened(locked, ran("git add a.go"))) == 1


def test_what_the_agent_says_next_is_the_cause_and_silence_is_none() -> None:
    failed = ran("make", BROKEN, failed=True)

    (said,) = opened(failed, agent("The semicolon is missing in the first line."))
    (silent,) = opened(failed, ran("ls"), agent("The semicolon is missing in the first line."))
    assert (said.cause, silent.cause) == ("The semicolon is missing in the first line.", "")


def test_one_cause_explains_all_failures_before_it() -> None:
    one, two = (call("Bash", {"command": name}, name) for name in ("make a", "make b"))
    failed = [one, two, *(result(name, BROKEN, is_error=True) for name in ("make a", "make b"))]

    assert {failure.cause for failure in opened(failed, agent("The compiler is not there at all."))} == {
        "The compiler is not there at all."
    }


def test_a_cause_outlives_later_silence() -> None:
    failed = ran("make", BROKEN, failed=True)
    (one,) = opened(failed, agent("The semicolon is missing there."), failed, ran("ls"))

    assert (one.cause, one.count) == ("The semicolon is missing there.", 2)


def test_other_outputs_of_one_command_are_other_failures_and_one_success_fixes_all() -> None:
    other = ran("make", "error: the disk of the shop is full", failed=True)
    both = [ran("make", BROKEN, failed=True), other]

    assert [one.lines[0][:10] for one in opened(*both)] == ["error: the", "src/a.c:3:"]
    assert len(fixed(*both, ran("make"))) == 2


def test_outputs_that_differ_in_figures_are_one_failure_told_as_seen_last() -> None:
    runs = [ran("make", f"error: {number} items are missing in the cart", failed=True) for number in (7, 19)]

    assert [(one.count, one.lines) for one in opened(*runs)] == [(2, ["error: 19 items are missing in the cart"])]


def test_the_failure_seen_last_is_told_first() -> None:
    first, second = (ran(name, BROKEN, failed=True) for name in ("make a", "make b"))

    assert [one.what for one in opened(first, second, first)] == ["make a", "make b"]


def test_beyond_the_cap_where_all_are_open_the_least_recent_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MAX_FAILURES", 2)

    assert [one.what for one in opened(*(ran(f"make {name}", BROKEN, failed=True) for name in "abc"))] == [
        "make c",
        "make b",
    ]


@pytest.mark.parametrize("calls", [18, 19])
def test_forty_calls_and_two_turns_must_have_gone_by(calls: int) -> None:
    once = ran("curl https://shop.example/a", NO_PAGE, failed=True)
    more = [[ran(f"do {turn} {number}") for number in range(calls)] for turn in "ab"]

    assert len(left(user("look"), once, more[0], user("on"), more[1], ran("a"), ran("b"), user("on"))) == (calls > 18)


def test_a_failure_to_commit_is_settled_by_the_commit_not_by_the_add() -> None:
    locked = ran("git add a && git commit -m 'Sum'", "fatal: Unable to create '.git/index.lock': exists", failed=True)

    assert len(opened(locked, ran("git commit -m 'Sum'"))) == 1
    assert opened(locked, ran("git add b; git commit -m 'All'")) == []


LIST = ran("make cart && make till 2>&1", BROKEN, failed=True)


def test_a_list_that_failed_is_settled_once_each_of_its_commands_worked() -> None:
    mended = [ran("make fmt && make till 2>&1 | tail -3", "0 issues."), ran("cd shop && make cart")]

    assert left(LIST, mended) == [("make cart && make till 2>&1", "cd shop && make cart")]
    assert left(LIST, mended[0]) == left(LIST, mended[1]) == []


def test_commands_that_worked_before_the_list_failed_again_prove_nothing() -> None:
    assert left(LIST, ran("make cart"), LIST, ran("make till")) == []


STOPPED = "error: could not apply a4f7a52... sum of the cart\nhint: Resolve all conflicts manually"


@pytest.mark.parametrize(
    ("failed", "worked", "output"),
    [
        ("git rebase main", "git add a.py && git rebase --continue", "Successfully rebased and updated refs/heads/a."),
        ("git rebase main", "git rebase --abort", ""),
        ("git pull origin main", "git -C shop rebase --skip", ""),
        ("git rebase main", "git rebase other", "Successfully rebased and updated refs/heads/a."),
        ("git cherry-pick a4f7a52", "git cherry-pick --skip", ""),
        ("git merge topic", "git commit --no-edit", "[main 1a2b3c4] Merge branch 'topic'"),
    ],
)
def test_what_git_went_on_with_is_open_no_more(failed: str, worked: str, output: str) -> None:
    assert left(user("go"), ran(failed, STOPPED, failed=True), ran(worked, output)) == [(failed, worked)]


@pytest.mark.parametrize(
    ("worked", "output"),
    [
        ("git rebase --continue | tail -2", STOPPED),
        ("git merge --continue", ""),
        ("git commit -m x", "[main 1a2b3c4] x"),
        ("git rebase --show-current-patch", ""),
    ],
)
def test_a_rebase_that_still_stands_is_open(worked: str, output: str) -> None:
    assert left(ran("git rebase main", STOPPED, failed=True), ran(worked, output)) == []


@pytest.mark.parametrize(
    ("typed", "output"),
    [
        ("rm -rf $dir/*", "(eval):1: permission denied: the shop"),
        ("unzip shop-main/*", "(eval):1: no matches found: shop-main/*"),
        ("python shop.py", "bash: line 1: python: command not found"),
        ("pytst tests", "pytst: command not found in this shell"),
        ("env EDITOR='x y' git rebase -i", "env: y: No such file or directory"),
        ("python3 - <<'E' import test check E", "Traceback: the module shop was not found"),
        ("npx tsx -e 'import shop'", "Error: Cannot find module './shop.js'"),
    ],
)
def test_slips_and_probes_have_been_left_when_the_next_turn_begins(typed: str, output: str) -> None:
    slip = ran(typed, output, failed=True)

    assert left(user("go"), slip) == []
    assert [what for what, _ in left(user("go"), slip, user("on"))] == [typed]


def test_what_is_missing_deep_in_a_check_is_no_slip() -> None:
    warnings = "".join(
        f"WARN the {name} found no key: error\n" for name in ("till", "cart", "bill", "shop", "mill", "key")
    )
    missing = f"{warnings}run.sh: line 314: parallel: command not found"
    (one,) = opened(user("go"), ran("make test", missing, failed=True), user("on"))

    assert one.lines[0] == "run.sh: line 314: parallel: command not found"


def test_a_page_that_cannot_be_read_is_left_when_the_next_turn_begins() -> None:
    page = done("WebFetch", {"url": "https://shop.example/a"}, NO_PAGE, is_error=True)

    assert len(opened(user("look"), page)) == 1
    assert opened(user("look"), page, user("on")) == []


@pytest.mark.parametrize(
    ("failed", "worked", "settled"),
    [
        ("shop probe --fast a/b.json", "shop probe --stats a/b.json", True),
        ("shop probe --fast a/b.json", "shop probe --stats a/c.json", False),
        ("shop probe --fast a/b.json", "shop send --stats a/b.json", False),
        ("shop test --fast a/b.json", "shop test --stats a/b.json", False),
        ("shop -C x probe a/b.json", "shop -C x send a/b.json", False),
    ],
)
def test_the_same_done_to_the_same_with_other_options_went_around_it(failed: str, worked: str, settled: bool) -> None:
    assert bool(left(ran(failed, NO_PAGE, failed=True), ran(worked))) is settled


def test_a_commit_settles_what_could_not_be_staged() -> None:
    ignored = ran("git add a b", "hint: The following paths are ignored, nothing failed", failed=True)

    assert left(ignored, ran("git commit -m 'Sum'", "[main 1234567] Sum")) == [("git add a b", "git commit -m 'Sum'")]
