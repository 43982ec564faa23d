"""Where a cut is legal."""

from __future__ import annotations

import pytest

from memcli.transcript.boundary import Boundaries, Cut, tail_cut
from memcli.transcript.entries import AssistantText, Compacted, Entry, ToolResult, ToolUse, TurnEnd, UserText


def prompt(offset: int, text: str = "go on") -> Entry:
    return Entry(offset, offset + 10, "user", (UserText(text),))


def said(offset: int, text: str = "done", message: str = "", stop: str = "") -> Entry:
    return Entry(offset, offset + 10, "assistant", (AssistantText(text),), message_id=message, stop=stop)


def called(offset: int, message: str = "") -> Entry:
    return Entry(offset, offset + 10, "assistant", (ToolUse("c1", "sh", {}),), message_id=message)


def gave(offset: int) -> Entry:
    return Entry(offset, offset + 10, "tool", (ToolResult("c1", "ok"),))


def after(*entries: Entry) -> Boundaries:
    boundaries = Boundaries()
    for entry in entries:
        boundaries.add(entry)
    return boundaries


def test_a_turn_cut_stands_before_a_prompt():
    assert after(prompt(0), said(10)).before(prompt(20), closed=True) == Cut(20, turn=True, chars=9, messages=2)


def test_nothing_can_be_cut_before_the_first_message():
    assert Boundaries().before(prompt(0), closed=True) is None


def test_no_cut_where_something_is_pending():
    assert after(prompt(0), called(10)).before(prompt(20), closed=False) is None


def test_a_round_cut_stands_before_the_agents_next_message():
    cut = after(prompt(0), called(10, "m1"), gave(20)).before(called(30, "m2"), closed=True)
    assert cut == Cut(30, turn=False, chars=11, messages=3)


def test_parts_of_one_message_are_never_parted():
    """Results stand between the parts of one answer: its second half begins nothing new."""
    assert after(prompt(0), called(10, "m1"), gave(20)).before(said(30, message="m1"), closed=True) is None


def test_an_answer_is_not_parted_from_its_prompt():
    assert after(prompt(0)).before(said(10), closed=True) is None


def test_the_clients_own_compaction_is_a_free_breakpoint():
    boundary = Entry(20, 30, "", (Compacted(),))
    assert after(prompt(0), said(10)).before(boundary, closed=True) == Cut(20, turn=False, chars=9, messages=2)


def test_the_end_of_a_quiet_file_is_a_turn_cut_when_the_agent_spoke_last():
    assert after(prompt(0), said(10)).at_end(20, closed=True) == Cut(20, turn=True, chars=9, messages=2)


def test_the_end_is_a_round_cut_when_results_stand_last():
    end = after(prompt(0), called(10), gave(20)).at_end(30, closed=True)
    assert end is not None
    assert not end.turn


def test_a_prompt_without_answer_stays_behind_the_cut():
    assert after(prompt(0), said(10), prompt(20)).at_end(30, closed=True) is None


def test_the_end_is_no_cut_while_an_announced_call_is_missing():
    assert after(prompt(0), said(10, stop="tool_use")).at_end(20, closed=True) is None


def test_a_record_that_ends_the_turn_overrules_the_announcement():
    ended = after(prompt(0), said(10, stop="tool_use"), Entry(20, 30, "", (TurnEnd(),)))
    assert ended.at_end(30, closed=True) is not None


def test_a_rewind_forgets_the_cuts_of_what_was_taken_back():
    """All but the one before it: there the fold stands that the rewind goes back to."""
    boundaries = after(prompt(0), said(10))
    boundaries.before(prompt(20), closed=True)
    boundaries.add(prompt(20))
    boundaries.add(said(30))
    boundaries.before(prompt(40), closed=True)
    boundaries.rewind(20)
    assert [cut.offset for cut in boundaries.cuts] == [20]
    assert boundaries.state.messages == 2


def test_a_late_half_tears_the_cuts_behind_its_other_half():
    boundaries = after(prompt(0), said(10))
    boundaries.before(prompt(20), closed=True)
    boundaries.tear(10)
    assert boundaries.last is None


def test_two_cuts_with_nothing_between_them_are_one():
    boundaries = after(prompt(0), said(10))
    boundaries.at_end(20, closed=True)
    boundaries.before(prompt(25), closed=True)
    assert [cut.offset for cut in boundaries.cuts] == [25]


CUTS = [Cut(100, turn=True, chars=1000), Cut(200, chars=2000), Cut(300, turn=True, chars=3000), Cut(400, chars=4000)]
END = Cut(500, turn=True, chars=5000)


@pytest.mark.parametrize(
    ("turns", "tokens", "offset"),
    [
        (0, 4000, 500),  # the bare swap
        (1, 4000, 300),  # the last turn
        (2, None, 100),
        (9, None, 0),  # more turns than there are
        (1, 500, 500),  # the last turn is too long, and so is its last round
        (1, 1000, 400),  # its last round fits
        (None, 3000, 200),
    ],
)
def test_the_tail_begins_where_it_is_asked_to(turns, tokens, offset):
    assert tail_cut(CUTS, END, 1.0, first=Cut(0), turns=turns, tokens=tokens).offset == offset
