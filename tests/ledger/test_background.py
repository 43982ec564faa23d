"""Background jobs: what runs on, how it ends, and to whom the end belongs."""

from __future__ import annotations

from typing import Any

import pytest

from memcli.ledger import background
from memcli.ledger.deeds import deed_of
from memcli.ledger.present import Present
from memcli.transcript.entries import Entry, MachineText, ToolUse
from tests.ledger.builders import done, entry, folded, presented, ran, user

SHELL = {"command": "make serve", "description": "Serve the shop", "run_in_background": True}
DEED = deed_of(ToolUse("c1", "Bash", {"command": "make serve"}), 1, "")
ASKS = deed_of(ToolUse("c2", "TaskOutput", {"task_id": "b7"}), 2, "")
STARTED = "Command running in background with ID: b7k2. Output is being written to: serve.log"


def notified(id: str, status: str, summary: str = "it ended", rest: str = "") -> Entry:
    text = (
        f"<task-notification>\n<task-id>{id}</task-id>\n<status>{status}</status>\n"
        f"<summary>{summary}</summary>\n{rest}</task-notification>"
    )
    return entry("user", MachineText(text))


def running(*entries: Entry | list[Entry]) -> list[str]:
    return list(presented(*entries).state.work.background.running)


@pytest.mark.parametrize(
    ("tool", "given", "answer", "id"),
    [
        ("Bash", SHELL, STARTED, "b7k2"),
        ("Bash", SHELL, "Command was manually backgrounded by user with ID: b7k2", "b7k2"),
        (
            "Bash",
            SHELL,
            "Command did not complete within its 9s timeout and was moved to the background (ID: b7k2).",
            "b7k2",
        ),
        ("Monitor", {"description": "checks", "command": "x"}, "Monitor started (task m1, timeout 9ms). Wait.", "m1"),
        ("Agent", {"prompt": "look"}, "Async agent launched successfully.\nagentId: a9 (internal)", "a9"),
        ("exec_command", {"cmd": "make"}, "Chunk ID: 1\nProcess running with session ID 7\nOutput:\n", "7"),
        ("spawn_agent", {"message": "look"}, '{"agent_id":"01-ab","nickname":"Ann"}', "01-ab"),
    ],
)
def test_a_call_that_runs_on_is_known_by_the_id_the_harness_names(
    tool: str, given: dict[str, Any], answer: str, id: str
) -> None:
    assert running(done(tool, given, answer)) == [id]


@pytest.mark.parametrize("output", ["listening, running in background with ID: 5", "Server started, task 5", "ok"])
def test_what_a_program_prints_starts_no_job(output: str) -> None:
    assert running(ran("make serve", output)) == []


@pytest.mark.parametrize("status", ["completed", "failed", "killed", "stopped"])
def test_a_notification_with_its_id_ends_a_job(status: str) -> None:
    assert running(done("Bash", SHELL, STARTED), notified("b7k2", status)) == []


def test_news_of_other_jobs_or_of_mere_events_end_nothing() -> None:
    event = "<task-notification>\n<task-id>b7k2</task-id>\n<event>status: completed</event>\n</task-notification>"
    news = [notified("b7k", "completed"), entry("user", MachineText(event)), notified("b7k2", "running")]

    assert running(done("Bash", SHELL, STARTED), news) == ["b7k2"]


