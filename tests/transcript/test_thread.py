from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.session import Session, Triggers
from memcli.transcript.entries import AssistantText, Entry, RolledBack, ToolResult, ToolUse, UserText
from memcli.transcript.thread import State, Thread, Verdict
from tests.transcript.scripts import as_lines, entries_of, fixture

if TYPE_CHECKING:
    from memcli.transcript.lines import Line


class Tape:
    """Builds entries of ten bytes each, one after the other, and places them."""

    def __init__(self, *, tree: bool = False) -> None:
        self.thread = Thread(tree=tree)
        self.offset = 0

    def put(self, part: Any = None, id: str = "", parent: str = "", **more: Any) -> Verdict:
        role = {UserText: "user", ToolResult: "user", RolledBack: ""}.get(type(part), "assistant" if part else "")
        parts = (part,) if part else ()
        self.offset += 10
        entry = Entry(self.offset - 10, self.offset, role, parts, id=id, parent=parent, **more)
        return self.thread.place(entry)

    def prompt(self, id: str = "", parent: str = "") -> Verdict:
        return self.put(UserText("do"), id, parent)

    def says(self, id: str = "", parent: str = "", **more: Any) -> Verdict:
        return self.put(AssistantText("done"), id, parent, **more)

    def call(self, name: str) -> Verdict:
        return self.put(ToolUse(name, "Bash", {}))

    def result(self, name: str) -> Verdict:
        return self.put(ToolResult(name, "ok"))


def test_a_record_that_was_appended_again_is_a_copy() -> None:
    tape = Tape()

    assert [tape.says("a").live, tape.says("b").live, tape.says("a").live] == [True, True, False]
    assert tape.thread.problems == {"copies": 1}


def test_records_without_an_id_or_with_a_redacted_one_are_never_copies() -> None:
    tape = Tape()

    assert all(tape.says(name).live for name in ("", "", "REDACTED", "REDACTED"))


def test_an_edited_prompt_kills_what_its_older_sibling_began() -> None:
    tape = Tape()
    tape.says("root")
    tape.prompt("p1", "root")
    tape.says("a1", "p1")

    assert tape.prompt("p2", "root").rewind == 10
    assert tape.thread.dead == ((10, 30),)


def test_a_prompt_edited_twice_kills_twice() -> None:
    tape = Tape()
    tape.says("root")
    for name in ("p1", "p2", "p3"):
        tape.prompt(name, "root")

    assert tape.thread.dead == ((10, 30),)


def test_editing_an_early_prompt_kills_all_later_turns() -> None:
    tape = Tape()
    tape.says("root")
    tape.prompt("p1", "root")
    tape.says("a1", "p1")
    tape.prompt("p2", "a1")

    assert tape.prompt("p3", "root").rewind == 10
    assert tape.prompt("p4", "a1").rewind == -1


def test_prompts_without_a_parent_are_no_siblings() -> None:
    tape = Tape()

    assert [tape.prompt("p1").rewind, tape.prompt("p2").rewind] == [-1, -1]


def test_other_siblings_all_live() -> None:
    tape = Tape()
    tape.says("root")
    verdicts = [tape.says("a", "root"), tape.put(ToolResult("t", "x"), "b", "root"), tape.prompt("p", "root")]

    assert [verdict.rewind for verdict in verdicts] == [-1, -1, -1]


def test_turns_that_were_rolled_back_are_dead() -> None:
    tape = Tape()
    for _ in range(3):
        tape.prompt()
        tape.says()

    assert tape.put(RolledBack(2)).rewind == 20
    assert tape.put(RolledBack(9)).rewind == 0
    assert tape.put(RolledBack(1)).rewind == -1
    assert tape.thread.dead == ((0, 70),)


def test_a_thread_that_knows_its_dead_ranges_does_not_roll_back_again() -> None:
    tape = Tape()
    tape.prompt()
    tape.thread.state.dead = [(10, 30)]
    tape.offset = 30

    assert tape.put(RolledBack(1)).rewind == -1


def test_a_tree_drops_the_branch_it_left() -> None:
    tape = Tape(tree=True)
    for name, parent in (("a", ""), ("b", "a"), ("c", "b")):
        tape.says(name, parent)

    assert tape.prompt("d", "a").rewind == 10
    assert tape.thread.dead == ((10, 30),)


