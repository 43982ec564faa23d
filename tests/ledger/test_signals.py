"""Commits, checks, actions, narrative: what each remembers."""

from __future__ import annotations

import pytest

from memcli.ledger import actions, checks, commits, narrative, rounds
from memcli.transcript.entries import Entry, Link, TurnEnd
from tests.ledger.builders import agent, call, done, entry, folded, place, ran, result, user


def test_a_commit_is_what_git_prints_when_it_makes_one() -> None:
    made = folded(ran("git commit -m x", "[main 1a2b3c4d5e] Add the tax\n 1 file changed")).state.commits.made

    assert [(one.sha, one.subject, one.branch) for one in made.values()] == [("1a2b3c4", "Add the tax", "main")]


def test_the_first_commit_of_a_repository_counts() -> None:
    assert list(folded(ran("git commit -m x", "[main (root-commit) 1a2b3c4] Begin")).state.commits.made) == ["1a2b3c4"]


@pytest.mark.parametrize("output", ["1a2b3c4 Add the tax", " [main 1a2b3c4] indented", "[main] no hash"])
def test_a_mere_listing_is_no_commit(output: str) -> None:
    assert folded(ran("git log --oneline", output)).state.commits.made == {}


def test_what_only_a_file_says_is_no_commit() -> None:
    assert folded(done("Read", {"file_path": "a.log"}, "[main 1a2b3c4] Add")).state.commits.made == {}


def test_a_pull_request_is_known_from_its_creation_and_from_records() -> None:
    ledger = folded(
        ran("gh pr create --fill", "https://github.com/a/b/pull/7\n"),
        entry("", Link("https://github.com/a/b/pull/8", "PR 8")),
    )

    assert ledger.state.commits.links == {
        "https://github.com/a/b/pull/7": "opened",
        "https://github.com/a/b/pull/8": "PR 8",
    }


def test_the_first_directory_is_the_root_and_the_last_branch_counts() -> None:
    where = folded(place("/a", "main"), place("/a/b", ""), place("", "fix")).state.commits

    assert (where.root, where.cwd, where.branch) == ("/a", "/a/b", "fix")


def test_commits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MAX_COMMITS", 1)

    assert list(folded(ran("git commit", "[m 1111aaa] a"), ran("git commit", "[m 2222bbb] b")).state.commits.made) == [
        "2222bbb"
    ]


def failing(*entries: list[Entry]) -> list[str]:
    return folded(*entries).state.work.checks.names


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("--- FAIL: TestTotal (0.00s)", "TestTotal"),
        ("FAILED tests/a.py::test_total - assert 1", "tests/a.py::test_total"),
        ("tests/a.py::test_total FAILED [ 10%]", "tests/a.py::test_total"),
        ("test cart::total ... FAILED", "cart::total"),
        ("  ✕ adds the tax (5 ms)", "adds the tax"),
        ("not ok 3 - adds the tax", "adds the tax"),
    ],
)
def test_a_failing_test_is_known_by_its_name(output: str, name: str) -> None:
    assert failing(ran("run tests", output, failed=True)) == [name]


def test_a_step_that_shows_its_progress_is_one_check() -> None:
    output = "✗ style [ ] 0/2\n✗ style – 4 files – **/*.sh\n✗ style – ERROR\n✗ totals – sums of the cart"

    names = {"style", "style – 4 files – **/*.sh", "totals – sums of the cart"}

    assert set(failing(ran("lint", output, failed=True))) == names


def test_a_test_seen_passing_fails_no_more() -> None:
    assert failing(
        ran("go test", "--- FAIL: TestA\n--- FAIL: TestB", failed=True),
        ran("go test -v -run A", "--- PASS: TestA", failed=True),
    ) == ["TestB"]


def test_the_success_of_the_same_command_clears_its_tests() -> None:
    assert failing(ran("go test", "--- FAIL: TestA", failed=True), ran("go test", "ok")) == []


def test_failing_tests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MAX_CHECKS", 1)

    assert failing(ran("go test", "--- FAIL: TestA\n--- FAIL: TestB", failed=True)) == ["TestB"]


def test_the_same_command_is_one_action_with_a_count() -> None:
    done_twice = folded(
        ran("make test", why="Run the tests"), ran("make test", failed=True, output="error: it broke")
    ).state.actions.done

    (action,) = done_twice.values()
    assert (action.brief, action.why, action.runs, action.failures, action.ok) == (
        "make test",
        "Run the tests",
        2,
        1,
        False,
    )