@pytest.mark.parametrize(
    ("tool", "given", "answer", "left"),
    [
        ("TaskStop", {"task_id": "b7k2"}, '{"message":"Successfully stopped task: b7k2"}', []),
        ("KillShell", {"shell_id": "b7k2"}, '{"message":"Successfully killed shell: b7k2"}', []),
        ("BashOutput", {"bash_id": "b7k2"}, "<status>completed</status>\n<exit_code>0</exit_code>", []),
        (
            "TaskOutput",
            {"task_id": "b7k2"},
            "<retrieval_status>success</retrieval_status>\n<status>failed</status>",
            [],
        ),
        ("TaskOutput", {"task_id": "b7k2"}, "No task found with ID: b7k2", []),
        (
            "TaskOutput",
            {"task_id": "b7k2"},
            "<retrieval_status>timeout</retrieval_status>\n<status>running</status>",
            ["b7k2"],
        ),
        ("SendMessage", {"to": "b7k2"}, "Message queued: it completed", ["b7k2"]),
        ("wait", {"ids": ["b7k2"]}, '{"status":{"b7k2":{"completed":"fine"}},"timed_out":false}', []),
    ],
)
def test_a_call_that_names_the_id_tells_whether_it_ended(
    tool: str, given: dict[str, Any], answer: str, left: list[str]
) -> None:
    assert running(done("Bash", SHELL, STARTED), done(tool, given, answer)) == left


def test_a_session_runs_until_a_poll_says_no_more_that_it_runs() -> None:
    started = done("exec_command", {"cmd": "cargo test"}, "Process running with session ID 7")
    poll = done("write_stdin", {"session_id": 7}, "Process running with session ID 7")

    assert running(started, poll) == ["7"]
    assert running(started, poll, done("write_stdin", {"session_id": 7}, "Process exited with code 0")) == []


def test_a_job_that_failed_is_a_failure_of_its_command_and_success_fixes_it() -> None:
    failed = [done("Bash", SHELL, STARTED), notified("b7k2", "failed", "Command make serve failed with exit code 2")]
    again = [done("Bash", SHELL, STARTED.replace("b7k2", "c1")), notified("c1", "completed", "completed (exit code 0)")]

    assert [one.what for one in folded(failed).state.work.failures.open] == ["make serve"]
    assert folded(failed, again).state.work.failures.open == []


def test_a_job_that_was_stopped_neither_failed_nor_succeeded() -> None:
    broken = ran("make serve", "error: the port is taken by another program", failed=True)
    stop = done("TaskStop", {"task_id": "b7k2"}, '{"message":"Successfully stopped task: b7k2"}')

    assert len(folded(broken, done("Bash", SHELL, STARTED), stop).state.work.failures.open) == 1


def test_an_interrupted_session_did_not_fail() -> None:
    started = done("exec_command", {"cmd": "make serve"}, "Process running with session ID 7")
    poll = {"session_id": 7, "chars": "\x03"}
    end = {"text": "Process exited with code 130: the server was interrupted", "is_error": True}

    assert folded(started, done("write_stdin", poll, **end)).state.work.failures.open == []
    assert len(folded(started, done("write_stdin", poll | {"chars": ""}, **end)).state.work.failures.open) == 1


def test_an_agent_in_the_background_reports_by_its_notification() -> None:
    launched = done(
        "Agent",
        {"prompt": "Find where total_price is rounded.", "description": "Find rounding"},
        "Async agent launched.\nagentId: a9",
    )
    told = notified("a9", "completed", rest="<result>total_price is rounded too early inside src/cart.py</result>")
    (action,) = folded(launched, told).state.actions.done.values()

    assert (action.runs, action.report) == (1, ["total_price is rounded too early inside src/cart.py"])


def test_a_push_that_runs_on_is_done_outside_when_it_ended() -> None:
    push = done("exec_command", {"cmd": "git push"}, "Process running with session ID 7")
    ended = done("write_stdin", {"session_id": 7}, "Process exited with code 0")

    assert folded(push).state.outward.done == {}
    assert list(folded(push, ended).state.outward.done) == ["git push"]


def test_jobs_survive_a_snapshot_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MAX_JOBS", 2)
    present = presented(
        user("go"), *(done("Bash", SHELL, f"Command running in background with ID: j{n}") for n in "abc")
    )

    restored = Present.restore(present.snapshot())
    assert list(restored.state.work.background.running) == ["jb", "jc"]


def test_a_job_that_has_ended_may_be_started_again_under_its_id() -> None:
    started = done("Bash", SHELL, STARTED)

    assert running(user("go"), started, notified("b7k2", "completed"), started) == ["b7k2"]