def test_a_tree_that_returns_to_a_branch_brings_it_back_to_life() -> None:
    tape = Tape(tree=True)
    for name, parent in (("a", ""), ("b", "a"), ("c", "a")):
        tape.says(name, parent)

    assert tape.says("d", "b").rewind == 10
    assert tape.thread.dead == ((20, 30),)


def pi_lines() -> list[Line]:
    """A pi session that leaves a branch (m2), returns to it (m4), and goes to the second one (m3) again at last."""
    steps = [("m1", None), ("m2", "m1"), ("m3", "m1"), ("m4", "m2"), ("m5", "m3")]
    words = {"role": "assistant", "content": "done"}
    return as_lines(*({"type": "message", "id": name, "parentId": up, "message": words} for name, up in steps))


def reread(entries: list[Entry], dead: tuple[tuple[int, int], ...]) -> Thread:
    """A new thread that is told what is dead, as after a restart."""
    thread = Thread(State(tree=True, dead=list(dead)))
    for entry in entries:
        if any(start <= entry.offset < end for start, end in dead):
            thread.recall(entry)
        else:
            thread.place(entry)
    return thread


@pytest.mark.parametrize("read_before", [3, 4])
def test_a_tree_returns_to_a_branch_that_was_dead_when_it_was_read_again(read_before: int) -> None:
    entries, through = entries_of("pi", pi_lines()), Thread(tree=True)
    for entry in entries[:read_before]:
        through.place(entry)
    again = reread(entries[:read_before], through.dead)
    verdicts = [(through.place(entry), again.place(entry)) for entry in entries[read_before:]]

    assert all(first.rewind == second.rewind >= 0 for first, second in verdicts)
    assert again.dead == through.dead


def test_an_entry_that_is_recalled_awaits_nothing_and_is_no_place_to_go_on() -> None:
    call, twin = ToolUse("x", "Bash", {}), Tape(tree=True)
    twin.says("a")
    twin.thread.recall(Entry(10, 20, "assistant", (call,), id="b", parent="gone"))

    assert twin.thread.closed
    assert twin.says("c", "a").rewind == -1


def test_a_copy_of_a_recalled_entry_is_a_copy() -> None:
    tape = Tape()
    tape.thread.recall(Entry(0, 10, "user", (UserText("do"),), id="a"))

    assert not tape.prompt("a").live


def test_a_session_that_returns_to_a_branch_after_a_restart_remembers_that_branch() -> None:
    lines = [line.data for line in pi_lines()[:4]]
    session, restarts, read_so_far = Session("pi", Triggers()), 0, b""
    for line in lines:
        read_so_far += line
        effects = session.receive(line, 0.0)
        while effects:
            restarts += 1
            session = Session("pi", Triggers(), dead=effects[0].dead)
            effects = session.receive(read_so_far, 0.0)
    third = len(lines[0] + lines[1])

    assert restarts == 2
    assert session.thread.dead == ((third, third + len(lines[2])),)


def test_a_tree_that_runs_in_circles_is_read() -> None:
    tape = Tape(tree=True)
    for name, parent in (("a", "b"), ("b", "a"), ("c", ""), ("d", "a"), ("e", "c"), ("f", "b")):
        tape.says(name, parent)

    assert tape.thread.dead


def test_a_tree_may_begin_anew_at_its_root() -> None:
    tape = Tape(tree=True)
    tape.says("a")
    tape.says("b", "a")

    assert tape.says("c").rewind == 0
    assert tape.thread.dead == ((0, 20),)


def test_a_tree_whose_beginning_is_missing_is_read_as_it_stands() -> None:
    tape = Tape(tree=True)

    assert [tape.says("b", "a").rewind, tape.says("c", "b").rewind] == [-1, -1]


def test_calls_are_open_until_their_results_come() -> None:
    tape = Tape()
    tape.call("x")
    tape.call("y")
    tape.result("x")

    assert tape.thread.open_calls == ("y",)
    assert not tape.thread.closed

    tape.result("y")

    assert tape.thread.closed


def test_a_result_may_come_before_its_call() -> None:
    tape = Tape()
    tape.result("x")

    assert not tape.thread.closed
    assert tape.call("x").tied == 0
    assert tape.thread.closed


def test_calls_still_open_at_the_next_prompt_are_given_up() -> None:
    tape = Tape()
    tape.call("x")

    assert tape.prompt().abandoned == ("x",)
    assert tape.thread.closed
    assert tape.thread.problems == {"abandoned calls": 1}


