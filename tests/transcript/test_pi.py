from __future__ import annotations

from typing import Any

import pytest

from memcli.transcript.entries import Compacted
from memcli.transcript.formats.pi import Reader, claims
from tests.transcript.scripts import as_lines, entries_of, fixture, read, script

SESSION = [
    "| at /srv/kiln ",
    "user| prompt: why does the kiln overshoot",
    "assistant| thinks 4",
    "assistant| says: Reading the controller.",
    'assistant| calls call_a read {"path": "pid.c"}',
    "assistant| usage 2600 kiln-1",
    "tool| gave call_a: 'int gain = 9;'",
    "assistant| final: The gain is too high.",
    "assistant| usage 2900 kiln-1",
    "assistant| turn ends",
    "user| prompt: rewrite it in rust",
    "assistant| says: Starting",
    "assistant| usage 3000 kiln-1",
    "assistant| interrupts",
    "user| prompt!: just lower the gain",
    'assistant| calls call_b edit {"path": "pid.c"}',
    "assistant| usage 3100 kiln-1",
    "tool| failed call_b: 'no match'",
    "user| machine: 'make\\nok'",
    "assistant| machine: 'overloaded'",
    "assistant| usage 600 kiln-1",
    "| compacted 'Gain work.' ('m9', 'm10', 'm11') 0",
    "user| machine: 'injected'",
]


def test_a_session_says_what_was_said_in_it() -> None:
    assert script(entries_of("pi", fixture("pi"))) == SESSION


def test_the_first_version_has_no_ids() -> None:
    entries = entries_of("pi", fixture("pi-v1"))

    assert script(entries)[1:3] == ["user| prompt: fire it", "assistant| final: Fired."]
    assert {(entry.id, entry.parent) for entry in entries} == {("", "")}


def test_entries_hang_on_each_other_and_the_header_on_nothing() -> None:
    header, change, first = entries_of("pi", fixture("pi"))[:3]

    assert (header.id, change.id, change.parent, first.parent) == ("", "m0", "", "m0")


def test_a_compaction_keeps_what_follows_its_first_kept_entry() -> None:
    message = {"type": "message", "message": {"role": "user", "content": "x"}}
    entries = read(
        "pi", {**message, "id": "a"}, {**message, "id": "b"}, {"type": "compaction", "firstKeptEntryId": "b"}
    )

    assert script(entries)[-1] == "| compacted '' ('b',) 0"


def test_unknown_roles_and_types_are_counted() -> None:
    reader = Reader()
    entries_of("pi", as_lines({"type": "message", "message": {"role": "ghost"}}, {"type": "dream"}), reader)

    assert reader.problems == {"unknown role": 1, "unknown type": 1}


# ---- one record after another