def test_the_same_job_named_twice_is_that_of_its_first_call() -> None:
    other = done("Bash", {"command": "make other"}, STARTED)
    jobs = folded(done("Bash", SHELL, STARTED), other).state.work.background.running

    assert [job.deed.brief for job in jobs.values()] == ["make serve"]


def test_an_id_within_a_longer_one_names_another_job() -> None:
    assert running(done("Bash", SHELL, STARTED), notified("b7k2x", "completed")) == ["b7k2"]
    assert running(done("Bash", SHELL, STARTED), notified("x-b7k2", "completed")) == ["b7k2"]


def test_several_notices_in_one_text_end_several_jobs() -> None:
    other = done("Bash", {"command": "make other"}, STARTED.replace("b7k2", "c8"))
    both = entry("user", *notified("b7k2", "completed").parts, *notified("c8", "failed").parts)

    assert running(done("Bash", SHELL, STARTED), other, both) == []


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("<status>running</status>", "running"),
        ('"status": "completed"', "done"),
        ("status: killed", "stopped"),
        ("failed", "failed"),
        ("it is completed", ""),
        ("<exit_code>0</exit_code>", "done"),
        ("exited with code 3", "failed"),
        ("status: completed\nexited with code 3", "failed"),
        ("status: running\nexit code: 0", "running"),
        ("Successfully stopped task b7", "stopped"),
        ("Error: No task found with ID b7", "stopped"),
        ('{"b7": {"errored": "x"}, "status": "completed"}', "failed"),
        ("<event>status: completed</event>", ""),
        ("nothing is told", ""),
    ],
)
def test_what_a_harness_says_of_a_job(text: str, state: str) -> None:
    job = background.Job(DEED)

    assert background.Background().polled(job, ASKS, text, failed=False) == state
    assert job.over is (state in ("done", "failed", "stopped"))


@pytest.mark.parametrize(
    ("chars", "failed", "text", "state"),
    [
        ("", False, "Process running with session ID 7", "running"),
        ("", False, "all done", "done"),
        ("", True, "it broke", "failed"),
        ("\x03", True, "it broke", "stopped"),
        ("\x03", False, "bye", "done"),
    ],
)
def test_what_a_poll_of_a_session_says(chars: str, failed: bool, text: str, state: str) -> None:
    poll = deed_of(ToolUse("c2", "write_stdin", {"session_id": 7, "chars": chars}), 2, "")

    assert background.Background().polled(background.Job(DEED), poll, text, failed=failed) == state


def test_what_a_notice_says_is_the_answer_of_an_agent_else_its_summary() -> None:
    jobs = background.Background({"a9": background.Job(DEED), "b7": background.Job(DEED)})
    told = "<task-notification>a9 <status>completed</status><summary>short</summary><result>long\nanswer</result>"
    other = "<task-notification>b7 <status>failed</status><summary>short</summary>"

    assert [(end.state, end.text) for end in jobs.noticed(told + other)] == [
        ("done", "long\nanswer"),
        ("failed", "short"),
    ]
    assert jobs.running == {}


def test_a_job_is_named_by_the_calls_that_ask_or_type_only() -> None:
    jobs = background.Background({"b7": background.Job(DEED)})
    named = [
        ({"task_id": "b7"}, True),
        ({"session_id": "b7"}, True),
        ({"command": "echo b7"}, False),
        ({"id": "c"}, False),
    ]

    assert [bool(jobs.named(deed_of(ToolUse("c2", "x", given), 2, ""))) for given, _ in named] == [
        whether for _, whether in named
    ]


def test_doing_the_same_again_ends_only_the_job_that_did_it() -> None:
    other = deed_of(ToolUse("c3", "Bash", {"command": "make other"}), 1, "")
    jobs = background.Background({"a": background.Job(DEED), "b": background.Job(other)})
    jobs.done_again(DEED.key)

    assert list(jobs.running) == ["b"]