def test_words_taken_into_a_turn_give_up_nothing() -> None:
    tape = Tape()
    tape.call("x")

    assert tape.put(UserText("hurry", "queued", steering=True)).abandoned == ()
    assert tape.thread.open_calls == ("x",)


def test_calls_of_a_dead_branch_are_not_awaited() -> None:
    tape = Tape()
    tape.says("root")
    tape.prompt("p1", "root")
    tape.call("x")
    verdict = tape.prompt("p2", "root")

    assert verdict.abandoned == ()
    assert tape.thread.closed


def test_calls_without_an_id_are_answered_in_themselves() -> None:
    tape = Tape()
    tape.call("")

    assert tape.thread.closed


def test_a_result_whose_call_never_comes_is_waited_for_a_while_only() -> None:
    tape = Tape()
    tape.result("x")
    for _ in range(40):
        tape.says()

    assert tape.thread.closed
    assert tape.thread.problems == {"results without a call": 1}


def test_an_answer_that_stands_before_its_prompt_is_tied_to_it() -> None:
    tape = Tape()
    tape.says("a", "p")

    assert not tape.thread.closed
    assert tape.prompt("p").tied == 0
    assert tape.thread.closed


def test_a_parent_that_never_comes_is_waited_for_a_while_only() -> None:
    tape = Tape()
    tape.says("a", "gone")
    for _ in range(40):
        tape.says()

    assert tape.thread.closed
    assert tape.thread.problems == {"missing parents": 1}


def test_bookkeeping_waits_for_no_parent() -> None:
    tape = Tape()
    tape.put(None, "x", "gone")

    assert tape.thread.closed


def test_the_pieces_of_one_message_and_the_halves_of_a_call_are_tied() -> None:
    tape = Tape()
    tape.prompt()
    tape.says(message_id="m")
    tape.call("x")

    assert tape.result("x").tied == 20
    assert tape.says(message_id="m").tied == 10
    assert tape.says(message_id="n").tied == 50


def test_the_edited_prompt_of_a_session_is_found() -> None:
    thread = Thread(tree=True)
    entries = entries_of("pi", fixture("pi"))
    rewinds = [entry.id for entry in entries if thread.place(entry).rewind >= 0]

    assert rewinds == ["m7"]
    assert [entry.id for entry in entries if thread.dead[0][0] <= entry.offset < thread.dead[0][1]] == ["m5", "m6"]


def test_a_rollback_takes_the_turn_and_not_the_one_before() -> None:
    thread = Thread()
    entries = entries_of("codex", fixture("codex"))
    for entry in entries:
        thread.place(entry)
    ((start, end),) = thread.dead
    words = [
        part.text for entry in entries if start <= entry.offset < end for part in entry.parts if type(part) is UserText
    ]

    assert words == ["now paint it green"]


NAMES = st.sampled_from(["", "a", "b", "c", "d"])
STEPS = st.lists(st.tuples(st.sampled_from(["prompt", "says", "call", "result", "roll"]), NAMES, NAMES), max_size=30)


def _run(tape: Tape, step: tuple[str, str, str]) -> Verdict:
    kind, name, parent = step
    if kind in ("prompt", "says"):
        return tape.prompt(name, parent) if kind == "prompt" else tape.says(name, parent)
    if kind == "roll":
        return tape.put(RolledBack(1 + len(name)))
    return tape.call(name) if kind == "call" else tape.result(name)


@settings(max_examples=60)
@given(steps=STEPS, tree=st.booleans())
def test_a_thread_may_be_saved_after_any_entry(steps: list[tuple[str, str, str]], tree: bool) -> None:
    through, halting = Tape(tree=tree), Tape(tree=tree)
    for step in steps:
        assert _run(through, step) == _run(halting, step)
        saved = msgspec.msgpack.encode(halting.thread.state)
        halting.thread = Thread(msgspec.msgpack.decode(saved, type=State))


@settings(max_examples=60)
@given(steps=STEPS, tree=st.booleans())
def test_dead_ranges_are_ascending_apart_and_in_the_past(steps: list[tuple[str, str, str]], tree: bool) -> None:
    tape = Tape(tree=tree)
    for step in steps:
        verdict = _run(tape, step)
        edges = [edge for pair in tape.thread.dead for edge in pair]

        assert edges == sorted(set(edges))
        assert not edges or edges[-1] <= tape.offset - 10 or not verdict.live
        assert verdict.tied <= tape.offset - 10


