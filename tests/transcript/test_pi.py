from __future__ import annotations

from memcli.transcript.formats.pi import Reader
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
