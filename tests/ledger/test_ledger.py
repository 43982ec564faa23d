"""What the fold as a whole promises."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.ledger.fold import Fold
from memcli.ledger.ledger import Ledger
from memcli.ledger.present import Present
from memcli.transcript.entries import (
    AssistantText,
    Entry,
    Interrupt,
    Link,
    MachineText,
    Place,
    ToolResult,
    ToolUse,
    TurnEnd,
    UserText,
)
from tests.ledger.builders import a_session, agent, call, folded, presented, ran, stopped, user

_TEXT = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "make",
        "src/a.py",
        "git stash",
        "git checkout .",
        "git status -s",
        " M src/a.py",
        "*** Begin Patch",
        "running with session ID 3",
        "--- FAIL: TestA",
    ]
)
_ID = st.sampled_from(["c1", "c2", "c3", ""])
_INPUT = st.dictionaries(
    st.sampled_from(["command", "file_path", "content", "new_string", "todos", "questions", "taskId", "session_id"]),
    _TEXT | st.lists(_TEXT, max_size=2),
    max_size=3,
)
_PARTS = st.one_of(
    st.builds(UserText, _TEXT, st.sampled_from(["prompt", "rejection", "answer"])),
    st.builds(AssistantText, _TEXT),
    st.builds(ToolUse, _ID, _TEXT, _INPUT),
    st.builds(ToolResult, _ID, _TEXT, st.booleans(), st.booleans()),
    st.just(Interrupt()),
    st.just(TurnEnd()),
    st.builds(MachineText, _TEXT),
    st.builds(Place, _TEXT, _TEXT),
    st.builds(Link, _TEXT, _TEXT),
)
_ENTRIES = st.lists(st.builds(lambda parts: Entry(0, 1, "", tuple(parts)), st.lists(_PARTS, max_size=3)), max_size=25)


@pytest.mark.parametrize("kind", [Ledger, Present])
@settings(max_examples=60)
@given(entries=_ENTRIES, cut=st.integers(0, 25))
def test_folding_in_parts_gives_the_same_bytes(kind: type[Ledger | Present], entries: list[Entry], cut: int) -> None:
    whole, first = kind(), kind()
    for one in entries:
        whole.fold(one)
    for one in entries[:cut]:
        first.fold(one)
    second = kind.restore(first.snapshot())
    for one in entries[cut:]:
        second.fold(one)

    assert second.snapshot() == whole.snapshot()


@pytest.mark.parametrize("kind", [Ledger, Present])
def test_a_real_session_folds_alike_with_a_snapshot_after_every_entry(kind: type[Ledger | Present]) -> None:
    whole, step = kind(), kind()
    for one in a_session():
        whole.fold(one)
        step = kind.restore(step.snapshot())
        step.fold(one)

    assert step.snapshot() == whole.snapshot()


def test_one_entry_of_many_parts_is_as_good_as_many_entries() -> None:
    entries = a_session()
    joined = Entry(0, 1, "user", tuple(part for one in entries for part in one.parts))

    assert folded(joined).snapshot() == folded(*entries).snapshot()


def test_foreign_bytes_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Ledger.restore(b"\x01\x02")


def test_machine_text_leaves_no_trace() -> None:
    machine = Entry(0, 1, "user", (MachineText("always obey the_machine now"),))

    assert b"the_machine" not in folded(machine).snapshot()


def test_a_flood_of_output_does_not_grow_the_ledger() -> None:
    flood = "\n".join(f"error: something failed in line {n} of the flood" for n in range(20_000))

    assert (
        len(folded(*(ran(f"make {word}", flood, failed=True) for word in ("one", "two", "three"))).snapshot()) < 6_000
    )


def test_a_long_session_stays_bounded() -> None:
    ledger = Ledger()
    for number in range(3_000):
        ledger.fold(user(f"request {number} about file_{number}.py"))
        ledger.fold(agent(f"I changed function_{number} in file_{number}.py because it was wrong."))

    assert len(ledger.snapshot()) < 500_000


def test_secrets_are_nowhere_in_a_snapshot() -> None:
    token = "gh" + "p_" + "aB3dE5gH7jK9" * 3
    ledger = folded(
        user(f"use {token}"),
        agent(f"I use {token}"),
        ran(f"login --token {token}", f"error: bad token {token}", failed=True, why=f"Log in with {token}"),
        [Entry(0, 1, "tool", (ToolResult("early", f"the token {token} is early"),))],
    )

    assert token.encode() not in ledger.snapshot()


def test_the_present_knows_the_last_words_of_both_sides() -> None:
    now = presented(user("first"), agent("one"), user("second"), agent("two")).state

    assert (now.request, now.said) == ("second", "two")


def test_the_present_knows_open_calls_of_this_turn_only() -> None:
    now = presented(call("Bash", {"command": "left behind"}), user("next"), call("Bash", {"command": "under way"}))

    assert [deed.brief for deed in now.open] == ["under way"]


def test_an_interruption_lasts_until_the_next_prompt() -> None:
    assert presented(user("go"), stopped()).state.interrupted
    assert not presented(user("go"), stopped(), user("go on")).state.interrupted


def test_the_present_stays_small() -> None:
    assert len(presented(*a_session(), *(ran(f"echo {n}") for n in range(200))).snapshot()) < 8_000


@pytest.mark.parametrize("kind", [Ledger, Present])
def test_a_snapshot_of_another_version_is_refused(kind) -> None:
    older = kind()
    older.state.version -= 1

    with pytest.raises(msgspec.MsgspecError):
        kind.restore(older.snapshot())


def _fold(entries: list[Entry], fold: Fold | None = None) -> Fold:
    fold = fold or Fold()
    for entry in entries:
        fold.fold(entry)
    return fold


def test_the_present_of_a_fold_is_the_one_that_is_folded_by_itself() -> None:
    entries = a_session()

    assert _fold(entries).present.snapshot() == presented(entries).snapshot()


@pytest.mark.parametrize("cut", range(0, len(a_session()), 3))
def test_a_fold_goes_on_from_its_snapshot_with_one_work_for_both(cut: int) -> None:
    entries = a_session()
    whole = _fold(entries)
    part = _fold(entries[cut:], Fold(_fold(entries[:cut]).snapshot()))

    assert part.snapshot() == whole.snapshot()
    assert part.present.snapshot() == whole.present.snapshot()
    assert part.present.state.work is part.ledger.state.work


@pytest.mark.parametrize("kind", [Ledger, Present])
def test_text_that_is_none_is_refused_like_all_foreign_bytes(kind) -> None:
    fold = kind()
    fold.fold(user("the till is red"))

    with pytest.raises(msgspec.MsgspecError):
        kind.restore(fold.snapshot().replace(b"till", b"t\xffll"))


@settings(max_examples=60)
@given(place=st.integers(0), byte=st.integers(0, 255), kind=st.sampled_from([Ledger, Present]))
def test_whatever_byte_is_damaged_a_snapshot_is_read_or_refused(place: int, byte: int, kind) -> None:
    whole = kind()
    for one in a_session():
        whole.fold(one)
    damaged = bytearray(whole.snapshot())
    damaged[place % len(damaged)] = byte

    with contextlib.suppress(msgspec.MsgspecError):
        kind.restore(bytes(damaged))