# ---- against models


def living(tape: Tape, seen: list[int]) -> list[int]:
    return [offset for offset in seen if not any(start <= offset < end for start, end in tape.thread.dead)]


@settings(max_examples=80)
@given(st.lists(st.integers(-1, 12), min_size=1, max_size=14))
def test_what_lives_of_a_tree_is_the_path_to_its_last_line(parents: list[int]) -> None:
    """Any tree, any order of branches; -1 begins anew at the root."""
    tape, path, seen = Tape(tree=True), {-1: []}, []
    for number, wanted in enumerate(parents):
        parent = min(wanted, number - 1)
        path[number] = [*path[parent], tape.offset]
        seen.append(tape.offset)
        before = tape.thread.dead
        verdict = tape.says(f"n{number}", f"n{parent}" if parent >= 0 else "")

        assert living(tape, seen) == path[number]
        assert (verdict.rewind >= 0) == (tape.thread.dead != before)


@settings(max_examples=80)
@given(st.lists(st.sampled_from(["prompt", "says", 1, 2, 9]), max_size=14))
def test_a_rollback_leaves_what_stood_before_the_turns_it_names(steps: list[Any]) -> None:
    tape, live, seen = Tape(), [], []
    for step in steps:
        if isinstance(step, int):
            begun = [place for place, (kind, _) in enumerate(live) if kind == "prompt"]
            live = live[: begun[-step:][0]] if begun else live
            tape.put(RolledBack(step))
        else:
            live.append((step, tape.offset))
            seen.append(tape.offset)
            _run(tape, (step, "", ""))

        assert living(tape, seen) == [offset for _, offset in live]


@settings(max_examples=80)
@given(STEPS)
def test_open_calls_are_those_asked_and_neither_answered_nor_given_up(steps: list[tuple[str, str, str]]) -> None:
    tape, asked, early = Tape(), dict[str, int](), set[str]()
    for kind, name, _ in steps:
        if kind == "call" and name:
            early.discard(name) if name in early else asked.setdefault(name, tape.offset)
        if kind == "result" and name:
            _ = early.add(name) if name not in asked else asked.pop(name)
        if kind == "prompt":
            asked.clear()
        if kind in ("call", "result", "prompt"):
            _run(tape, (kind, name if kind != "prompt" else "", ""))

    assert set(tape.thread.open_calls) == set(asked)
    assert tape.thread.closed == (not asked and not early)


# ---- what is awaited, and how long


@pytest.mark.parametrize(("between", "tied"), [(32, 0), (33, 340)])
def test_a_result_and_a_parent_are_waited_for_thirty_two_entries_long(between: int, tied: int) -> None:
    for first, last in (
        (lambda t: t.result("x"), lambda t: t.call("x")),
        (lambda t: t.says("a", "p"), lambda t: t.says("p")),
    ):
        tape = Tape()
        first(tape)
        for _ in range(between):
            tape.put(None)
        assert last(tape).tied == tied


def test_of_two_entries_that_await_one_parent_the_first_is_tied() -> None:
    tape = Tape()
    tape.put(None)
    tape.says("a", "p")
    tape.says("b", "p")

    assert tape.says("p").tied == 10
    assert tape.thread.closed


@pytest.mark.parametrize("role", ["tool", "system", ""])
def test_only_messages_of_user_and_agent_await_their_parent(role: Any) -> None:
    thread = Thread()
    thread.place(Entry(0, 10, role, id="a", parent="gone"))

    assert thread.closed


def test_nothing_of_a_dead_branch_is_awaited() -> None:
    tape = Tape()
    tape.says("root")
    tape.prompt("p1", "root")
    tape.result("never called")
    tape.says("a", "missing", message_id="m")
    assert not tape.thread.closed
    tape.prompt("p2", "root")

    assert tape.thread.closed
    assert tape.says("b", "p2", message_id="m").tied == 50


def test_what_a_dead_branch_left_open_before_it_stays_open() -> None:
    tape = Tape()
    tape.says("root")
    tape.result("early")
    tape.prompt("p1", "root")
    tape.prompt("p2", "root")

    assert tape.call("early").tied == 10