def message(role: str, content: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "message", "message": {"role": role, "content": content, **more}}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (message("user", "go"), ["user| prompt: go"]),
        (
            message("user", [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]),
            ["user| prompt: a\nb", "user| machine: '[image]'"],
        ),
        (message("user", [{"type": "image"}]), ["user| machine: '[image]'"]),
        (message("user", "<bash-input>ls</bash-input>"), ["user| machine: '<bash-input>ls</bash-input>'"]),
        (message("assistant", "hi", stopReason="toolUse"), ["assistant| says: hi"]),
        (message("assistant", "hi", stopReason="stop"), ["assistant| final: hi", "assistant| turn ends"]),
        (message("assistant", [], stopReason="error", errorMessage="busy"), ["assistant| machine: 'busy'"]),
        (message("assistant", [], stopReason="stop", errorMessage="old"), ["assistant| turn ends"]),
        (message("assistant", "hi", stopReason="aborted"), ["assistant| says: hi", "assistant| interrupts"]),
        (
            message("assistant", [], model="m", usage={"input": 1, "cacheRead": 2, "cacheWrite": 3, "output": 9}),
            ["assistant| usage 6 m"],
        ),
        (message("assistant", [], usage={"output": 9}), []),
        (message("toolResult", "ok", toolCallId="c"), ["tool| gave c: 'ok'"]),
        (message("toolResult", [{"type": "text", "text": "no"}], isError=True), ["tool| failed : 'no'"]),
        (message("bashExecution", command="ls", output="a"), ["user| machine: 'ls\\na'"]),
        (message("bashExecution", output=5), ["user| machine: '\\n'"]),
        (message("custom", "c"), ["user| machine: 'c'"]),
        (message("hookMessage", [{"type": "text", "text": "h"}]), ["user| machine: 'h'"]),
        (message("branchSummary", summary="s"), ["user| machine: 's'"]),
        (message("compactionSummary", summary="s"), ["user| machine: 's'"]),
        ({"type": "branch_summary", "summary": "s"}, ["user| machine: 's'"]),
        ({"type": "custom_message", "content": "c"}, ["user| machine: 'c'"]),
        ({"type": "compaction", "summary": "s"}, ["| compacted 's' () 0"]),
        ({"type": "session", "id": "s", "cwd": "/w"}, ["| at /w "]),
        ({"type": "session", "id": "s"}, []),
    ],
)
def test_a_record_says_what_it_says(record: dict[str, Any], said: list[str]) -> None:
    reader = Reader()

    assert script(entries_of("pi", as_lines(record), reader)) == said
    assert reader.problems == {}


@pytest.mark.parametrize("kind", ["model_change", "thinking_level_change", "custom", "label", "session_info"])
def test_bookkeeping_says_nothing_and_is_no_problem(kind: str) -> None:
    reader = Reader()
    (entry,) = entries_of("pi", as_lines({"type": kind, "id": "x", "parentId": "p", "message": {}}), reader)

    assert (entry.id, entry.parent, entry.parts, reader.problems) == ("x", "p", (), {})


@pytest.mark.parametrize(
    ("record", "claimed"),
    [
        ({"type": "message", "message": {}}, True),
        ({"type": "message", "message": "m"}, False),
        ({"type": "session", "id": "s"}, True),
        ({"type": "session"}, False),
        ({"type": "compaction"}, True),
        ({"type": "branch_summary"}, True),
        ({"type": "label"}, True),
        ({"type": "user", "id": "x"}, False),
        ({}, False),
    ],
)
def test_a_record_of_the_client_is_known(record: dict[str, Any], claimed: bool) -> None:
    assert claims(record) == claimed


def test_an_answer_keeps_its_stop_reason_and_its_time() -> None:
    (entry,) = read("pi", {"timestamp": "T", **message("assistant", "hi", stopReason="length")})

    assert (entry.stop, entry.timestamp, entry.role) == ("length", "T", "assistant")


def test_what_follows_an_aborted_answer_corrects_it() -> None:
    """Also where it was stopped before it said anything: the person saw thoughts, or knew already."""
    entries = read("pi", message("assistant", [], stopReason="aborted"), message("user", "a"), message("user", "b"))

    assert script(entries)[1:] == ["user| prompt!: a", "user| prompt: b"]


def test_a_place_is_told_when_it_changes() -> None:
    headers = [{"type": "session", "id": "s", "cwd": cwd} for cwd in ("/w", "/w", None, "/v")]

    assert script(read("pi", *headers)) == ["| at /w ", "| at /v "]


def test_a_compaction_that_keeps_what_is_too_old_to_remember_keeps_nothing() -> None:
    messages = [{**message("user", "x"), "id": f"m{serial}"} for serial in range(1025)]

    def kept(first: str) -> int:
        (part,) = read("pi", *messages, {"type": "compaction", "firstKeptEntryId": first})[-1].parts
        assert isinstance(part, Compacted)
        return len(part.kept)

    assert [kept("m0"), kept("m1"), kept("m1024"), kept("other")] == [0, 1024, 1, 0]