def test_a_subagent_leaves_what_it_was_asked_and_what_it_said() -> None:
    prompt = "Find out where total_price is rounded in the shop."
    (action,) = folded(
        done(
            "Task",
            {"prompt": prompt, "description": "Find rounding"},
            "## Report\n- total_price is rounded too early inside src/cart.py\n- ok",
        )
    ).state.actions.done.values()

    assert (action.brief, action.said, action.report) == (
        "Find rounding",
        [prompt],
        ["total_price is rounded too early inside src/cart.py"],
    )


def test_actions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MAX_ACTIONS", 1)

    assert [one.brief for one in folded(ran("first"), ran("second")).state.actions.done.values()] == ["second"]


def finals(*entries: Entry | list[Entry]) -> list[str]:
    told = folded(*entries).state.narrative
    return [note.words for note in told.notes if note.text in told.finals]


def test_the_last_text_before_a_prompt_is_the_result_of_its_turn() -> None:
    assert finals(
        user("go"), agent("I look at the cart first."), agent("The cart now adds the tax."), user("next")
    ) == ["The cart now adds the tax."]


def test_the_record_may_say_itself_that_a_turn_is_over() -> None:
    assert finals(agent("The cart now adds the tax."), entry("", TurnEnd())) == ["The cart now adds the tax."]


def test_without_a_next_prompt_there_is_no_result_yet() -> None:
    assert finals(user("go"), agent("I look at the cart first.")) == []


@pytest.mark.parametrize("text", ["You're absolutely right!", "Done.", "Great, perfect", "ok"])
def test_small_talk_is_not_kept(text: str) -> None:
    assert folded(agent(text)).state.narrative.notes == []


def test_a_reason_is_known_by_its_words() -> None:
    notes = folded(
        agent("The root cause is the missing tax rate.\n\nThe cart has many items in it.")
    ).state.narrative.notes

    assert [note.reason for note in notes] == [True, False]


def test_a_plan_laid_before_the_person_is_kept() -> None:
    notes = folded(
        done("ExitPlanMode", {"plan": "1. Add the tax to the total price\n2. Test it"})
    ).state.narrative.notes

    assert [(note.words, note.plan) for note in notes] == [("Add the tax to the total price", True)]


def test_beyond_the_cap_old_notes_without_reason_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrative, "MAX_NOTES", 4)
    words = ["Use cents because floats lie.", *(f"Now reading the file called {name} too." for name in "abcd")]

    assert [note.words[-9:] for note in folded(*map(agent, words)).state.narrative.notes] == [
        "oats lie.",
        "ed b too.",
        "ed c too.",
        "ed d too.",
    ]


def test_an_unanswered_call_is_still_open_and_an_answered_is_not() -> None:
    rounds = folded(
        call("Bash", {"command": "a"}, "c1"), call("Bash", {"command": "b"}, "c2"), result("c1")
    ).state.work.rounds

    assert list(rounds.open) == ["c2"]


def test_a_sentence_explains_the_next_calls_only() -> None:
    done_all = folded(
        agent("Let me check the prices:"), *(ran(f"check {name}") for name in "abcdef")
    ).state.actions.done

    assert [action.why for action in done_all.values()] == ["Let me check the prices"] * 4 + ["", ""]


def test_open_calls_and_early_results_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MAX_OPEN", 2)
    monkeypatch.setattr(rounds, "MAX_EARLY", 1)
    state = folded(
        *(call("Bash", {"command": name}, name) for name in "abc"), result("x"), result("y")
    ).state.work.rounds

    assert (list(state.open), list(state.early)) == (["b", "c"], ["y"])


def test_links_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MAX_LINKS", 1)
    links = folded(entry("", Link("https://x.example/1")), entry("", Link("https://x.example/2"))).state.commits.links

    assert list(links) == ["https://x.example/2"]


def test_of_a_huge_output_only_the_ends_are_searched_for_tests() -> None:
    output = (
        "--- FAIL: TestFirst\n" + "x\n" * 30_000 + "--- FAIL: TestHidden\n" + "x\n" * 30_000 + "--- FAIL: TestLast\n"
    )

    assert set(failing(ran("go test", output, failed=True))) == {"TestFirst", "TestLast"}


def test_loading_a_tool_is_no_look_up() -> None:
    assert folded(user("go"), done("ToolSearch", {"query": "select:TaskList,WebFetch"})).state.actions.done == {}


def test_marks_without_words_cost_no_time() -> None:
    assert not checks.shows_failure("-\n" * 60_000)
    assert checks.shows_failure("ok  \tshop/cart\n--- FAIL: TestSum")