def test_calls_and_answers_that_were_redacted_are_paired_with_nothing() -> None:
    tape = Tape()
    tape.call("REDACTED")
    tape.result("toolu_REDACTED")

    assert tape.thread.closed
    assert tape.call("x").tied == 20


def test_a_prompt_gives_up_open_calls_and_a_copy_of_one_does_not() -> None:
    tape = Tape()
    tape.prompt("p")
    tape.call("x")
    assert tape.prompt("p") == Verdict(live=False, tied=20)
    assert tape.thread.open_calls == ("x",)

    assert tape.prompt("q").abandoned == ("x",)
    assert tape.thread.problems == {"copies": 1, "abandoned calls": 1}


def test_a_call_in_the_prompts_own_entry_is_not_given_up() -> None:
    thread = Thread()

    assert thread.place(Entry(0, 10, "user", (ToolUse("x", "sh", {}), UserText("go")))).abandoned == ()
    assert thread.open_calls == ("x",)


@pytest.mark.parametrize("turns", [0, -3])
def test_a_rollback_of_no_turns_changes_nothing(turns: int) -> None:
    tape = Tape()
    tape.prompt()

    assert tape.put(RolledBack(turns)).rewind == -1
    assert tape.thread.dead == ()


def test_what_is_remembered_of_open_calls_turns_and_messages_is_bounded() -> None:
    tape = Tape()
    for number in range(5000):
        tape.call(f"c{number}")
        tape.result(f"r{number}")
        tape.says(message_id=f"m{number}")
    for number in range(4100):
        tape.prompt(f"p{number}", f"q{number}")
    state = tape.thread.state

    assert len(state.early) <= 4096
    assert (len(state.turns), len(state.siblings), len(state.messages)) == (1024, 1024, 64)
    assert len(state.open) == 0


def test_ids_are_remembered_however_they_are_written() -> None:
    tape = Tape()

    assert [tape.says(name).live for name in ("\ud83d", "é", "\ud83d", "é", "e")] == [True, True, False, False, True]


# ---- ids in a log of their own


@pytest.mark.parametrize("tree", [False, True])
def test_ids_told_part_by_part_are_taken_back_as_they_were(tree: bool) -> None:
    tape = Tape(tree=tree)
    parts = []
    for name in ("a", "b", "c"):
        known = tape.thread.state.seen
        tape.says(name, chr(ord(name) - 1))
        parts.append(tape.thread.remembered(known))
    again = Thread(msgspec.structs.replace(tape.thread.state, nodes={}))
    again.recollect(parts, 3)

    assert again.state == tape.thread.state
    assert list(again.state.nodes) == ["a", "b", "c"]


def test_ids_that_came_after_a_state_was_saved_are_not_taken_for_seen() -> None:
    tape = Tape()
    tape.says("a")
    saved = msgspec.structs.replace(tape.thread.state, nodes={})
    tape.says("b")
    again = Thread(saved)
    again.recollect([tape.thread.remembered(0)], 2)

    assert list(again.state.nodes) == ["a"]


@pytest.mark.parametrize("parts", [[], [msgspec.msgpack.encode(["a"])]])
def test_a_log_that_lacks_ids_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(ValueError, match="ids are missing"):
        Thread(State(seen=2)).recollect(parts, len(parts))


@pytest.mark.parametrize("parent", ["L" * 90, "[REDACTED]", "b"])
def test_a_parent_is_found_however_its_id_is_written_and_wherever_it_stands(parent: str) -> None:
    tape = Tape()
    for name in ("L" * 90, "b", "c"):
        tape.says(name)
    tape.says("d", parent)

    assert tape.thread.closed


def test_a_prompt_edited_under_a_parent_with_a_long_id_kills_its_sibling() -> None:
    tape = Tape()
    tape.says("L" * 90)
    tape.prompt("p1", "L" * 90)
    tape.says("a1", "p1")

    assert tape.prompt("p2", "L" * 90).rewind == 10


@pytest.mark.parametrize("tree", [False, True])
def test_of_ids_that_are_all_told_nothing_is_told_again(tree: bool) -> None:
    tape = Tape(tree=tree)
    for name in "abc":
        tape.says(name)

    assert [len(msgspec.msgpack.decode(tape.thread.remembered(after))) for after in range(5)] == [3, 2, 1, 0, 0]
